"""Cuts against the naive box, in both precisions, and decisions on boundaries."""

import itertools
from decimal import Decimal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed import quasicrystal as qc
from tests.quasicrystal.areas import cube, hull

pytestmark = pytest.mark.usefixtures("compiled_quickly")

MODELS = {
    "fibonacci": (qc.fibonacci, 6.0, 6),
    "ammann_beenker": (qc.ammann_beenker, 3.0, 5),
    "penrose": (qc.penrose, 2.5, 6),
    "dodecagonal": (qc.dodecagonal, 2.5, 5),
    "icosahedral": (qc.icosahedral, 1.0, 3),
}


def naive(model, largest, half):
    """The indices of all points in a box by testing a box of indices, with half-spaces by qhull."""
    p, q = (np.asarray(part, float) for part in model.lattice.projections())
    n = np.array(list(itertools.product(range(-largest, largest + 1), repeat=p.shape[1])))
    x, w = n @ p.T, n @ q.T + np.asarray(model.shift, float)
    chosen = np.zeros(len(n), bool)
    for s in model.surfaces:
        if w.shape[1] == 1:
            planes = np.array([[1.0, -np.abs(q).sum() / 2], [-1.0, -np.abs(q).sum() / 2]])
        elif isinstance(s.window, qc.Polytope):
            planes = hull(np.asarray(s.window.vertices, float))
        elif len(s.window.generators) == p.shape[1]:
            planes = cube(q)
        else:
            planes = cube(np.asarray(s.window.generators, float).T)
        mine = (w @ planes[:, :-1].T + planes[:, -1] <= 0).all(1)
        if s.coset is not None:
            mine &= (n @ np.array(s.coset.rows).T % s.coset.modulus == np.array(s.coset.residues)).all(1)
        chosen |= mine
    chosen &= (np.abs(x) <= half).all(1)
    found = n[chosen]
    assert np.abs(found).max() < largest, "the box of indices is large enough"
    return found


def rows(indices):
    return set(map(tuple, np.asarray(indices).tolist()))


@pytest.mark.parametrize("name", MODELS)
def test_the_same_points_as_the_naive_box(name, precision):
    make, half, largest = MODELS[name]
    model = make()
    cut = qc.cut(model, box=half)
    assert cut.points.dtype == cut.perp.dtype == precision
    expected = naive(model, largest, half)
    assert len(cut) == len(rows(cut.indices)) == len(expected) > 4
    assert rows(cut.indices) == rows(expected)
    assert rows(qc.cut(model, box=half, method="enumerate").indices) == rows(expected)
    assert not cut.singular
    n = np.asarray(cut.indices, float)
    p, q = (np.asarray(part, float) for part in model.lattice.projections())
    tolerance = 1e-5 if precision == np.float32 else 1e-13
    np.testing.assert_allclose(cut.points, n @ p.T, atol=tolerance)
    np.testing.assert_allclose(cut.perp, n @ q.T + np.asarray(model.shift), atol=tolerance)
    np.testing.assert_allclose(qc.positions(model, cut), cut.points, atol=tolerance)
    np.testing.assert_allclose(qc.perp_coordinates(model, cut), cut.perp, atol=tolerance)


def test_float32_has_the_points_of_float64():
    """Rounded to float32, thousands of perpendicular coordinates lie close enough to a face to be miscounted."""
    with jax.enable_x64(False):
        single = qc.cut(qc.icosahedral(), box=9.0)
        shift = np.asarray(qc.icosahedral().shift, float)
    with jax.enable_x64(True):
        double = qc.cut(qc.icosahedral(shift=jnp.asarray(shift)), box=9.0)
    assert np.array_equal(single.indices, double.indices)
    assert len(single) == pytest.approx(4.352501798965641 * 18**3, rel=0.01)


