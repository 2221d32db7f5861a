import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.cyclic import encode, harmonics
from tests.cyclic.test_sine import BOUND, exact, phases


def test_every_harmonic_is_as_accurate_as_the_first(precision):
    u = phases(precision)
    got = np.asarray(jax.jit(lambda u: harmonics(u, 16))(jnp.asarray(u)), np.float64)
    assert got.shape == (u.size, 32)
    with np.errstate(over="ignore"):
        part = u.astype(np.longdouble) - np.round(u.astype(np.longdouble))  # exact
    for k in range(1, 17):
        multiple = k * part - np.round(k * part)  # exact in 64 bits of mantissa
        if precision == np.float64:
            small = np.abs(multiple) < 1e-290  # below this a float64 has too few digits
            multiple = np.where(small, 0, multiple)
        assert (
            np.abs(got[:, 2 * k - 2] - np.sin(2 * np.pi * multiple.astype(float))).max()
            <= BOUND[precision.name]
        )
        assert (
            np.abs(got[:, 2 * k - 1] - np.cos(2 * np.pi * multiple.astype(float))).max()
            <= BOUND[precision.name]
        )


def test_the_first_harmonic_is_the_code(precision):
    u = jnp.asarray(phases(precision))
    first, third = (np.asarray(jax.jit(lambda u, n=n: harmonics(u, n))(u)) for n in (1, 3))
    code = np.asarray(jax.jit(encode)(u))
    assert np.array_equal(first, code)
    assert np.array_equal(third[..., :2], code)


@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.slow), 3])
def test_derivatives(precision, order):
    u = np.linspace(-1, 1, 41).astype(precision)
    f = lambda u: harmonics(u, 5)  # noqa: E731
    for _ in range(order):
        f = jax.jacfwd(f)
    got = np.asarray(jax.jit(jax.vmap(f))(jnp.asarray(u)), np.float64)
    for k in range(1, 6):
        scale = (2 * np.pi * k) ** order
        angle = [exact([float(k) * float(v) for v in u], q + order) for q in (0, 1)]
        tolerance = {"float32": 1e-6, "float64": 5e-15}[
            precision.name
        ]  # k·u of this reference is rounded too
        assert np.abs(got[:, 2 * k - 2] / scale - angle[0]).max() <= tolerance
        assert np.abs(got[:, 2 * k - 1] / scale - angle[1]).max() <= tolerance


def test_a_fourier_series_is_a_linear_model_of_harmonics():
    u = np.arange(64) / 64
    target = 0.3 + np.cos(2 * np.pi * u) - 2 * np.sin(6 * np.pi * u)
    features = np.concatenate(
        [np.ones((64, 1)), np.asarray(harmonics(jnp.asarray(u, jnp.float32), 4), float)], 1
    )
    weights = np.linalg.lstsq(features, target, rcond=None)[0]
    assert np.allclose(weights, [0.3, 0, 1, 0, 0, -2, 0, 0, 0], atol=1e-6)


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2"])
def test_a_count_that_is_none_is_explained(count):
    with pytest.raises((ValueError, TypeError)):
        harmonics(jnp.zeros(()), count)
