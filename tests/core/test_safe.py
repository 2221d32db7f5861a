"""Safe operations against references that do not share their code: numpy in float64 and exact series."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import arccos, norm, sinc, sqrt

EPS = {"float32": 2.0**-23, "float64": 2.0**-52}


def eps(dtype):
    return EPS[jnp.dtype(dtype).name]


# --- norm

VALUE_AND_GRADIENT_OF_NORM = jax.jit(jax.value_and_grad(norm))


def test_norm_agrees_with_numpy(precision):
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(precision)
    expected = np.sqrt((x.astype(np.float64) ** 2).sum(1))
    np.testing.assert_allclose(norm(jnp.asarray(x)), expected, rtol=4 * eps(precision))
    assert norm(jnp.asarray(x)).dtype == precision


def test_norm_axis_and_keepdims(precision):
    x = jnp.arange(12, dtype=precision).reshape(3, 4)
    down = jax.jit(lambda x: norm(x, axis=0))(x)
    np.testing.assert_allclose(down, np.linalg.norm(np.asarray(x), axis=0), rtol=1e-6)
    assert jax.eval_shape(lambda x: norm(x, keepdims=True), x).shape == (3, 1)


def test_norm_gradients_at_origin_are_zero(precision):
    zero = jnp.zeros(3, precision)
    slope = jax.jit(lambda x: jax.jvp(norm, (x,), (jnp.ones_like(x),))[1])
    assert np.array_equal(jax.jit(jax.grad(norm))(zero), np.zeros(3))
    assert np.array_equal(slope(zero), 0.0)
    assert np.array_equal(jax.jit(jax.hessian(norm))(zero), np.zeros((3, 3)))


@pytest.mark.parametrize("exponent", [-0.95, -0.6, 0.6, 0.99])
def test_norm_survives_extreme_magnitudes(precision, exponent):
    # exponent 1 stands for the end of the dtype's range: squares would leave it beyond ±0.5
    magnitude = float(np.finfo(precision).max) ** exponent
    x = jnp.asarray([3 * magnitude / 5, 0, -4 * magnitude / 5], precision)
    value, gradient = VALUE_AND_GRADIENT_OF_NORM(x)
    np.testing.assert_allclose(float(value), magnitude, rtol=8 * eps(precision))
    np.testing.assert_allclose(gradient, [0.6, 0, -0.8], rtol=8 * eps(precision))


def test_norm_gradient_and_hessian_away_from_origin(precision):
    x = jnp.asarray([0.3, -1.2, 2.5], precision)
    r = np.linalg.norm(np.asarray(x, np.float64))
    n = np.asarray(x, np.float64) / r
    np.testing.assert_allclose(VALUE_AND_GRADIENT_OF_NORM(x)[1], n, rtol=10 * eps(precision))
    np.testing.assert_allclose(
        jax.jit(jax.hessian(norm))(x), (np.eye(3) - np.outer(n, n)) / r, atol=10 * eps(precision)
    )


def test_norm_passes_inf_and_nan_on(precision):
    lengths = np.asarray(jax.jit(norm)(jnp.asarray([[np.inf, 1.0], [np.nan, 1.0]], precision)))
    assert lengths[0] == np.inf
    assert np.isnan(lengths[1])


# --- sqrt


def test_sqrt_values_and_gradients(precision):
    x = jnp.asarray([0.0, 1e-30, 0.25, 9.0], precision)
    np.testing.assert_allclose(sqrt(x), np.sqrt(np.asarray(x, np.float64)), rtol=4 * eps(precision))
    gradient = jax.jit(jax.vmap(jax.grad(sqrt)))(x)
    np.testing.assert_allclose(gradient, [0, 0.5e15, 1.0, 1 / 6], rtol=1e-6)


def test_sqrt_of_a_sum_of_squares_has_a_finite_gradient_at_zero(precision):
    gradient = jax.jit(jax.grad(lambda x: sqrt(jnp.sum(x * x))))(jnp.zeros(3, precision))
    assert np.array_equal(gradient, np.zeros(3))


def test_sqrt_of_a_negative_number_is_nan():
    assert jnp.isnan(sqrt(jnp.asarray(-1.0)))


# --- sinc: reference from the entire series summed in exact integer arithmetic


def exact_sinc(x: float, order: int) -> float:
    """The order-th derivative of sin(πx)/(πx) by its series, in rational arithmetic."""
    from fractions import Fraction

    pi = Fraction(3141592653589793238462643383279502884197, 10**39)
    total, u = Fraction(0), Fraction(x)
    term = Fraction(1)  # (−1)ᵏ π²ᵏ / (2k+1)!
    for k in range(40):
        power = 2 * k
        if power >= order:
            falling = 1
            for j in range(order):
                falling *= power - j
            total += term * falling * u ** (power - order)
        term = -term * pi * pi / ((2 * k + 2) * (2 * k + 3))
    return float(total)


SINC_POINTS = [
    0.0,
    1e-30,
    1e-17,
    -1e-12,
    1e-8,
    1e-5,
    1e-4,
    3e-3,
    0.1,
    0.3,
    -0.49,
    0.4999,
    0.5001,
    0.9,
    1.0,
    1.7,
    -2.5,
]


@pytest.mark.parametrize("order", [0, 1, pytest.param(2, marks=pytest.mark.slow), 3])
def test_sinc_derivatives_match_the_exact_series(precision, order):
    f = sinc
    for _ in range(order):
        f = jax.grad(f)
    points = np.asarray(SINC_POINTS, precision)
    got = np.asarray(jax.jit(jax.vmap(f))(jnp.asarray(points)))
    expected = np.array([exact_sinc(float(x), order) for x in points])
    # derivatives of order k are of size πᵏ; the quotient loses a few digits just beyond ½
    np.testing.assert_allclose(got, expected, atol=40 * eps(precision) * np.pi**order, rtol=0)


def test_sinc_slope_at_tiny_arguments_keeps_relative_accuracy(precision):
    points = np.asarray([1e-17, 1e-12, 1e-6], precision)
    slopes = jax.jit(jax.vmap(jax.grad(sinc)))(jnp.asarray(points))
    np.testing.assert_allclose(slopes, -(np.pi**2) / 3 * points, rtol=1e-5)


def test_sinc_of_large_arguments(precision):
    x = jnp.asarray([1000.25, 123456.5], precision)
    expected = np.sin(np.pi * np.array([0.25, 0.5])) / (np.pi * np.asarray(x, np.float64))
    np.testing.assert_allclose(sinc(x), expected, rtol=8 * eps(precision))


def test_jnp_sinc_still_has_the_fault_that_ours_avoids():
    slope = float(jax.grad(jnp.sinc)(1e-17))
    assert abs(slope) > 1, "jnp.sinc is mended: geoembed.core.sinc may become jnp.sinc"


# --- arccos


def test_arccos_values(precision):
    x = jnp.linspace(-1, 1, 41, dtype=precision)
    np.testing.assert_allclose(arccos(x), np.arccos(np.asarray(x, np.float64)), atol=8 * eps(precision))


def test_arccos_gradient_at_the_ends_is_zero_and_right_inside(precision):
    slopes = np.asarray(jax.jit(jax.vmap(jax.grad(arccos)))(jnp.asarray([-1.0, 1.0, 0.6], precision)))
    assert np.array_equal(slopes[:2], [0.0, 0.0])
    np.testing.assert_allclose(slopes[2], -1.25, rtol=8 * eps(precision))


def test_arccos_of_a_cosine_beyond_one_by_rounding(precision):
    over = jnp.asarray([1 + 4 * eps(precision), -1 - 4 * eps(precision), 1.01], precision)
    values, slopes = map(np.asarray, jax.jit(jax.vmap(jax.value_and_grad(arccos)))(over))
    np.testing.assert_allclose(values[:2], [0, np.pi], rtol=1e-6)
    assert np.array_equal(slopes[:2], [0.0, 0.0])
    assert np.isnan(values[2])


@pytest.mark.parametrize("f", [norm, sqrt, sinc, arccos])
def test_no_float64_in_a_float32_program(f):
    def dtypes(jaxpr):  # a weak scalar, a Python number in the source, takes the other operand's dtype
        for equation in jaxpr.eqns:
            yield from (var.aval.dtype for var in equation.outvars if not var.aval.weak_type)
            for inner in jax.tree.leaves(equation.params, is_leaf=lambda p: hasattr(p, "jaxpr")):
                if hasattr(inner, "jaxpr"):
                    yield from dtypes(inner.jaxpr)

    shape = (3,) if f is norm else ()
    with jax.enable_x64(True):
        traced = jax.make_jaxpr(jax.value_and_grad(f))(jnp.ones(shape, jnp.float32))
    found = {dtype.name for dtype in dtypes(traced.jaxpr)}
    assert "float32" in found
    assert "float64" not in found
