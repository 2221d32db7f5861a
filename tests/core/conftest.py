"""How the tests of this folder compile."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def few_numbers(compiled_quickly):
    """Formulas of a few numbers, held against numpy."""
