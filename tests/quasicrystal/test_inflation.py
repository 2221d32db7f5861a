"""Inflated points belong to the structure, exactly; words of tiles follow the substitution."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc

TAU = (1 + math.sqrt(5)) / 2
FACTORS = {
    "fibonacci": TAU, "ammann_beenker": 1 + math.sqrt(2), "penrose": TAU, "dodecagonal": 2 + math.sqrt(3),
    "icosahedral": TAU**3,
}  # fmt: skip
BOXES = {"fibonacci": 30.0, "ammann_beenker": 6.0, "penrose": 7.0, "dodecagonal": 4.0, "icosahedral": 1.0}

pytestmark = pytest.mark.usefixtures("compiled_quickly")


def rows(indices):
    return set(map(tuple, np.asarray(indices).tolist()))


@pytest.mark.parametrize("name", FACTORS)
def test_inflated_points_belong_to_the_structure(name):
    with jax.enable_x64(True):
        model = getattr(qc, name)()
        found = qc.inflation(model.lattice)
        assert found.factor == pytest.approx(FACTORS[name], rel=1e-14)
        assert abs(round(np.linalg.det(found.matrix))) == 1
        assert np.array_equal(found.matrix @ found.inverse, np.eye(len(found.matrix)))
        # the products with the exact projections, to the rounding of float64
        for part, factor in zip(model.lattice.projections(), (found.factor, found.conjugate), strict=True):
            np.testing.assert_allclose(np.asarray(part) @ found.matrix, factor * np.asarray(part), atol=1e-14)
        cut = qc.cut(model, box=BOXES[name])
        image = qc.cut(found.image(model), box=BOXES[name] * found.factor * (1 + 1e-12))
        inflated = np.asarray(cut.indices) @ found.matrix.T
        assert rows(inflated) < rows(image.indices)
        assert len(inflated) > 20
        np.testing.assert_allclose(
            model.lattice.points(jnp.asarray(inflated)), found.factor * np.asarray(cut.points), atol=1e-11
        )
        # and no other points of the structure deflate to points of the first: the two are one set
        deflated = rows(np.asarray(image.indices) @ found.inverse.T)
        assert rows(cut.indices) <= deflated
        assert rows(cut.indices) != deflated


def test_the_shift_matters():
    """With the same shift some inflated vertices of Penrose's tiling are none: the test above can fail."""
    with jax.enable_x64(True):
        model = qc.penrose()
        found = qc.inflation(model.lattice)
        inflated = rows(np.asarray(qc.cut(model, box=7.0).indices) @ found.matrix.T)
        assert not inflated <= rows(qc.cut(model, box=7.0 * TAU * (1 + 1e-12)).indices)


@pytest.mark.parametrize(("centering", "box"), [("F", 1.2), ("I", 2.2)])
def test_centred_icosahedral_lattices_are_kept(centering, box):
    with jax.enable_x64(True):
        model = qc.icosahedral(centering=centering)
        found = qc.inflation(model.lattice)
        cut = qc.cut(model, box=box)
        image = qc.cut(found.image(model), box=box * found.factor * (1 + 1e-12))
        inflated = np.asarray(cut.indices) @ found.matrix.T
        assert len(inflated) > 5
        assert rows(inflated) < rows(image.indices)


@pytest.mark.parametrize(("rule", "end"), [("LS", 1), ("SL", -1)])
def test_words_of_the_fibonacci_chain_follow_the_substitution(rule, end):
    """Between the inflated points lie exactly the tiles of the rule.

    Where the shrunk window ends with the whole one on the right, the long tile is always the first of the two; where
    they end together on the left, always the second.
    """
    rules = {"L": rule, "S": "L"}
    with jax.enable_x64(True):
        model = qc.fibonacci()
        found = qc.inflation(model.lattice)
        assert np.array_equal(qc.substitution_matrix(rules), found.matrix)
        image = qc.fibonacci(shift=found.image(model).shift + end * (TAU - 1) / 2)
        chains = []
        for one, box in ((model, 40.0), (image, 80.0)):
            n = np.asarray(qc.cut(one, box=box).indices)
            chains.append(n[np.argsort(n @ [TAU, 1.0])])
        first, second = chains
        word = spelled(first)
        places = {tuple(n): i for i, n in enumerate(second.tolist())}
        start, stop = (places[tuple(n)] for n in (first[[0, -1]] @ found.matrix.T).tolist())
        assert spelled(second[start : stop + 1]) == qc.substitute(rules, word)
        assert len(word) > 50


def spelled(chain):
    """The tiles between the points of a chain."""
    tiles = np.diff(chain, axis=0)
    assert set(map(tuple, tiles.tolist())) == {(1, 0), (0, 1)}
    return "".join(np.array(["S", "L"])[tiles[:, 0]])


def test_substitutions():
    rules = {"a": "aba", "b": "aa"}
    counts = np.array([1, 0])
    for steps in range(5):
        word = qc.substitute(rules, "a", steps)
        assert [word.count("a"), word.count("b")] == counts.tolist()
        counts = qc.substitution_matrix(rules) @ counts
    silver = np.linalg.eigvals(qc.substitution_matrix({"a": "aba", "b": "a"})).max()
    assert silver == pytest.approx(1 + math.sqrt(2), rel=1e-14)
    with pytest.raises(ValueError, match="no rule for c"):
        qc.substitute({"a": "ac"}, "a")


def test_strained_lattices_have_none():
    model = qc.fibonacci()
    strained = qc.Lattice(
        model.lattice.parallel, model.lattice.perpendicular, 1.0, 0.1 * jnp.eye(1), name="fibonacci"
    )
    with pytest.raises(ValueError, match="without strain"):
        qc.inflation(strained)
