"""Kernels on the circle against sums in 40 digits."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from geoembed import check
from geoembed.cyclic import VonMises, WrappedGaussian, von_mises, wrapped_gaussian

APART = [0.0, 1e-4, 0.01, 0.1, 0.25, 0.37, 0.499, 0.5, 0.63, 0.95]
WIDTHS = [0.003, 0.03, 0.1, 0.3, 0.399, 0.4, 0.401, 0.6, 1.0, 3.0]
GAUSSIAN_SLOPES = jax.jit(jax.grad(wrapped_gaussian, (0, 1, 2)))
VON_MISES_SLOPES = jax.jit(jax.grad(von_mises, (0, 1, 2)))
KERNELS = [VonMises(0.0), VonMises(2.0), VonMises(300.0), *map(WrappedGaussian, (0.02, 0.2, 0.39, 0.41, 1.0))]


def wrapped_in_digits(apart, width):
    """Σ exp(−(d + n)² / 2σ²) over its value at 0, by the sum itself, in mpmath's present precision."""

    def total(distance):
        return mpmath.fsum(mpmath.exp(-((distance + n) ** 2) / (2 * width**2)) for n in range(-60, 61))

    apart, width = mpmath.mpf(apart), mpmath.mpf(width)
    return total(apart) / total(mpmath.mpf(0))


@functools.cache
def table(single):
    """Kernel values at the rounded arguments, [widths, apart]."""
    cast = np.float32 if single else np.float64
    return np.array(
        [[float(wrapped_in_digits(float(cast(d)), float(cast(w)))) for d in APART] for w in WIDTHS]
    )


def test_the_sum_is_a_quotient_of_theta_functions():
    """The reference of the tests below against mpmath's own θ₃."""
    with mpmath.workdps(40):
        for width in (0.1, 0.4, 1.0):
            q = mpmath.exp(-2 * (mpmath.pi * width) ** 2)
            for apart in (0.1, 0.5):
                theta = mpmath.jtheta(3, mpmath.pi * mpmath.mpf(apart), q) / mpmath.jtheta(3, 0, q)
                assert abs(theta - wrapped_in_digits(apart, width)) < 1e-30


def test_wrapped_gaussian_for_narrow_and_wide_widths(precision):
    apart, widths = jnp.asarray(APART, precision), jnp.asarray(WIDTHS, precision)
    got = jax.jit(jax.vmap(lambda w: wrapped_gaussian(apart, jnp.zeros_like(apart), w)))(widths)
    assert got.dtype == precision
    error = np.abs(np.asarray(got, float) - table(precision == np.float32))
    assert error.max() < (5e-7 if precision == np.float32 else 2e-15)


@pytest.mark.parametrize("concentration", [0.0, 1e-3, 2.0, 50.0, 1e6])
def test_von_mises(precision, concentration):
    """Also within the peak of a large concentration, where cos − 1 has no digits left."""
    apart = np.asarray([*APART, 1e-5, 3e-4], precision)
    with mpmath.workdps(40):
        exact = [
            float(mpmath.exp(concentration * (mpmath.cos(2 * mpmath.pi * mpmath.mpf(float(d))) - 1)))
            for d in apart
        ]
    got = jax.jit(von_mises)(jnp.asarray(apart), jnp.zeros(len(apart), precision), concentration)
    assert got.dtype == precision
    np.testing.assert_allclose(got, exact, rtol=0, atol=1e-6 if precision == np.float32 else 2e-15)


@pytest.mark.parametrize("width", [0.05, 0.39, 0.41, 1.5])
def test_gradients_of_the_wrapped_gaussian(width):
    with jax.enable_x64(True):
        for apart in (0.0, 0.2, 0.5, 0.8):
            slopes = GAUSSIAN_SLOPES(*map(jnp.asarray, (apart, 0.0, width)))
            with mpmath.workdps(40):
                in_angle = float(mpmath.diff(lambda d: wrapped_in_digits(d, width), apart))
                in_width = float(mpmath.diff(lambda w: wrapped_in_digits(apart, w), width))  # noqa: B023
            np.testing.assert_allclose(slopes, (in_angle, -in_angle, in_width), atol=1e-13)


