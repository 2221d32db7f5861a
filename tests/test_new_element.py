"""How benchmarks/new_element.py divides its structures between strata, and what its arms train."""

import importlib
import itertools
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from geoembed.atoms import Statistics, trainable, untrained_mace

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))
data = importlib.import_module("new_element_data")
arms = importlib.import_module("new_element_arms")


@pytest.mark.parametrize("count", [5, 10, 25, 50, 100])
def test_every_number_of_structures_is_divided_by_the_shares(count):
    found, shares = data.quotas(count), data.CONFIG["data"]["shares"]
    assert sum(found.values()) == count
    assert all(abs(found[name] - shares[name] * count) < 1 for name in shares)


def test_fewer_structures_are_a_part_of_more():
    counts = [data.quotas(count) for count in (10, 50, 100)]
    assert all(few[name] <= many[name] for few, many in itertools.pairwise(counts) for name in few)


@pytest.fixture(scope="module")
def before():
    found = Statistics(
        np.array([41, 42, 73]), np.ones(3, int), np.zeros(3), np.ones(3, bool), 0.0, 1.0, 1.0, 10.0, ()
    )
    sizes = {"channels": 2, "hidden_ell": 0, "max_ell": 1, "correlation": 1, "layers": 1}
    vectors = {"elements": "physical", "element_size": 4, "free_elements": 1}
    return {
        family: untrained_mace(found, key=jax.random.key(0), **sizes, **options)
        for family, options in (("tables", {}), ("vectors", vectors))
    }


@pytest.mark.parametrize("name", ["random", "copy", "row", "row_lora"])
def test_arms_add_tungsten_and_train_what_they_say(before, name):
    arm = arms.ARMS[name]
    start = arms.added(arm, before[arm.family], -10.0, seed=0)
    assert start.numbers.tolist() == [41, 42, 73, 74]
    found, size = trainable(start, arms.rules_of(arm, 0.01)), start.encoder.elements.vectors.shape[1]
    assert size == 4
    assert (found.count == size) == (arm.trains == "row")
    assert ("elements" in str(found)) == (arm.family == "vectors")
