"""Modulated crystals: positions by hand, Bessel functions, block waves, direct sums and derivatives."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import jv

from geoembed import quasicrystal as qc

pytestmark = pytest.mark.usefixtures("compiled_quickly")

Q = 0.5 * (math.sqrt(5) - 1)
FACTORS = eqx.filter_jit(qc.modulated_structure_factor)
POINTS = jax.jit(qc.modulated_points)


def factors(crystal, h, **options):
    return np.asarray(FACTORS(crystal, jnp.asarray(h), **options))


def chain(atom, cell=2.0, q=Q, phase=0.3):
    return qc.ModulatedCrystal(jnp.array([[cell]]), jnp.array([[q]]), [atom], jnp.array([phase]))


def wavy():
    """A triclinic crystal with one wave vector; the displacement has both quadratures."""
    cell = jnp.array([[3.0, 0.1, 0.0], [0.4, 2.5, -0.2], [0.0, 0.3, 4.0]])
    sines, cosines = jnp.array([[0.05, -0.02, 0.03]]), jnp.array([[0.01, 0.04, 0.0]])
    atoms = [
        qc.ModulatedAtom(jnp.array([0.1, 0.2, 0.3]), qc.Harmonics(sines, cosines)),
        qc.ModulatedAtom(jnp.array([0.6, 0.5, 0.9]), species=1),
    ]
    return qc.ModulatedCrystal(cell, jnp.array([[0.41, 0.0, Q]]), atoms, jnp.array([0.2]))


def test_positions():
    """One atom for each cell, at A(n + r + u(σ(n + r) + t))."""
    with jax.enable_x64(True):
        crystal = wavy()
        cut = qc.cut(crystal.model(), radius=7.0)
        x, occupied = (np.asarray(part) for part in POINTS(crystal, cut))
        n = np.asarray(cut.indices)[:, :3]
        kinds = np.asarray(cut.species)
        cell = np.asarray(crystal.cell)
        grid = np.stack(np.meshgrid(*[np.arange(-5, 6)] * 3, indexing="ij"), -1).reshape(-1, 3)
        for kind, r in ((0, [0.1, 0.2, 0.3]), (1, [0.6, 0.5, 0.9])):
            mean = (grid + r) @ cell
            expected = grid[np.linalg.norm(mean, axis=1) <= 7.0]
            assert set(map(tuple, n[kinds == kind].tolist())) == set(map(tuple, expected.tolist()))
            assert (kinds == kind).sum() == len(expected) > 30
            v = 2 * np.pi * ((n[kinds == kind] + r) @ [0.41, 0.0, Q] + 0.2)[:, None]
            u = np.sin(v) * [0.05, -0.02, 0.03] + np.cos(v) * [0.01, 0.04, 0.0]
            np.testing.assert_allclose(
                x[kinds == kind], (n[kinds == kind] + r + (kind == 0) * u) @ cell, atol=1e-12
            )
        np.testing.assert_array_equal(occupied, 1.0)


def test_satellites_are_bessel_functions(precision):
    """u = U sin 2πv: F(h, m) = exp(2πi (h r − m t)) J₋ₘ(2π H U), with H = h + m q."""
    amplitude, r, t = 0.13, 0.2, 0.3
    crystal = chain(qc.ModulatedAtom(jnp.array([r]), qc.Harmonics(jnp.array([[amplitude]]))), phase=t)
    h, m = (part.ravel() for part in np.meshgrid(np.arange(-3, 4), np.arange(-4, 5), indexing="ij"))
    expected = np.exp(2j * np.pi * (h * r - m * t)) * jv(-m, 2 * np.pi * (h + m * Q) * amplitude)
    found = factors(crystal, np.column_stack([h, m]))
    assert found.dtype == (np.complex64 if precision == np.float32 else np.complex128)
    np.testing.assert_allclose(found, expected, atol=5e-6 if precision == np.float32 else 1e-13)


@pytest.mark.slow
def test_two_wave_vectors_give_products_of_bessel_functions():
    with jax.enable_x64(True):
        u = np.array([[0.06, 0.02], [-0.03, 0.05]])
        wave = qc.Harmonics(jnp.asarray(u), waves=[(1, 0), (0, 1)])
        q = np.array([[Q, 0.0], [0.1, 0.37]])
        atom = qc.ModulatedAtom(jnp.zeros(2), wave)
        crystal = qc.ModulatedCrystal(jnp.array([[2.0, 0.0], [0.5, 3.0]]), jnp.asarray(q), [atom])
        h = np.array([[1, 0, 0, 0], [2, -1, 1, 0], [0, 3, -1, 2], [1, 1, 2, -3]])
        full = h[:, :2] + h[:, 2:] @ q
        expected = np.prod([jv(-h[:, 2 + k], 2 * np.pi * full @ u[k]) for k in (0, 1)], axis=0)
        np.testing.assert_allclose(factors(crystal, h, nodes=32), expected, atol=1e-13)
        mean = np.asarray(qc.wave_vectors(crystal.model(), jnp.asarray(h))[0])
        np.testing.assert_allclose(
            mean, 2 * np.pi * full @ np.linalg.inv(np.asarray(crystal.cell)).T, atol=1e-12
        )


def test_occupation_waves_and_block_waves():
    """p = c + P cos 2πv has satellites P/2c at m = ±1 only; a block of length Δ gives sinc(m Δ) at every m."""
    with jax.enable_x64(True):
        h = np.array([[1, 0], [0, 1], [1, -1], [0, 2], [3, 4]])
        wave = qc.Harmonics(jnp.array([0.0]), jnp.array([0.3]), mean=0.6)
        found = factors(chain(qc.ModulatedAtom(jnp.zeros(1), occupation=wave), phase=0.0), h)
        np.testing.assert_allclose(found, [1.0, 0.25, 0.25, 0.0, 0.0], atol=1e-14)
        middle, length = 0.4, 0.35
        block = qc.ModulatedAtom(jnp.zeros(1), crenel=jnp.array([middle, length]))
        crystal = chain(block, phase=0.0)
        expected = np.exp(2j * np.pi * h[:, 1] * middle) * np.sinc(h[:, 1] * length)
        np.testing.assert_allclose(factors(crystal, h), expected, atol=1e-13)
        # what a block wave leaves of the crystal is a cut through intervals: the same door, the same factors
        same = np.asarray(jax.jit(qc.structure_factor)(crystal.model(), jnp.asarray(h)))
        np.testing.assert_allclose(same, expected, atol=1e-13)
        cut = qc.cut(crystal.model(), box=500.0)
        phase = np.asarray(cut.indices)[:, 0] * Q % 1.0
        assert np.all(np.abs((phase - middle + 0.5) % 1.0 - 0.5) <= length / 2)
        assert len(cut) == pytest.approx(500 * length, abs=2)


@pytest.mark.slow
def test_direct_sums_come_close():
    """Displaced and occupied at once by functions of one's own, with a block wave: the sum over 8,000 cells."""

    def saw(v):
        return 0.08 * (v - 0.5 - jnp.round(v - 0.5))  # smooth inside of the crenel

    with jax.enable_x64(True):
        first = qc.ModulatedAtom(jnp.array([0.1]), saw, crenel=jnp.array([0.5, 0.6]))
        second = qc.ModulatedAtom(
            jnp.array([0.55]),
            qc.Harmonics(jnp.array([[0.04], [0.02]])),
            lambda v: 0.7 + 0.2 * jnp.sin(2 * jnp.pi * v[0]),
        )
        crystal = qc.ModulatedCrystal(
            jnp.array([[1.0]]), jnp.array([[Q]]), [first, second], jnp.array([0.15])
        )
        cut = qc.cut(crystal.model(), box=4000.0)
        x, occupied = (np.asarray(part) for part in qc.modulated_points(crystal, cut))
        h = np.array([[0, 0], [1, 0], [0, 1], [2, -1], [-1, 3]])
        q = 2 * np.pi * (h @ [1.0, Q])
        mix = np.array([1.0, 0.5])
        weights = occupied * mix[np.repeat([0, 1], cut.counts)]
        direct = (weights * np.exp(1j * np.multiply.outer(q, x[:, 0]))).sum(1) / occupied.sum()
        np.testing.assert_allclose(factors(crystal, h, amplitudes=jnp.asarray(mix)), direct, atol=1e-3)


