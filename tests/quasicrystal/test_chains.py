"""Chains of two tiles: their words, their densities, and the substitutions that make them."""

import math

import jax
import numpy as np
import pytest

from geoembed import quasicrystal as qc

pytestmark = pytest.mark.usefixtures("compiled_quickly")

LIMITS = {  # coefficients of the ratio of the tiles, and it
    (1, -2, -1): 1 + math.sqrt(2),
    (1, -3, -1): (3 + math.sqrt(13)) / 2,
    (1, 0, -2): math.sqrt(2),
    (2, -1, -2): (1 + math.sqrt(17)) / 4,
    (-3, 3, 3): (1 + math.sqrt(5)) / 2,
}


def word_of(model, box):
    """The tiles between the points, a for (1, 0) and b for (0, 1), and the lengths of the tiles."""
    found = qc.cut(model, box=box)
    order = np.argsort(np.asarray(found.points)[:, 0])
    steps = np.diff(np.asarray(found.indices)[order], axis=0).tolist()
    lengths = np.diff(np.asarray(found.points)[order, 0])
    return "".join({(1, 0): "a", (0, 1): "b"}[tuple(step)] for step in steps), lengths


@pytest.mark.parametrize("coefficients", LIMITS)
def test_chains_are_balanced_words_of_two_tiles(coefficients):
    ratio = LIMITS[coefficients]
    with jax.enable_x64(True):
        model = qc.quadratic_chain(*coefficients, unit=0.7)
        word, lengths = word_of(model, 150.0)
        density = float(model.density())
    np.testing.assert_allclose(lengths, [0.7 * (ratio if x == "a" else 1.0) for x in word], rtol=1e-12)
    counts = np.cumsum([0] + [x == "a" for x in word])
    for n in range(1, 60):
        assert np.ptp(counts[n:] - counts[:-n]) == 1, "balanced, and not periodic with this period"
    assert len(word) + 1 == pytest.approx(300.0 * density, abs=2), "points in the box"


def test_the_golden_chain_is_that_of_fibonacci():
    with jax.enable_x64(True):
        shift = qc.fibonacci().shift
        known, found = (
            qc.cut(m, box=40.0) for m in (qc.fibonacci(), qc.quadratic_chain(1, -1, -1, 1.0, shift))
        )
        assert set(map(tuple, known.indices.tolist())) == set(map(tuple, found.indices.tolist()))


@pytest.mark.parametrize("rules", [{"a": "aba", "b": "a"}, {"a": "aaab", "b": "a"}, {"a": "abb", "b": "ab"}])
def test_chains_have_the_words_of_their_substitution(rules):
    with jax.enable_x64(True):
        word, _ = word_of(qc.substitution_chain(rules), 200.0)
    made = qc.substitute(rules, "a", 8)
    for n in (3, 8, 13):
        factors = [{w[i : i + n] for i in range(len(w) - n + 1)} for w in (word, made)]
        assert factors[0] == factors[1]
        assert len(factors[0]) == n + 1, "Sturmian"


@pytest.mark.parametrize("coefficients", [(1, -2, -1), (1, 0, -2), (2, -1, -2)])
def test_chains_grow_by_the_unit_of_their_order(coefficients):
    with jax.enable_x64(True):
        model = qc.quadratic_chain(*coefficients)
        found = qc.inflation(model.lattice)
        assert found.factor > 1.0
        assert abs(found.factor * found.conjugate) == pytest.approx(1.0, rel=1e-12)
        small = np.asarray(qc.cut(model, box=20.0).indices) @ found.matrix.T
        large = qc.cut(found.image(model), box=20.0 * found.factor * (1 + 1e-12))
        assert set(map(tuple, small.tolist())) < set(map(tuple, large.indices.tolist()))


def test_what_makes_no_chain_is_refused():
    with pytest.raises(ValueError, match="opposite signs"):
        qc.quadratic_chain(1, -3, 1)
    with pytest.raises(ValueError, match="irrational"):
        qc.quadratic_chain(1, -1, -2)
    with pytest.raises(ValueError, match="two letters"):
        qc.substitution_chain({"a": "ab", "b": "c"})
    with pytest.raises(ValueError, match="each letter of the other"):
        qc.substitution_chain({"a": "ab", "b": "b"})
    with pytest.raises(ValueError, match="balanced"):
        qc.substitution_chain({"a": "aabb", "b": "a"})
