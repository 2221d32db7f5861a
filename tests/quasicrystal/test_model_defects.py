"""Dislocations and faults of models with several surfaces, on cosets and away from the lattice points."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial import KDTree

from geoembed import quasicrystal as qc

TAU = (1 + math.sqrt(5)) / 2


@pytest.fixture(scope="module", autouse=True)
def doubles(compiled_quickly):
    with jax.enable_x64(True):
        yield


def unmatched(first, second):
    """How many sites of either set have none of their species within 1e-7 in the other."""
    a, b = (np.column_stack([found.points, found.species]) for found in (first, second))
    return sum(int((KDTree(x).query(y)[0] > 1e-7).sum()) for x, y in ((a, b), (b, a)))


def around(model, vector, branch):
    return qc.dislocated(
        model, qc.winding(qc.burgers(model, vector).vector), radius=7.0, core=1.0, branch=branch
    )


@pytest.mark.parametrize(("vector", "whole"), [((1, -1, 0, 0), True), ((1, 0, 0, 0), False)])
def test_the_cut_is_not_seen_of_a_translation_of_all_surfaces(vector, whole):
    """A star vector of Penrose's tiling takes each pentagon to another coset: it leaves a fault, two of them do not."""
    model, vector = qc.penrose(), np.array(vector)
    assert qc.is_translation(model, vector) is whole
    first, second = (around(model, vector, branch) for branch in (-math.pi, 0.7))
    assert set(first.species.tolist()) == {1, 2, 3, 4}
    expected = float(model.density()) * math.pi * (7.0**2 - 1.0)
    assert len(first.points) == pytest.approx(expected, rel=0.06)
    assert unmatched(first, second) == 0 if whole else unmatched(first, second) > 30


def test_a_model_without_a_fault_is_its_cut():
    """Two surfaces, one away from the lattice points: the same sites as `cut` finds by columns."""
    base = qc.ammann_beenker()
    small = qc.Ball(jnp.asarray(0.4), 2)
    position = jnp.array([0.5, 0.25, 0.0, 0.5])
    model = qc.Model(base.lattice, [*base.surfaces, qc.Surface(small, position, species=5)])
    found = qc.faulted(model, np.array([0.3, 1.0]), np.zeros(4), radius=5.0)
    cut = qc.cut(model, radius=5.0)
    rows = [
        sorted(
            (*n, s)
            for n, s in zip(np.asarray(one.indices).tolist(), np.asarray(one.species).tolist(), strict=True)
        )
        for one in (found, cut)
    ]
    assert rows[0] == rows[1]
    assert set(found.species.tolist()) == {0, 5}
    walled = qc.faulted(model, np.array([0.3, 1.0]), np.array([0, 0, 0.3, 0.1]), radius=5.0, height=0.2)
    moved = KDTree(found.points).query(walled.points)[0] > 1e-7
    assert not moved[walled.points @ [0.3, 1.0] < 0.2].any()
    assert moved.any()


def test_burgers_vectors_and_their_accommodation():
    """The family along a 2-fold axis: |b∥| = 2c τ⁻ⁿ, |b⊥| = 2cτ τⁿ, ζ = τ²ⁿ⁺¹."""
    model, c = qc.icosahedral(), 1 / math.sqrt(2 * (TAU + 2))
    for n, k in ((-1, (0, 0, 0, 0, 1, 1)), (0, (1, -1, 0, 0, 0, 0)), (1, (-1, 1, 0, 0, 1, 1))):
        found = qc.burgers(model, np.array(k))
        assert float(jnp.linalg.norm(found.phonon)) == pytest.approx(2 * c * TAU**-n, rel=1e-12)
        assert float(jnp.linalg.norm(found.phason)) == pytest.approx(2 * c * TAU ** (n + 1), rel=1e-12)
        assert float(found.accommodation) == pytest.approx(TAU ** (2 * n + 1), rel=1e-12)
        assert found.vector.shape == (6,)
    assert not qc.is_translation(model, np.array([0.5, 0, 0, 0, 0, 0]))
    assert not qc.is_translation(qc.icosahedral(centering="F"), np.array([1, 0, 0, 0, 0, 0]))
