"""Fast sums over points against sums written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc

grid_sum = jax.jit(qc.grid_sum, static_argnames=("counts", "digits"))


def case(counts, n=60):
    rng = np.random.default_rng(len(counts))
    x, w, step = rng.uniform(-40, 40, (n, len(counts))), rng.uniform(0.5, 1.5, n), 0.1
    axes = [step * (np.arange(c) - c // 2) for c in counts]
    q = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return x, w, step, q, (np.exp(1j * q @ x.T) @ w) / w.sum()


@pytest.mark.parametrize("counts", [(41,), (16, 9), pytest.param((6, 7, 4), marks=pytest.mark.slow)])
def test_against_the_direct_sum(counts):
    with jax.enable_x64(True):
        x, w, step, q, expected = case(counts)
        for digits in (7,) if len(counts) > 1 else (4, 7, 12):
            found = grid_sum(jnp.asarray(x), step, counts, jnp.asarray(w), digits=digits)
            assert np.abs(found - expected).max() < 10.0**-digits
        np.testing.assert_allclose(qc.grid_wave_vectors(step, counts), q, atol=1e-14)


@pytest.mark.slow
def test_single_precision_and_many_pieces(monkeypatch):
    x, w, step, _, expected = case((16, 9))
    points, weights = jnp.asarray(x, jnp.float32), jnp.asarray(w, jnp.float32)
    found = qc.grid_sum(points, step, (16, 9), weights)
    assert found.dtype == jnp.complex64
    assert np.abs(found - expected).max() < 1e-5
    from geoembed.quasicrystal import _grid_sum

    monkeypatch.setattr(_grid_sum, "_ENTRIES", 7 * 81)  # 60 points in pieces of 7
    again = qc.grid_sum(points, step, (16, 9), weights)
    assert np.abs(again - expected).max() < 1e-5


@pytest.mark.slow
def test_gradients():
    """In points and weights, against central differences."""
    with jax.enable_x64(True):
        x, w, step, _, _ = case((8, 5), n=9)
        mix = np.random.default_rng(0).normal(size=(8, 5))

        @jax.jit
        def total(x, w):
            f = qc.grid_sum(x, step, (8, 5), w, digits=10)
            return jnp.sum(jnp.asarray(mix) * (f.real + 2.0 * f.imag))

        slopes = jax.jit(jax.grad(total, (0, 1)))(jnp.asarray(x), jnp.asarray(w))
        for number, (value, slope) in enumerate(zip((x, w), slopes, strict=True)):
            direction = np.random.default_rng(1).normal(size=value.shape)
            ends = []
            for sign in (1e-4, -1e-4):
                moved = [jnp.asarray(x), jnp.asarray(w)]
                moved[number] = jnp.asarray(value + sign * direction)
                ends.append(float(total(*moved)))
            assert float(np.sum(slope * direction)) == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-5)


def test_refuses():
    x = jnp.zeros((3, 2))
    for counts, digits, words in (((4,), 7, "a count for each"), ((4, 4), 13, "digits")):
        with pytest.raises(ValueError, match=words):
            qc.grid_sum(x, 0.1, counts, digits=digits)