@pytest.mark.parametrize("kind", ["ball", "coset", "pieces", "position", "margin"])
def test_columns_agree_with_enumeration(kind):
    with jax.enable_x64(True):
        model, size, margin = qc.ammann_beenker(), {"box": (4.0, 2.0)}, 0.0
        window = model.surfaces[0].window
        if kind == "ball":
            surfaces = [qc.Surface(qc.Ball(jnp.asarray(0.8), 2))]
            size = {"radius": 4.0}
        elif kind == "coset":
            surfaces = [qc.Surface(window, coset=qc.Coset(((1, 0, 2, 1), (0, 1, 0, 1)), 3, (1, 2)))]
        elif kind == "pieces":
            small = qc.Zonotope(0.5 * window.generators)
            far = qc.Polytope(jnp.array([[2.0, 0.0], [2.5, 0.2], [2.2, 0.9]]))
            surfaces = [qc.Surface(window - small, species=1), qc.Surface(small | far, species=2)]
        elif kind == "position":
            surfaces = [qc.Surface(window, jnp.array([0.5, 0.25, 0.0, 0.5]), species=3)]
        else:
            surfaces, margin = list(model.surfaces), 0.1
        model = qc.Model(model.lattice, surfaces)
        cuts = [qc.cut(model, **size, margin=margin, method=m) for m in ("columns", "enumerate")]
        first, second = (
            sorted(zip(map(tuple, c.indices.tolist()), c.species.tolist(), strict=True)) for c in cuts
        )
        assert first == second
        assert len(first) > 2
        assert cuts[0].counts == cuts[1].counts
        np.testing.assert_allclose(qc.positions(model, cuts[0]), cuts[0].points, atol=1e-13)
        limit = size.get("radius", np.array(size.get("box", 0.0)))
        x = np.asarray(cuts[0].points)
        assert (
            (np.linalg.norm(x, axis=1) <= limit) if "radius" in size else (np.abs(x) <= limit).all(1)
        ).all()


def test_centred_lattices():
    with jax.enable_x64(True):
        every = np.asarray(qc.cut(qc.icosahedral(), box=3.0).indices)
        even, odd = (every % 2 == 0).all(1), (every % 2 == 1).all(1)
        kept = {"F": every.sum(1) % 2 == 0, "I": even | odd}
        for centering, chosen in kept.items():
            cut = qc.cut(qc.icosahedral(centering=centering), box=3.0)
            assert rows(cut.indices) == rows(every[chosen])


def test_strained_lattices():
    with jax.enable_x64(True):
        model = qc.fibonacci()
        strained = eqx.tree_at(
            lambda m: (m.lattice.strain, m.lattice.phason_strain, m.lattice.scale),
            model,
            (jnp.array([[0.02]]), jnp.array([[0.05]]), jnp.asarray(1.5)),
        )
        cut = qc.cut(strained, box=9.0)
        tau = (1 + 5**0.5) / 2
        n = np.array(list(itertools.product(range(-9, 10), repeat=2)))
        x = n @ [tau, 1.0]
        q = n @ [1 - tau, 1.0] + 0.05 * x + float(model.shift[0])
        expected = n[(np.abs(1.5 * 1.02 * x) <= 9) & (np.abs(q) <= tau / 2)]
        assert rows(cut.indices) == rows(expected)
        np.testing.assert_allclose(
            cut.points[:, 0], 1.53 * (np.asarray(cut.indices) @ [tau, 1.0]), atol=1e-13
        )
        with pytest.raises(ValueError, match="columns needs a frame"):
            qc.cut(strained, box=9.0, method="columns")


@pytest.mark.parametrize("ulps", [-1, 0, 1])
def test_boundaries_are_decided_exactly(ulps):
    """The shift is τ/2 up to rounding: 0 and (1, −1) are at the ends of the interval, and one of them belongs to it."""
    tau = (1 + Decimal(5).sqrt()) / 2
    shift = float(tau / 2) + ulps * 2.0**-53
    assert float(tau / 2) != tau / 2
    with jax.enable_x64(True):
        model = qc.fibonacci(shift=jnp.array([shift]))
        for method in ("columns", "enumerate"):
            cut = qc.cut(model, box=5.0, method=method)
            found = rows(cut.indices) & {(0, 0), (1, -1)}
            assert found == ({(0, 0)} if Decimal(shift) < tau / 2 else {(1, -1)})
            assert not cut.singular


