"""Values on several boundaries, Neumann and Robin conditions, and a small problem solved with exact conditions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check, sdf

TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.3, 0.8]])


def sides():
    return [sdf.LineBoundary(a, b) for a, b in zip(TRIANGLE, np.roll(TRIANGLE, -1, axis=0), strict=True)]


def linear(x):
    return 2.0 * x[0] - 3.0 * x[1] + 1.0


@eqx.filter_jit
def _evaluate(g, points):
    return jax.vmap(jax.value_and_grad(lambda x: g(x)))(points)


def evaluate(g, points):
    """Values and gradients, always of 320 points: one compilation for each kind of function and dtype."""
    count = points.shape[0]
    found = _evaluate(g, jnp.asarray(np.resize(points, (320, 2)), points.dtype))
    return [np.asarray(part)[:count] for part in found]


@eqx.filter_jit
def weights_of(blend, points):
    return jax.vmap(blend.weights)(points)


@eqx.filter_jit
def values_of(blend, points):
    return jax.vmap(lambda x: blend(x))(points)


def inside(count, seed=0):
    """Points of the triangle."""
    weights = np.random.default_rng(seed).dirichlet(np.ones(3), count)
    return weights @ TRIANGLE


def on_side(i, share):
    return TRIANGLE[i] + share[:, None] * (TRIANGLE[(i + 1) % 3] - TRIANGLE[i])


@pytest.mark.parametrize("power", [1, 2])
def test_weights_are_positive_add_up_to_1_and_are_1_on_their_boundary(power, precision):
    blend = sdf.Transfinite(sides(), [1.0, 2.0, 3.0], power)
    within = np.asarray(weights_of(blend, jnp.asarray(inside(200), precision)))
    assert within.dtype == precision
    assert within.min() > 0
    np.testing.assert_allclose(within.sum(axis=1), 1, rtol=4 * np.finfo(precision).eps)
    for i in range(3):
        rim = weights_of(blend, jnp.asarray(on_side(i, np.linspace(0.02, 0.98, 200)), precision))
        np.testing.assert_allclose(
            rim[:, i], 1, rtol=2e3 * np.finfo(precision).eps
        )  # φ/φ at 0.02 from the corner


def test_the_weights_against_the_formula():
    points = inside(200)
    with jax.enable_x64(True):
        phi = np.stack([values_of(side, jnp.asarray(points)) for side in sides()], axis=1)
        for power in (1, 2):
            got = weights_of(sdf.Transfinite(sides(), [1.0, 2.0, 3.0], power), jnp.asarray(points))
            products = np.stack(
                [np.prod(np.delete(phi, i, axis=1) ** power, axis=1) for i in range(3)], axis=1
            )
            np.testing.assert_allclose(got, products / products.sum(axis=1, keepdims=True), rtol=1e-12)


def test_constants_are_exact_and_values_keep_between_the_extremes(precision):
    points = jnp.asarray(
        np.concatenate([inside(200), TRIANGLE, on_side(0, np.linspace(0, 1, 53))]), precision
    )
    values, gradients = evaluate(sdf.Transfinite(sides(), [7.1, 7.1, 7.1]), points)
    assert np.all(values == precision.type(7.1))
    assert not np.any(gradients)
    values, _ = evaluate(sdf.Transfinite(sides(), [1.0, 5.0, 3.0]), points)
    assert np.all((values >= 1) & (values <= 5))


def projected(i, field):
    """A field known on one side only, continued across it by its values at the foot of a point."""
    a, b = TRIANGLE[i].tolist(), TRIANGLE[(i + 1) % 3].tolist()

    def value(x):
        start = jnp.asarray(a, x.dtype)
        edge = jnp.asarray(b, x.dtype) - start
        return field(start + jnp.sum((x - start) * edge) / jnp.sum(edge**2) * edge)

    return value


def test_linear_values_on_the_sides_are_taken_and_gradients_are_bounded_at_corners(precision):
    blend = sdf.Transfinite(sides(), [projected(i, linear) for i in range(3)])
    share = np.linspace(0, 1, 60)
    for i in range(3):
        points = jnp.asarray(on_side(i, share), precision)
        expected = jax.vmap(linear)(points)
        np.testing.assert_allclose(evaluate(blend, points)[0], expected, atol=20 * np.finfo(precision).eps)
    shares = np.repeat([0, 1e-6, 1e-5, 1e-4, 1e-2], 4)[:, None, None]  # 60 points, as above
    near = (TRIANGLE + shares * (TRIANGLE.mean(axis=0) - TRIANGLE)).reshape(-1, 2)
    _, gradients = evaluate(blend, jnp.asarray(near, precision))
    assert np.linalg.norm(gradients, axis=1).max() < 8


def test_values_that_disagree_have_a_mean_at_the_corner_and_a_gradient_like_1_over_r():
    blend = sdf.Transfinite(sides(), [0.0, 1.0, 4.0])
    r = np.array([0.0, 1e-2, 1e-3, 1e-4])
    with jax.enable_x64(True):
        points = TRIANGLE[1] + r[:, None] * np.array([-0.9, 0.4])
        values, gradients = map(np.asarray, evaluate(blend, jnp.asarray(points)))
    assert values[0] == 0.5
    assert np.all(np.isfinite(gradients))
    scaled = r[1:] * np.linalg.norm(gradients[1:], axis=1)
    assert scaled[2] == pytest.approx(scaled[1], rel=0.02)
    assert scaled[2] > 0.3


def test_gradients_against_differences():
    blend = sdf.Transfinite(sides(), [linear, 2.0, lambda x: jnp.sin(3 * x[0])], power=2)
    check.assert_gradient_matches(blend, [jnp.asarray(p) for p in inside(6, 3)], key=jax.random.key(0))


def trial(x):
    return jnp.sin(2 * x[0] + 0.3) * jnp.exp(x[1])


def outward(i):
    edge = TRIANGLE[(i + 1) % 3] - TRIANGLE[i]
    return np.array([edge[1], -edge[0]]) / np.linalg.norm(edge)


@jax.jit
def with_flux(points, flux, coefficient):
    def u(x):
        return sdf.robin(sides()[1], trial, x, flux=flux, coefficient=coefficient)

    return jax.vmap(jax.value_and_grad(u))(points)


@pytest.mark.parametrize(("flux", "coefficient"), [(0.7, 0.0), (-0.4, 2.5)], ids=["Neumann", "Robin"])
def test_neumann_and_robin_conditions_hold_on_the_boundary(flux, coefficient, precision):
    points = jnp.asarray(on_side(1, np.linspace(0.05, 0.95, 40)), precision)
    values, gradients = with_flux(points, flux, coefficient)
    assert values.dtype == gradients.dtype == precision
    left = np.asarray(gradients) @ outward(1) + coefficient * np.asarray(values)
    np.testing.assert_allclose(left, flux, atol=300 * np.finfo(precision).eps)
    np.testing.assert_allclose(values, jax.vmap(trial)(points), atol=30 * np.finfo(precision).eps)


@pytest.mark.slow
def test_mixed_conditions_hold_together():
    """Held on two sides, convecting on the third: power 2 keeps the normal derivative."""
    first, second, third = sides()

    def field(power):
        values = [linear, lambda x: sdf.robin(second, trial, x, flux=0.3, coefficient=1.5), linear]
        return sdf.Transfinite([first, second, third], values, power)

    share = np.linspace(0.1, 0.9, 20)
    with jax.enable_x64(True):
        at_side = [jnp.asarray(on_side(i, share)) for i in range(3)]
        holding = field(2)
        for i in (0, 2):
            expected = jax.vmap(linear)(at_side[i])
            np.testing.assert_allclose(evaluate(holding, at_side[i])[0], expected, atol=1e-13)
        kept, lost = evaluate(holding, at_side[1]), evaluate(field(1), at_side[1])
    np.testing.assert_allclose(np.asarray(kept[1]) @ outward(1) + 1.5 * np.asarray(kept[0]), 0.3, atol=1e-11)
    assert np.abs(np.asarray(lost[1]) @ outward(1) + 1.5 * np.asarray(lost[0]) - 0.3).max() > 0.1


def test_a_laplace_problem_with_exact_boundary_values():
    """Δu = 0 in a triangle, u = eˣ sin y: u = g + φ Σ cₖ pₖ with c by least squares, exact on the boundary."""

    def harmonic(x):
        return jnp.exp(x[0]) * jnp.sin(x[1])

    blend = sdf.Transfinite(sides(), [projected(i, harmonic) for i in range(3)])
    phi = blend.boundary(order=1)

    def jet(x):
        """φ and g with their gradients and Laplacians."""
        parts = lambda y: jnp.stack([phi(y), blend(y)])  # noqa: E731
        return parts(x), jax.jacfwd(parts)(x), jnp.trace(jax.jacfwd(jax.jacfwd(parts))(x), axis1=1, axis2=2)

    points = np.concatenate(
        [inside(400), inside(300, 1), *(on_side(i, np.linspace(0, 1, 50)) for i in range(3))]
    )
    with jax.enable_x64(True):
        value, gradient, laplacian = map(np.asarray, jax.jit(jax.vmap(jet))(jnp.asarray(points)))
    p, slope, bend = monomials(points - 0.4, 5)
    # Δ(φ p) = p Δφ + 2 ∇φ·∇p + φ Δp, and Δ grows like 1/r at corners
    rows = p * laplacian[:, :1] + 2 * np.einsum("nd,nkd->nk", gradient[:, 0], slope) + bend * value[:, :1]
    to_corner = np.linalg.norm(points[:, None] - TRIANGLE, axis=-1).min(axis=1)[:400]
    c = np.linalg.lstsq(rows[:400] * to_corner[:, None], -laplacian[:400, 1] * to_corner, rcond=None)[0]
    error = np.abs(value[:, 1] + value[:, 0] * (p @ c) - np.exp(points[:, 0]) * np.sin(points[:, 1]))
    assert error[400:700].max() < 5e-3
    assert error[700:].max() < 1e-14


def monomials(x, degree):
    """xⁱyʲ of i + j ≤ degree with their gradients and Laplacians."""

    def power(t, n, order):
        return np.prod(np.arange(n, n - order, -1.0)) * t ** max(n - order, 0)

    pairs = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    parts = {
        (a, b): np.stack([power(x[:, 0], i, a) * power(x[:, 1], j, b) for i, j in pairs], axis=1)
        for a, b in ((0, 0), (1, 0), (0, 1), (2, 0), (0, 2))
    }
    return parts[0, 0], np.stack([parts[1, 0], parts[0, 1]], axis=-1), parts[2, 0] + parts[0, 2]


def test_what_is_refused():
    with pytest.raises(ValueError, match="3 values expected, one a boundary; 2 received"):
        sdf.Transfinite(sides(), [1.0, 2.0])
    with pytest.raises(ValueError, match="at least 1"):
        sdf.Transfinite(sides(), [1.0, 2.0, 3.0], 0)
    with pytest.raises(ValueError, match="2D and 3D"):
        sdf.Transfinite([*sides(), sdf.RoundBoundary((0.0, 0.0, 0.0), 1.0)], [1.0, 2.0, 3.0, 4.0])