def test_derivatives_in_amplitude_wave_vector_and_phase():
    """Of J₋ₘ(2π (h + m q) U) by Bessel's relation, and of positions by hand."""
    with jax.enable_x64(True):

        def crystal(amplitude, q, phase):
            return chain(qc.ModulatedAtom(jnp.zeros(1), qc.Harmonics(amplitude[None, None])), 2.0, q, phase)

        def factor(amplitude, q, phase):
            return qc.modulated_structure_factor(crystal(amplitude, q, phase), jnp.array([1, 2])).real

        u, q, t = (jnp.asarray(value) for value in (0.11, Q, 0.0))
        slopes = jax.jit(jax.grad(factor, (0, 1, 2)))(u, q, t)
        z = 2 * np.pi * (1 + 2 * Q) * 0.11
        slope = 0.5 * (jv(1, z) - jv(3, z))  # J₋₂ = J₂
        assert float(slopes[0]) == pytest.approx(slope * 2 * np.pi * (1 + 2 * Q), rel=1e-12)
        assert float(slopes[1]) == pytest.approx(slope * 2 * np.pi * 2 * 0.11, rel=1e-12)
        assert float(slopes[2]) == pytest.approx(0.0, abs=1e-12)  # cos(4π t) at t = 0
        cut = qc.cut(crystal(u, q, t).model(), box=9.0)
        n = np.asarray(cut.indices)[:, 0]

        def total(amplitude, q, phase):
            x, _ = qc.modulated_points(crystal(amplitude, q, phase), cut)
            return jnp.sum(x[:, 0] * jnp.asarray(n, x.dtype))

        slopes = jax.jit(jax.grad(total, (0, 1, 2)))(u, q, t)
        v = 2 * np.pi * n * Q
        expected = [
            (2 * np.sin(v) * n).sum(), (2 * 0.11 * np.cos(v) * 2 * np.pi * n * n).sum(),
            (2 * 0.11 * np.cos(v) * 2 * np.pi * n).sum(),
        ]  # fmt: skip
        np.testing.assert_allclose(slopes, expected, rtol=1e-12, atol=1e-11)