@pytest.mark.parametrize(
    ("make", "shift", "turn", "singular"),
    [
        (qc.ammann_beenker, (0.0, 0.0), 45, False),
        (qc.ammann_beenker, (0.5, 0.0), 0, True),  # points with q = −½ √2 e₁ lie on an edge of the octagon
        (qc.penrose, (0.0, 0.0), 72, True),  # projections of star vectors are corners of the pentagons
    ],
)
def test_singular_cuts_are_flagged_and_symmetric(make, shift, turn, singular):
    with jax.enable_x64(True):
        model = make(shift=jnp.array(shift))
        cuts = [qc.cut(model, radius=5.0, method=m) for m in ("columns", "enumerate")]
    assert rows(cuts[0].indices) == rows(cuts[1].indices)
    assert cuts[0].singular == cuts[1].singular == singular
    if not shift[0]:
        x = np.asarray(cuts[0].points)
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        assert np.abs((x @ [[c, s], [-s, c]])[:, None] - x[None]).max(-1).min(1).max() < 1e-12


def test_soft_windows(precision):
    model = qc.ammann_beenker()
    cut, wide = qc.cut(model, box=5.0), qc.cut(model, box=5.0, margin=0.2)
    hard = {tuple(n) for n in np.asarray(cut.indices).tolist()}
    assert len(wide) > len(cut)
    inside = np.array([tuple(n) in hard for n in np.asarray(wide.indices).tolist()])
    soft_weights = jax.jit(lambda m, c, w: qc.weights(m, c, w))
    for width in (0.0, 1e-6):
        assert np.array_equal(np.asarray(soft_weights(model, wide, width)) > 0.5, inside)
    soft = np.asarray(soft_weights(model, wide, 0.2))
    assert soft.dtype == precision
    assert ((soft >= 0) & (soft <= 1)).all()
    assert np.array_equal(soft > 0.5, inside)
    if precision == np.float64:

        @jax.jit
        def total(shift):
            return jnp.sum(qc.weights(eqx.tree_at(lambda m: m.shift, model, shift), wide, 0.2) ** 2)

        gradient, step = jax.jit(jax.grad(total))(model.shift), 1e-6
        for i in range(2):
            d = step * jnp.eye(2)[i]
            difference = (total(model.shift + d) - total(model.shift - d)) / (2 * step)
            assert float(gradient[i]) == pytest.approx(float(difference), rel=1e-7)


def test_positions_have_gradients():
    with jax.enable_x64(True):
        model = qc.penrose()
        cut = qc.cut(model, box=3.0)

        def stretched(strain):
            return qc.positions(eqx.tree_at(lambda m: m.lattice.strain, model, strain), cut)

        moved = jax.jvp(stretched, (jnp.zeros((2, 2)),), (jnp.array([[0.0, 1.0], [0.0, 0.0]]),))[1]
        np.testing.assert_allclose(moved[:, 0], cut.points[:, 1], atol=1e-13)
        np.testing.assert_allclose(moved[:, 1], 0.0, atol=1e-15)


def test_an_artefact_comes_back_equal(tmp_path):
    model = qc.penrose()
    geoembed.save(tmp_path / "model", model)
    loaded = geoembed.load(tmp_path / "model")
    assert eqx.tree_equal(model, loaded)
    assert rows(qc.cut(loaded, box=2.0).indices) == rows(qc.cut(model, box=2.0).indices)


def test_refusals():
    model = qc.fibonacci()
    for wrong in (
        {},
        {"box": 1.0, "radius": 1.0},
        {"radius": -1.0},
        {"box": float("nan")},
        {"box": 1.0, "margin": -1.0},
    ):
        with pytest.raises(ValueError, match="cut needs"):
            qc.cut(model, **wrong)
    with pytest.raises(ValueError, match='"auto"'):
        qc.cut(model, box=1.0, method="fast")
    with pytest.raises(ValueError, match="as many rows"):
        qc.Lattice(jnp.ones((2, 5)), jnp.ones((2, 5)))
    with pytest.raises(ValueError, match="at least one surface"):
        qc.Model(model.lattice, [])
    with pytest.raises(ValueError, match="shift of 1"):
        qc.Model(model.lattice, model.surfaces, jnp.zeros(2))
    with pytest.raises(ValueError, match='"P", "F" or "I"'):
        qc.icosahedral(centering="C")
    with pytest.raises(ValueError, match="lower < upper"):
        qc.interval(1.0, 1.0)
    with pytest.raises(ValueError, match="1, 2 or 3"):
        qc.Zonotope(jnp.ones((5, 4)))
    with pytest.raises(ValueError, match="1, 2 or 3"):
        qc.Polytope(jnp.ones((5, 4)))
