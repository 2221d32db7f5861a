"""How the tests of this folder compile."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def few_numbers(compiled_quickly):
    """Formulas at a few points, held against closed forms and brute force; compiling them is the cost."""