def test_gradients_of_von_mises():
    with jax.enable_x64(True):
        for apart in (0.0, 0.2, 0.5, 0.8):
            slopes = VON_MISES_SLOPES(*map(jnp.asarray, (apart, 0.0, 3.0)))
            angle = 2 * np.pi * apart
            value = np.exp(3 * (np.cos(angle) - 1))
            in_angle = -3 * 2 * np.pi * np.sin(angle) * value
            np.testing.assert_allclose(slopes, (in_angle, -in_angle, (np.cos(angle) - 1) * value), atol=1e-14)


def test_finite_gradients_for_extreme_arguments(precision):
    angles = [jnp.asarray(d, precision) for d in (0.0, 0.5, 1.0, 1e-30, 1e6 + 0.25)]
    widths = [jnp.asarray(w, precision) for w in (1e-9, 1e-3, 0.4, 1e3, 1e9)]
    check.assert_finite_at(wrapped_gaussian, [(d, angles[0], w) for d in angles for w in widths])
    concentrations = [jnp.asarray(k, precision) for k in (0.0, 1e-9, 1.0, 1e9)]
    check.assert_finite_at(von_mises, [(d, angles[0], k) for d in angles for k in concentrations])


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_they_are_positive_definite(kernel):
    turns = np.random.default_rng(0).uniform(size=60)
    with jax.enable_x64(True):
        gram = np.asarray(jax.jit(kernel)(jnp.asarray(turns[:, None]), jnp.asarray(turns[None])))
    np.testing.assert_allclose(np.diag(gram), 1, atol=0)
    assert np.linalg.eigvalsh(gram).min() > -60 * 1e-14


def test_a_gaussian_of_the_arc_is_not_positive_definite():
    """What wrapping is for: exp(−distance² / 2σ²) looks alike and is no kernel, so the test above can fail."""
    turns = np.random.default_rng(0).uniform(size=60)
    arc = np.abs(np.subtract.outer(turns, turns))
    arc = np.minimum(arc, 1 - arc)
    assert np.linalg.eigvalsh(np.exp(-0.5 * (arc / 0.39) ** 2)).min() < -1e-3


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_the_spectrum_is_that_of_the_kernel(kernel):
    """Against the discrete Fourier transform of its values, and a probability."""
    count = 256
    with jax.enable_x64(True):
        values = np.asarray(jax.jit(kernel)(np.arange(2 * count) / (2 * count), np.zeros(2 * count)))
    spectrum = kernel.spectrum(count - 1)
    np.testing.assert_allclose(spectrum, np.fft.rfft(values).real[:count] / (2 * count), atol=1e-15)
    assert abs(spectrum[0] + 2 * spectrum[1:].sum() - 1) < 1e-14
    assert spectrum.min() >= 0


@pytest.mark.parametrize("kernel", [VonMises(3.0), WrappedGaussian(0.2), WrappedGaussian(0.6)], ids=str)
def test_they_depend_on_the_difference_only(kernel, precision):
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 20)).astype(precision)
    kernel = jax.jit(kernel)
    tolerance = 2e-6 if precision == np.float32 else 1e-14
    np.testing.assert_allclose(kernel(a, b), kernel(b, a), atol=tolerance)
    np.testing.assert_allclose(kernel(a + 0.3, b + 0.3), kernel(a, b), atol=tolerance)
    np.testing.assert_allclose(kernel(a + 2.0, b), kernel(a, b), atol=tolerance)


@pytest.mark.parametrize("number", [-1.0, np.nan, np.inf])
def test_parameters_out_of_range_are_refused(number):
    with pytest.raises(ValueError, match="VonMises needs a concentration"):
        VonMises(number)
    with pytest.raises(ValueError, match="WrappedGaussian needs a width"):
        WrappedGaussian(number)
    with pytest.raises(ValueError, match="WrappedGaussian needs a width"):
        WrappedGaussian(0.0)
