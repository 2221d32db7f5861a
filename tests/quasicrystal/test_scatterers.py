"""Form factors and Debye–Waller factors against tables, averages over displacements and differences."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc

pytestmark = pytest.mark.usefixtures("compiled_quickly")

factors = eqx.filter_jit(qc.structure_factor)
# International Tables C, table 6.1.1.4: aluminium
ALUMINIUM = ([6.4202, 1.9002, 1.5936, 1.9646], [3.0387, 0.7426, 31.5472, 85.0886], 1.1151)


def aluminium():
    a, b, c = ALUMINIUM
    return qc.FormFactor(jnp.array(a), jnp.array(b), jnp.array(c))


def test_form_factor_of_aluminium(precision):
    """13 electrons forward, and the sum of Gaussians term by term."""
    s = np.array([0.0, 0.35, 0.5])
    a, b, c = ALUMINIUM
    by_hand = [sum(x * math.exp(-y * t * t) for x, y in zip(a, b, strict=True)) + c for t in s]
    found = aluminium()(jnp.asarray(4 * np.pi * s, precision))
    assert found.dtype == precision
    np.testing.assert_allclose(found, by_hand, rtol=1e-5 if precision == np.float32 else 1e-13)
    assert found[0] == pytest.approx(13.0, abs=0.01)


def test_debye_waller_is_the_average_over_displacements():
    """Gaussian displacements of a chain, in both spaces, by quadrature: B = 8π² ⟨u²⟩."""
    with jax.enable_x64(True):
        model, h = qc.fibonacci(), jnp.array([[1, 1], [3, 2], [0, 0]])
        u, v = 0.11, 0.07  # root mean squares
        hot = qc.Scatterers(jnp.ones(1), 8 * np.pi**2 * u**2 * jnp.ones(1), 8 * np.pi**2 * v**2 * jnp.ones(1))
        q, q_perp = (np.asarray(x)[:, 0] for x in qc.wave_vectors(model, h))
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        weights = weights / weights.sum()
        average = (
            np.exp(1j * np.outer(q * u, nodes))
            @ weights
            * (np.exp(1j * np.outer(q_perp * v, nodes)) @ weights)
        )
        found, cold = (np.asarray(factors(model, h, s)) for s in (hot, None))
        np.testing.assert_allclose(found, cold * average, atol=1e-14)
        assert abs(found[1]) < 0.9 * abs(cold[1])


def test_amplitudes_of_several_surfaces_depend_on_the_wave_vector():
    with jax.enable_x64(True):
        chain = qc.fibonacci()
        core, ring = qc.interval(-0.2, 0.3), chain.surfaces[0].window - qc.interval(-0.2, 0.3)
        model = qc.Model(chain.lattice, [qc.Surface(core), qc.Surface(ring)])
        b, b_perp = jnp.array([0.5, 2.0]), jnp.array([1.0, 0.0])
        scatterers = qc.Scatterers(jnp.array([0.9, 2.0]), b, b_perp, (aluminium(), None))
        h = jnp.array([[1, 1], [2, 1]])
        q, q_perp = (np.asarray(x)[:, 0] / (4 * np.pi) for x in qc.wave_vectors(model, h))
        a, widths, c = ALUMINIUM
        f = (np.exp(-np.outer(q**2, widths)) @ np.array(a) + c) * 0.9 * np.exp(-0.5 * q**2 - q_perp**2)
        g = 2.0 * np.exp(-2.0 * q**2)
        parts = [factors(model, h, jnp.array(one)) for one in ([1.0, 0.0], [0.0, 1.0])]
        found = factors(model, h, scatterers)
        np.testing.assert_allclose(found, f * np.asarray(parts[0]) + g * np.asarray(parts[1]), rtol=1e-13)
        listed = qc.bragg(model, q_max=8.0, q_perp_max=3.0, amplitudes=scatterers)
        again = factors(model, listed.indices, scatterers)
        np.testing.assert_allclose(listed.factors, again, rtol=1e-13)
        assert np.all(np.diff(listed.intensities) < 1e-9)
    with pytest.raises(ValueError, match="as many form factors"):
        qc.Scatterers(jnp.ones(2), forms=(None,))


@pytest.mark.slow
def test_gradients_exactly_at_bragg_vectors():
    """Of an intensity in everything, at whole indices, the origin among them, against central differences."""
    with jax.enable_x64(True):
        base = qc.icosahedral(5.0)
        lattice = qc.Lattice(
            base.lattice.parallel,
            base.lattice.perpendicular,
            5.0,
            phason_strain=jnp.zeros((3, 3)),
            name="icosahedral",
        )
        surfaces = [
            qc.Surface(base.surfaces[0].window, jnp.zeros(6)),
            qc.Surface(qc.Ball(jnp.asarray(0.6), 3), 0.5 * jnp.ones(6)),
        ]
        model = qc.Model(lattice, surfaces)
        scatterers = qc.Scatterers(
            jnp.array([1.0, 0.7]), jnp.array([0.5, 0.8]), jnp.array([0.2, 0.1]), (aluminium(), None)
        )
        h = jnp.array([[0] * 6, [2, 1, 1, -1, 1, 1], [1, 1, 1, 0, 1, 0]])
        mix = jnp.array([0.3, 1.0, 5.0])

        def total(both):
            factor = qc.structure_factor(both[0], h, both[1])
            return jnp.sum(mix * (factor.real**2 + factor.imag**2))

        value = jax.jit(jax.value_and_grad(total))
        leaves, tree = jax.tree.flatten((model, scatterers))
        slopes = jax.tree.leaves(value(tree.unflatten(leaves))[1])
        assert all(np.isfinite(leaf).all() for leaf in slopes)
        step = 1e-5
        for number, leaf in enumerate(leaves):  # each part of the model by itself
            direction = np.random.default_rng(number).normal(size=leaf.shape)
            ends = []
            for sign in (step, -step):
                moved = [*leaves]
                moved[number] = jnp.asarray(np.asarray(leaf) + sign * direction)
                ends.append(float(value(tree.unflatten(moved))[0]))
            slope = float(np.sum(slopes[number] * direction))
            assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=2e-6, abs=1e-8)
