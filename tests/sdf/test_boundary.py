"""Boundary functions in the plane: where they vanish, their order, their behaviour at ends and joins."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check, sdf
from geoembed.sdf._boundaries._boundary import boundary_point

pytestmark = pytest.mark.usefixtures("compiled_quickly")  # formulas of a few numbers

SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
NOTCHED = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (0.0, -1.0)]  # an L, corner at 0


def lines(corners):
    return [sdf.LineBoundary(a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]


def on_arc(sweep):
    return np.array([math.cos(0.4 * sweep), math.sin(0.4 * sweep)])


@jax.jit
def evaluate(phi, points):
    """Values and gradients, always of 512 points: one compilation for each kind of boundary and dtype."""
    return jax.vmap(jax.value_and_grad(phi))(points)


def at(phi, points, dtype):
    points = np.asarray(points)
    padded = np.concatenate([points, np.broadcast_to(points[:1], (512 - len(points), points.shape[1]))])
    return [np.asarray(rows)[: len(points)] for rows in evaluate(phi, jnp.asarray(padded, dtype))]


# name: (make, its order, a regular point, the inward normal there)
REGULAR = {
    "line": (lambda: sdf.LineBoundary((0.0, 0.0), (1.0, 0.0)), 6, (0.3, 0.0), (0.0, 1.0)),
    **{
        f"circle {m}": (lambda m=m: sdf.RoundBoundary((0.0, 0.0), 1.0, m), m, (0.6, 0.8), (-0.6, -0.8))
        for m in (1, 2, 6)
    },
    "hole 2": (lambda: sdf.RoundBoundary((0.0, 0.0), 1.0, 2, outside=True), 2, (0.6, 0.8), (0.6, 0.8)),
    "sphere 2": (lambda: sdf.RoundBoundary((0.0, 0.0, 1.0), 1.0, 2), 2, (0.6, 0.8, 1.0), (-0.6, -0.8, 0.0)),
    "arc 3": (lambda: sdf.ArcBoundary((0.0, 0.0), 1.0, 0.0, 1.5, 3), 3, on_arc(1.5), -on_arc(1.5)),
    "long arc 3": (lambda: sdf.ArcBoundary((0.0, 0.0), 1.0, 0.0, 5.0, 3), 3, on_arc(5.0), -on_arc(5.0)),
    "arc around 3": (lambda: sdf.ArcBoundary((0.0, 0.0), 1.0, 0.0, -2.0, 3), 3, on_arc(-2.0), on_arc(-2.0)),
    **{
        f"joined {m}": (lambda m=m: sdf.JoinedBoundary(lines(SQUARE), m), m, (0.4, 0.0), (0.0, 1.0))
        for m in (1, 2, 3, 4)
    },
    "polyline 1": (lambda: sdf.PolylineBoundary(SQUARE, True, 1), 1, (0.4, 0.0), (0.0, 1.0)),
    "polyline 2": (lambda: sdf.PolylineBoundary(SQUARE, True, 2), 3, (0.4, 0.0), (0.0, 1.0)),
    "open polyline 3": (lambda: sdf.PolylineBoundary(NOTCHED[:4], order=3), 3, (1.0, 0.4), (-1.0, 0.0)),
}
regular = pytest.mark.parametrize("name", REGULAR)


def expansion(phi, point, normal, degree=10, reach=0.06):
    """The coefficients c₀, c₁, … of φ along a normal, by a polynomial fit."""
    d = np.linspace(0.0, reach, 60)[1:]
    values, _ = at(phi, np.asarray(point) + d[:, None] * np.asarray(normal), jnp.float64)
    columns = np.vander(d / reach, degree + 1, increasing=True)
    return np.linalg.lstsq(columns, values, rcond=None)[0] / reach ** np.arange(degree + 1)


@regular
def test_the_order_of_normalisation(name):
    make, order, point, normal = REGULAR[name]
    with jax.enable_x64(True):
        c = expansion(make(), point, normal)
    tolerance = 10.0 ** (np.arange(len(c)) * 1.8 - 11)  # of a fit of rounded values: c₁ to 1e-9, c₆ to 0.6
    assert abs(c[0]) < 1e-12
    assert abs(c[1] - 1) < tolerance[1]
    assert np.all(np.abs(c[2 : order + 1]) < tolerance[2 : order + 1]), c
    if order < 6:
        assert abs(c[order + 1]) > 0.05, "the order is not higher than declared"
    assert make().order <= order


@regular
def test_on_the_boundary_it_is_zero_and_its_gradient_is_the_inward_normal(name, precision):
    make, _, point, normal = REGULAR[name]
    # Points of the boundary, moved by less than rounding to both sides.
    shifts = np.array([0.0, 1.0, -1.0])[:, None] * 2 * np.finfo(precision).eps * np.asarray(normal)
    values, gradients = at(make(), np.asarray(point) + shifts, precision)
    assert values.dtype == gradients.dtype == precision
    assert np.all(values >= 0)
    assert np.all(values < 8 * np.finfo(precision).eps)
    tolerance = 1e-4 if precision == np.float32 else 1e-10
    np.testing.assert_allclose(gradients, np.broadcast_to(normal, gradients.shape), atol=tolerance)


@regular
def test_it_is_positive_elsewhere(name):
    make, _, point, normal = REGULAR[name]
    points = np.random.default_rng(0).uniform(-3, 3, (500, len(point)))
    # at a distance of 2 is the far side of a hole
    points[:100] = np.asarray(point) - np.linspace(0.01, 1.9, 100)[:, None] * np.asarray(normal)
    assert np.all(at(make(), points, jnp.float32)[0] > 0)


def naive_line(p, a, b):
    """The trimmed line, by its formula."""
    length = np.linalg.norm(b - a)
    f = ((b - a)[0] * (p - a)[:, 1] - (b - a)[1] * (p - a)[:, 0]) / length
    r2 = np.sum((p - 0.5 * (a + b)) ** 2, axis=1)
    t = (length**2 / 4 - r2) / np.sqrt(0.75 * length**2 + r2)
    return np.sqrt(f**2 + 0.25 * (np.sqrt(t**2 + f**4 / (length**2 + f**2)) - t) ** 2)


def test_lines_and_their_joins_against_the_formulas():
    points = np.random.default_rng(1).uniform(-1, 2, (300, 2))
    corners = np.array(SQUARE)
    expected = np.stack(
        [naive_line(points, a, b) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)]
    )
    with jax.enable_x64(True):
        for i, line in enumerate(lines(SQUARE)):
            np.testing.assert_allclose(at(line, points, jnp.float64)[0], expected[i], rtol=1e-12)
        for m in (1, 3):
            joined, _ = at(sdf.JoinedBoundary(lines(SQUARE), m), points, jnp.float64)
            np.testing.assert_allclose(joined, np.sum(expected**-m, axis=0) ** (-1 / m), rtol=1e-12)


def distance_to_chain(points, corners):
    a, b = corners, np.roll(corners, -1, axis=0)
    share = np.clip(np.sum((points[:, None] - a) * (b - a), -1) / np.sum((b - a) ** 2, -1), 0, 1)
    return np.linalg.norm(points[:, None] - a - share[..., None] * (b - a), axis=-1).min(axis=1)


def test_a_line_stays_near_the_distance():
    points = np.random.default_rng(2).uniform(-20, 20, (500, 2))
    points[250:] /= 10
    ends = np.array(SQUARE[:2])
    with jax.enable_x64(True):
        ratio = at(sdf.LineBoundary(*ends), points, jnp.float64)[0] / distance_to_chain(points, ends)
    assert ratio.min() > 1 - 1e-12
    assert ratio.max() < 1.6


@pytest.mark.parametrize(("order", "p"), [(1, 1), (2, 3)])
def test_a_polyline_is_the_power_mean_of_the_distances(order, p):
    corners = np.array(NOTCHED)
    points = np.random.default_rng(3).uniform(-1.5, 1.5, (200, 2))
    points[:60, 1] = 0.0  # in line with an edge, and beyond it
    points = points[distance_to_chain(points, corners) > 0.05]
    nodes, weights = np.polynomial.legendre.leggauss(8)
    share = ((np.arange(200)[:, None] + 0.5 * (1 + nodes)) / 200).ravel()
    weights = np.tile(weights / 400, 200)
    edges = np.roll(corners, -1, axis=0) - corners
    on = (corners[:, None] + share[:, None] * edges[:, None]).reshape(-1, 2)
    weight = (weights * np.linalg.norm(edges, axis=1)[:, None]).ravel()
    middle = weight @ on / weight.sum()
    radius2 = weight @ np.sum((on - middle) ** 2, axis=1) / weight.sum()
    c = {1: math.pi, 3: math.pi / 2}[p]  # ∫ (1 + s²)^(−(1+p)/2) ds over a whole line
    integral = np.linalg.norm(points[:, None] - on, axis=-1) ** (-1.0 - p) @ weight / c
    expected = (integral + (np.sum((points - middle) ** 2, axis=1) + radius2) ** (-p / 2)) ** (-1 / p)
    boundary = sdf.PolylineBoundary(corners, closed=True, order=order)
    np.testing.assert_allclose(at(boundary, points, jnp.float32)[0], expected, rtol=2e-5)
    with jax.enable_x64(True):
        np.testing.assert_allclose(at(boundary, points, jnp.float64)[0], expected, rtol=1e-10)


def cut(corners, parts):
    share = np.arange(parts)[:, None] / parts
    return np.concatenate(
        [a + share * (b - a) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)]
    )


def test_cuts_do_not_show_in_a_polyline_but_do_in_a_join():
    """Why finely drawn curves are not joined by R-equivalence."""
    corners = np.array(SQUARE)
    points = np.random.default_rng(4).uniform(-0.5, 1.5, (100, 2))
    for order in (1, 2):
        whole = at(sdf.PolylineBoundary(corners, True, order), points, jnp.float32)[0]
        pieces = at(sdf.PolylineBoundary(cut(corners, 9), True, order), points, jnp.float32)[0]
        np.testing.assert_allclose(pieces, whole, rtol=1e-5)
    centre = jnp.array([0.5, 0.5])
    joins = [float(jax.jit(sdf.JoinedBoundary(lines(cut(corners, n).tolist()), 1))(centre)) for n in (1, 9)]
    assert joins[1] < 0.5 * joins[0]


def test_a_drawn_circle_is_nearly_the_circle():
    """Inside a circle ∫ ds/R² = 2πa/(a² − r²)."""
    angle = 2 * np.pi * np.arange(200) / 200
    drawn = sdf.PolylineBoundary(np.stack([np.cos(angle), np.sin(angle)], axis=1), closed=True, order=1)
    r = np.linspace(0, 0.9, 10)
    expected = 1 / (2 / (1 - r**2) + 1 / np.sqrt(1 + r**2))
    got, _ = at(drawn, np.stack([r, 0 * r], axis=1), jnp.float32)
    np.testing.assert_allclose(got, expected, rtol=2e-3)


JOINS = {
    **{f"joined {m}": (lambda m=m: sdf.JoinedBoundary(lines(NOTCHED), m)) for m in (1, 2)},
    "polyline 1": lambda: sdf.PolylineBoundary(NOTCHED, True, 1),
    "polyline 2": lambda: sdf.PolylineBoundary(NOTCHED, True, 2),
}


@pytest.mark.parametrize("name", JOINS)
def test_at_a_join_gradients_are_bounded_and_second_derivatives_grow_like_1_over_r(name):
    r = np.array([1e-2, 1e-3, 1e-4])
    angles = np.array([0.9, 1.7, 3.0])  # into the L from its inner corner
    with jax.enable_x64(True):
        phi = JOINS[name]()
        rays = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        points = jnp.asarray(r[:, None, None] * rays).reshape(-1, 2)
        laplacians = jax.jit(jax.vmap(lambda x: jnp.trace(jax.hessian(phi)(x))))(points)
        gradients = at(phi, points, jnp.float64)[1]
        scaled = np.abs(np.asarray(laplacians)).reshape(3, 3) * r[:, None]
    assert np.linalg.norm(gradients, axis=1).max() < 1.5
    assert scaled[2].min() > 0.02
    np.testing.assert_allclose(scaled[2], scaled[1], rtol=0.1)


FEARED = {
    "line": (
        lambda: sdf.LineBoundary((0.0, 0.0), (1.0, 0.0)),
        [(0, 0), (1, 0), (0.5, 0), (-1, 0), (2, 0), (0.5, 1e3)],
    ),
    "arc": (
        lambda: sdf.ArcBoundary((0.0, 0.0), 1.0, 0.0, math.pi),
        [(1, 0), (-1, 0), (0, 0), (0, 1), (0, -1)],
    ),
    "round": (lambda: sdf.RoundBoundary((0.0, 0.0), 1.0), [(0, 0), (1, 0), (0, -1), (1e3, 0)]),
    "joined": (
        lambda: sdf.JoinedBoundary(lines(NOTCHED), 2),
        [(0, 0), (1, 0), (1, 1), (0.5, 0), (0.5, 0.5), (2, 0)],
    ),
    "polyline": (
        lambda: sdf.PolylineBoundary(NOTCHED, True),
        [(0, 0), (1, 0), (0.5, 0), (2, 0), (0, 1), (1e3, 0)],
    ),
    "open": (
        lambda: sdf.PolylineBoundary(NOTCHED[:3], False, 1),
        [(0, 0), (1, 0), (1, 1), (0.5, 0), (2, 0), (1, -3)],
    ),
}


@pytest.mark.parametrize("name", FEARED)
def test_first_and_second_derivatives_are_finite_everywhere(name, precision):
    make, points = FEARED[name]
    check.assert_finite_at(jax.value_and_grad(make()), [jnp.asarray(point, precision) for point in points])


@pytest.mark.parametrize(
    "make",
    [
        lambda h: sdf.LineBoundary(jnp.zeros(2), jnp.stack([jnp.ones(()), h])),
        lambda h: sdf.PolylineBoundary(jnp.stack([jnp.zeros(2), jnp.stack([jnp.ones(()), h]), jnp.ones(2)])),
        lambda h: sdf.ArcBoundary((0.0, 0.0), 1.0 + h, 0.1, 1.0 + h),
        lambda h: sdf.RoundBoundary((0.0, 0.0), 1.0 + h),
    ],
)
def test_parameters_are_leaves(make):
    """The derivative of φ in a length or an end, against a difference."""
    with jax.enable_x64(True):
        value_and_slope = jax.value_and_grad(lambda h: make(h)(jnp.asarray([0.7, 0.2])))
        found = jax.jit(jax.vmap(value_and_slope))(jnp.asarray([0.1 - 1e-6, 0.1, 0.1 + 1e-6]))
        values, slopes = map(np.asarray, found)
    assert abs(slopes[1]) > 1e-3
    assert slopes[1] == pytest.approx((values[2] - values[0]) / 2e-6, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: sdf.LineBoundary((1.0, 2.0), (1.0, 2.0)), "must differ"),
        (lambda: sdf.LineBoundary((1.0, 2.0, 0.0), (1.0, 2.0, 1.0)), "2 numbers"),
        (lambda: sdf.ArcBoundary((0.0, 0.0), 1.0, 0.0, 7.0), "RoundBoundary"),
        (lambda: sdf.ArcBoundary((0.0, 0.0), 1.0, 0.0, 0.0), "sweep"),
        (lambda: sdf.RoundBoundary((0.0, 0.0), -1.0), "above 0"),
        (lambda: sdf.RoundBoundary((0.0, 0.0), 1.0, 7), "from 1 to 6"),
        (lambda: sdf.JoinedBoundary([]), "received none"),
        (lambda: sdf.JoinedBoundary(lines(SQUARE), 0), "from 1 to 6"),
        (lambda: sdf.JoinedBoundary([*lines(SQUARE), sdf.RoundBoundary(np.zeros(3), 1.0)]), "2D and 3D"),
        (lambda: sdf.PolylineBoundary(SQUARE[:2], True), "3 or more"),
        (lambda: sdf.PolylineBoundary([(0, 0), (0, 0), (1, 1)]), "neighbours must differ"),
        (lambda: sdf.PolylineBoundary(SQUARE, True, 4), "from 1 to 3"),
    ],
)  # fmt: skip
def test_what_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_point_must_fit_the_boundary():
    """Asked of the check itself: in a test run the type checker would come first."""
    with pytest.raises(ValueError, match=r"one point of shape \(2,\), received \(5, 2\): use jax.vmap"):
        boundary_point(jnp.zeros((5, 2)), lines(SQUARE)[0])
    with pytest.raises(ValueError, match="floating-point"):
        boundary_point(jnp.zeros(2, int), lines(SQUARE)[0])
