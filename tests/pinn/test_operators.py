"""Every operator against closed forms, in both precisions, and what the operators refuse."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.pinn import (
    curl,
    derivative,
    derivatives,
    diffusion,
    directional,
    divergence,
    gradient,
    hessian,
    laplacian,
    time_derivative,
)

WAVE = np.array([0.7, -1.1, 0.4])
CASES = 5


def points(precision, dimensions=3, seed=0):
    return jnp.asarray(np.random.default_rng(seed).uniform(-1, 1, (CASES, dimensions)), precision)


def at(x, *functions):
    """The values of all functions at many points, by one program: compiling is what takes the time."""
    return jax.jit(jax.vmap(lambda point: [function(point) for function in functions]))(x)


def same(got, expected, precision, scale=1.0, name=""):
    """Equal to rounding, and in the dtype of the point."""
    assert got.dtype == precision
    slack = (2e-5 if precision == np.float32 else 1e-13) * scale
    np.testing.assert_allclose(np.asarray(got), expected, rtol=slack, atol=slack, err_msg=str(name))


def plane(x):
    """sin(w·x), whose derivatives are its own, shifted and scaled."""
    return jnp.sin(sum(float(w) * x[i] for i, w in enumerate(WAVE)))


def plane_derivative(x, axes):
    """∂ⁿ sin(w·x) = Π w · sin(w·x + n π/2), by numpy."""
    phase = np.asarray(x, np.float64) @ WAVE
    return math.prod(WAVE[list(axes)]) * np.sin(phase + len(axes) * np.pi / 2)


def flow(x):
    """Three polynomials of three variables."""
    return jnp.stack([x[0] ** 2 * x[1], x[1] * x[2] ** 3, x[0] * x[1] * x[2]])


MIXED = [(), (1,), (0, 0), (0, 2), (0, 1, 1), (2, 2, 2), (0, 1, 1, 2), (0, 0, 0, 0)]


def test_mixed_derivatives_of_a_plane_wave(precision):
    x = points(precision)
    for axes, got in zip(MIXED, at(x, *(derivative(plane, *axes) for axes in MIXED)), strict=True):
        same(got, plane_derivative(x, axes), precision, name=axes)


def test_a_tower_holds_every_order_up_to_its_own(precision):
    x = points(precision)
    (tower,) = at(x, derivatives(plane, 1, 4))
    assert len(tower) == 5
    for order, values in enumerate(tower):
        same(values, plane_derivative(x, (1,) * order), precision, name=order)


def test_directional_derivatives(precision):
    x, v = points(precision), np.array([0.3, 2.0, -0.5])
    orders = (1, 2, 3, 4)
    for order, got in zip(orders, at(x, *(directional(plane, v, order) for order in orders)), strict=True):
        expected = (WAVE @ v) ** order * np.sin(np.asarray(x, np.float64) @ WAVE + order * np.pi / 2)
        same(got, expected, precision, 20, order)


def test_a_short_direction_leaves_out_the_time_which_is_the_last_coordinate(precision):
    x = points(precision)
    short = directional(plane, jnp.array([0.6, -0.8], precision))
    got, first, second = at(x, short, time_derivative(plane), time_derivative(plane, 2))
    same(got, 0.6 * plane_derivative(x, (0,)) - 0.8 * plane_derivative(x, (1,)), precision)
    same(first, plane_derivative(x, (2,)), precision)
    same(second, plane_derivative(x, (2, 2)), precision)


def test_gradient_hessian_and_laplacian_of_a_plane_wave(precision):
    x = points(precision)
    slopes = np.stack([plane_derivative(x, (i,)) for i in range(3)], -1)
    second = np.stack([np.stack([plane_derivative(x, (i, j)) for j in range(3)], -1) for i in range(3)], -2)
    expected = {
        gradient(plane): slopes,
        gradient(plane, (2, 0)): slopes[:, [2, 0]],
        hessian(plane): second,
        hessian(plane, (1, 2)): second[:, 1:, 1:],
        laplacian(plane): np.trace(second, axis1=1, axis2=2),
        laplacian(plane, range(2)): second[:, 0, 0] + second[:, 1, 1],
    }
    for got, wanted in zip(at(x, *expected), expected.values(), strict=True):
        same(got, wanted, precision)


def test_fields_with_several_values(precision):
    x = points(precision)
    a, b, c = np.asarray(x, np.float64).T
    o = np.zeros_like(a)
    jacobian = np.array([[2 * a * b, a**2, o], [o, c**3, 3 * b * c**2], [b * c, a * c, a * b]])
    expected = {
        gradient(flow): np.moveaxis(jacobian, -1, 0),
        divergence(flow): 2 * a * b + c**3 + a * b,
        curl(flow): np.stack([a * c - 3 * b * c**2, o - b * c, o - a**2], -1),
        laplacian(flow): np.stack([2 * b, 6 * b * c, o], -1),
        time_derivative(flow, 2): np.stack([o, 6 * b * c, o], -1),
    }
    *values, second = at(x, *expected, hessian(flow))
    for got, wanted in zip(values, expected.values(), strict=True):
        same(got, wanted, precision)
    assert second.shape == (CASES, 3, 3, 3)
    same(second[:, 1, 1, 2], 3 * c**2, precision)


def test_divergence_of_a_stress_goes_by_rows(precision):
    x = points(precision, 2)
    a, b = np.asarray(x, np.float64).T
    stress = lambda x: jnp.stack(  # noqa: E731
        [jnp.stack([x[0] ** 2, x[0] * x[1]]), jnp.stack([x[0] * x[1], x[1] ** 3])]
    )
    (got,) = at(x, divergence(stress))
    same(got, np.stack([2 * a + a, b + 3 * b**2], -1), precision)


def test_curl_in_the_plane(precision):
    x = points(precision)  # the third coordinate is time
    vortex = lambda x: x[2] * jnp.stack([-(x[1] ** 3), x[0] ** 2])  # noqa: E731
    a, b, t = np.asarray(x, np.float64).T
    (got,) = at(x, curl(vortex, range(2)))
    same(got, t * (2 * a + 3 * b**2), precision)


def test_the_identities_of_vector_analysis():
    """div curl v = 0, curl grad u = 0, curl curl v = grad div v − Δv."""

    @jax.jit
    @jax.vmap
    def identities(x):
        other = gradient(divergence(flow))(x) - laplacian(flow)(x)
        return divergence(curl(flow))(x), curl(gradient(plane))(x), curl(curl(flow))(x) - other

    with jax.enable_x64(True):
        for zero in identities(points(np.float64)):
            same(zero, np.zeros(zero.shape), np.float64)


def test_diffusion_with_every_kind_of_coefficient(precision):
    """∇·(k∇u) of u = x²y + y, expanded by hand."""
    u = lambda x: x[0] ** 2 * x[1] + x[1]  # noqa: E731
    x = points(precision, 2)
    a, b = np.asarray(x, np.float64).T
    value, ux, uy, uxx, uxy = a**2 * b + b, 2 * a * b, a**2 + 1, 2 * b, 2 * a
    matrix = np.array([[2.0, 0.5], [-0.25, 3.0]])  # not symmetric on purpose
    turned = lambda x: x[0] * jnp.asarray(matrix, x.dtype)  # noqa: E731
    expected = {
        diffusion(u, 3.0): 3 * uxx,
        diffusion(u, lambda x: x[0] * x[1]): a * b * uxx + b * ux + a * uy,
        diffusion(u, matrix): 2 * uxx + 0.25 * uxy,
        diffusion(u, turned): a * (2 * uxx + 0.25 * uxy) + 2 * ux + 0.5 * uy,
        diffusion(u, 2.0, (0,)): 2 * uxx,
    }
    nonlinear = diffusion(u, lambda x: 1.0 + u(x) ** 2)
    *values, curved = at(x, *expected, nonlinear)
    for got, wanted in zip(values, expected.values(), strict=True):
        same(got, wanted, precision)
    same(curved, (1 + value**2) * uxx + 2 * value * (ux**2 + uy**2), precision, 10)


def test_a_laplacian_takes_one_nested_derivative_a_coordinate():
    """The field is traced d times, not d²."""
    calls = []

    def counted(x):
        calls.append(1)
        return jnp.sum(x**2)

    laplacian(counted)(jnp.ones(5))
    assert len(calls) == 5


def test_the_parameters_of_a_field_get_their_gradient(precision):
    x = points(precision)

    def loss(w):
        return jnp.mean(jax.vmap(laplacian(lambda x: jnp.sin(w * x[0]) * x[1]))(x) ** 2)

    w = 1.3
    a, b = np.asarray(x, np.float64)[:, :2].T
    value, slope = -(w**2) * np.sin(w * a) * b, -(2 * w * np.sin(w * a) + w**2 * a * np.cos(w * a)) * b
    same(jax.jit(jax.grad(loss))(jnp.asarray(w, precision)), np.mean(2 * value * slope), precision, 10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: derivative(plane, 3)(x), "no axis 3: the point has 3"),
        (lambda x: gradient(plane, (0, 0))(x), "each once"),
        (lambda x: gradient(plane, ())(x), "must name coordinates"),
        (lambda x: laplacian(plane)(x[None]), "one point of shape"),
        (lambda x: laplacian(plane)(jnp.arange(3)), "floating-point coordinates"),
        (lambda x: divergence(flow, range(2))(x), "needs a field with 2 values"),
        (lambda x: divergence(plane)(x), "needs a field with 3 values"),
        (lambda x: curl(flow, range(2))(x), "two values by two"),
        (lambda x: diffusion(plane, np.eye(2))(x), "received \\(2, 2\\)"),
        (lambda x: diffusion(plane, lambda x: x)(x), "received \\(3,\\)"),
        (lambda x: directional(plane, np.ones(4))(x), "has at most so many"),
        (lambda x: directional(plane, [1.0], 0), "at least 1, received 0"),
        (lambda x: derivatives(plane, 0, -1), "at least 0, received -1"),
        (lambda x: time_derivative(plane, 0), "at least 1, received 0"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(jnp.ones(3))
