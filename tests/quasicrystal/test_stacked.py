"""Quasicrystals with a periodic axis are layers of planar ones."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc

pytestmark = pytest.mark.usefixtures("compiled_quickly")

PLANES = {"octagonal": qc.ammann_beenker, "decagonal": qc.penrose, "dodecagonal": qc.dodecagonal}


def rows(values):
    return set(map(tuple, np.asarray(values).tolist()))


@pytest.mark.parametrize(
    "name", ["octagonal", *(pytest.param(n, marks=pytest.mark.slow) for n in ("decagonal", "dodecagonal"))]
)
def test_points_are_those_of_the_plane_in_every_layer(name):
    with jax.enable_x64(True):
        plane = PLANES[name](1.3)
        model = qc.stacked(plane, 2.1, [0.0, 0.25])
        flat, solid = qc.cut(plane, box=4.0), qc.cut(model, box=(4.0, 4.0, 3.0))
        heights = np.array([-2.1, 0.0, 2.1, -1.575, 0.525, 2.625])
        x, z = np.asarray(solid.points), np.asarray(solid.points)[:, 2]
        for height in heights:
            here = np.abs(z - height) < 1e-12
            assert rows(np.asarray(solid.indices)[here, :-1]) == rows(flat.indices)
            order, other = np.lexsort(x[here, :2].T.round(9)), np.lexsort(np.asarray(flat.points).T.round(9))
            np.testing.assert_allclose(x[here][order, :2], np.asarray(flat.points)[other], atol=1e-12)
        assert len(solid) == len(heights) * len(flat)
        density = float(model.density()) * 2.1 / 2
        assert density == pytest.approx(float(plane.density()), rel=1e-13)


@pytest.mark.slow
def test_reflections_are_those_of_the_plane_times_those_of_the_stack():
    """Two equal layers of a period: F(h, l) = F(h) (1 + exp(2πi l z)) / 2, at Q = (Q of the plane, 2π l / c)."""
    with jax.enable_x64(True):
        plane, period = qc.ammann_beenker(), 1.7
        model = qc.stacked(plane, period, [0.0, 0.3])
        h = np.array([[1, 0, 0, 0], [0, 1, 2, -1], [1, 1, -1, -1]])
        flat = np.asarray(jax.jit(qc.structure_factor)(plane, jnp.asarray(h)))
        for level in (0, 1, -2):
            full = jnp.asarray(np.column_stack([h, np.full(3, level)]))
            found = np.asarray(jax.jit(qc.structure_factor)(model, full))
            np.testing.assert_allclose(found, flat * (1 + np.exp(2j * np.pi * 0.3 * level)) / 2, atol=1e-13)
            q, q_perp = qc.wave_vectors(model, full)
            q_flat, q_perp_flat = qc.wave_vectors(plane, jnp.asarray(h))
            np.testing.assert_allclose(q[:, :2], q_flat, atol=1e-12)
            np.testing.assert_allclose(q[:, 2], 2 * np.pi * level / period, atol=1e-12)
            np.testing.assert_allclose(q_perp, q_perp_flat, atol=1e-12)


@pytest.mark.slow
def test_screw_axis():
    """Layers whose windows are turned by 36°: 00000l is absent for odd l, the density that of one Penrose tiling."""
    with jax.enable_x64(True):
        plane = qc.penrose()
        model = qc.stacked(plane, 1.6, [qc.Layer(0.25, (0, 2)), qc.Layer(0.75, (1, 3))])
        h = jnp.asarray([[0, 0, 0, 0, 1], [0, 0, 0, 0, 2], [0, 0, 0, 0, 3], [0, 1, 1, 0, 1]])
        found = np.abs(np.asarray(jax.jit(qc.structure_factor)(model, h)))
        np.testing.assert_allclose(found[:3], [0.0, 1.0, 0.0], atol=1e-14)
        assert found[3] > 0.01
        assert float(model.density()) * 1.6 == pytest.approx(float(plane.density()), rel=1e-13)


@pytest.mark.slow
def test_reflections_are_listed_with_one_index_more():
    with jax.enable_x64(True):
        model = qc.stacked(qc.ammann_beenker(), 2 * math.pi)
        listed = qc.bragg(model, q_max=7.0, q_perp_max=2.0)
        q = np.asarray(listed.q)
        assert np.linalg.norm(q, axis=1).max() <= 7.0 + 1e-12
        assert listed.indices.shape[1] == 5
        np.testing.assert_allclose(q[:, 2], listed.indices[:, 4], atol=1e-12)
        assert set(np.asarray(listed.indices[:, 4]).tolist()) == set(range(-7, 8))
        flat = qc.bragg(qc.ammann_beenker(), q_max=7.0, q_perp_max=2.0)
        level = np.asarray(listed.indices)[:, 4] == 0
        assert rows(np.asarray(listed.indices)[level, :4]) == rows(flat.indices)


def test_the_period_has_derivatives():
    """x₃ = n c, Q₃ = 2π l / c."""
    with jax.enable_x64(True):
        cut = qc.cut(qc.stacked(qc.ammann_beenker(), 1.5), box=2.0)

        def ends(period):
            model = qc.stacked(qc.ammann_beenker(), period)
            return qc.positions(model, cut)[:, 2].sum(), qc.wave_vectors(model, jnp.array([0, 0, 0, 0, 3]))[
                0
            ][2]

        slopes = jax.jit(jax.jacobian(ends))(1.5)
        assert float(slopes[1]) == pytest.approx(-2 * np.pi * 3 / 1.5**2, rel=1e-13)
        assert float(slopes[0]) == pytest.approx(float(np.asarray(cut.indices)[:, 4].sum()), abs=1e-12)


@pytest.mark.slow
def test_phason_strain_and_float32_are_kept():
    plane = qc.ammann_beenker()
    lattice = qc.Lattice(
        plane.lattice.parallel, plane.lattice.perpendicular, 1.2, 0.01 * jnp.eye(2), 0.02 * jnp.ones((2, 2))
    )
    model = qc.stacked(qc.Model(lattice, plane.surfaces), 1.0)
    n = jnp.array([[1, 2, 0, -1, 3]])
    assert model.lattice.points(n).dtype == jnp.result_type(float)
    np.testing.assert_allclose(model.lattice.points(n)[:, :2], lattice.points(n[:, :4]), rtol=1e-6)
    np.testing.assert_allclose(model.lattice.perp(n), lattice.perp(n[:, :4]), rtol=1e-5)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="at least one layer"):
        qc.stacked(qc.penrose(), 1.0, [])
    with pytest.raises(ValueError, match="from 0 to 3"):
        qc.stacked(qc.penrose(), 1.0, [qc.Layer(0.0, (4,))])