@pytest.mark.slow
def test_satellites_are_listed():
    with jax.enable_x64(True):
        listed = qc.bragg(
            chain(qc.ModulatedAtom(jnp.zeros(1))).model(), q_max=6.5, q_perp_max=2 * np.pi * 1.5
        )
        h = np.asarray(listed.indices).astype(int)
        expected = {(a, m) for a in range(-9, 10) for m in (-1, 0, 1) if abs(np.pi * (a + m * Q)) <= 6.5}
        assert set(map(tuple, h.tolist())) == expected
        # without a displacement there is no satellite
        np.testing.assert_allclose(listed.intensities, h[:, 1] == 0, atol=1e-14)


def test_mistakes_are_named():
    one = qc.ModulatedAtom(jnp.zeros(1), crenel=jnp.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="at least one atom"):
        qc.ModulatedCrystal(jnp.eye(1), jnp.ones((1, 1)), [])
    with pytest.raises(ValueError, match="one wave vector only"):
        qc.ModulatedCrystal(jnp.eye(1), jnp.ones((2, 1)), [one])
    with pytest.raises(ValueError, match="positions of 2 components"):
        qc.ModulatedCrystal(jnp.eye(2), jnp.ones((1, 2)), [one])
    with pytest.raises(ValueError, match="wave for each amplitude"):
        qc.Harmonics(jnp.zeros((2, 1)), waves=[(1,)])


@pytest.mark.slow
def test_it_lowers_for_all_platforms():
    crystal = wavy()
    cut = qc.cut(crystal.model(), radius=3.0)

    def everything(crystal, h):
        return qc.modulated_structure_factor(crystal, h), qc.modulated_points(crystal, cut)

    lowered = jax.export.export(jax.jit(everything), platforms=("cpu", "cuda", "tpu"))(
        crystal, jnp.ones((3, 4), jnp.int32)
    )
    assert lowered.platforms == ("cpu", "cuda", "tpu")
    assert "f64" not in lowered.mlir_module()
