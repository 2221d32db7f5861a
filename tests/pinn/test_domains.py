"""Domains of the residual form: what lies inside, the pieces of the outline, corners, the hard factor, features."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import pinn, sdf
from geoembed.pinn._domains._corners import corners, every_corner
from geoembed.pinn._domains._domain import domain_of, even_points
from geoembed.pinn._domains._factor import hard_factor
from geoembed.pinn._domains._outline import chosen, outline, patch
from geoembed.pinn._domains._singular import corner_functions, graded
from tests.sdf.encoder_rows import box as mesh_box

pytestmark = pytest.mark.usefixtures("compiled_quickly")  # formulas of a few numbers

L_SHAPE = sdf.Polygon([(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)])
T_SHAPE = sdf.Polygon([(-2, 1), (-0.5, 1), (-0.5, -2), (0.5, -2), (0.5, 1), (2, 1), (2, 2), (-2, 2)])
U_SHAPE = sdf.Polygon([(-2, -1), (2, -1), (2, 1), (1, 1), (1, 0), (-1, 0), (-1, 1), (-2, 1)])
HOLED = sdf.Box((4.0, 3.0)) - sdf.Box((1.0, 0.8)).translate((0.2, 0.3))
FOUR = [(-0.6, -0.6), (0.6, -0.6), (-0.6, 0.6), (0.6, 0.6)]
FOUR_HOLES = sdf.Box((2.0, 2.0))
for centre in FOUR:
    FOUR_HOLES = FOUR_HOLES - sdf.Circle(0.2).translate(centre)

# domain, its pieces and their lengths or areas
OUTLINES = {
    "interval": (pinn.Interval(-1.0, 3.0), {"left": 1, "right": 1}),
    "rectangle": (sdf.Box((2.0, 3.0)), {"left": 3, "right": 3, "bottom": 2, "top": 2}),
    "cuboid": (
        sdf.Box((1.0, 2.0, 3.0)),
        {"left": 6, "right": 6, "bottom": 3, "top": 3, "back": 2, "front": 2},
    ),
    "sphere": (sdf.Sphere(0.5).translate((1.0, 2.0, 3.0)), {"surface": math.pi}),
    "disc": (sdf.Circle(0.5).scale(2.0), {"rim": 2 * math.pi}),
    "triangle, clockwise": (sdf.Polygon([(0, 0), (0, 3), (4, 0)]), {"edge 0": 3, "edge 1": 5, "edge 2": 4}),
    "hexagon": (sdf.RegularPolygon(6, 1.5), {f"edge {i}": 1.5 for i in range(6)}),
    "star": (sdf.Star(5, 1.0, 0.4), {f"edge {i}": math.sqrt(1.16 - 0.8 * math.cos(0.2 * math.pi)) for i in range(10)}),
    "moved": (
        sdf.Box((2.0, 3.0)).scale(2.0).rotate(0.4).mirror((1.0, 2.0), 0.3).translate((1.0, -2.0)),
        {"left": 6, "right": 6, "bottom": 4, "top": 4},
    ),
    "turned cuboid": (
        sdf.Box((1.0, 2.0, 3.0)).rotate(0.7, (1.0, 2.0, -1.0)).mirror((0.0, 1.0, 1.0)),
        {"left": 6, "right": 6, "bottom": 3, "top": 3, "back": 2, "front": 2},
    ),
    "four holes": (
        FOUR_HOLES,
        dict.fromkeys(("left", "right", "bottom", "top"), 2) | {f"hole {k} rim": 0.4 * math.pi for k in range(4)},
    ),
    "holes at once": (
        sdf.Polygon([(0, 0), (9, 0), (9, 4), (0, 4)], [[(1, 1), (2, 1), (1, 2)]])
        - (sdf.Circle(0.5).translate((4.0, 2.0)) | sdf.Box((1.0, 2.0)).translate((7.0, 2.0))),
        {"edge 0": 9, "edge 1": 4, "edge 2": 9, "edge 3": 4}
        | {"hole 0 edge 0": 1, "hole 0 edge 1": math.sqrt(2), "hole 0 edge 2": 1, "hole 1 rim": math.pi}
        | {"hole 2 left": 2, "hole 2 right": 2, "hole 2 bottom": 1, "hole 2 top": 1},
    ),
    "ball with a cube in it": (
        sdf.Sphere(2.0) - sdf.Box((1.0, 1.0, 1.0)),
        {"surface": 16 * math.pi} | {f"hole 0 {s}": 1 for s in ("left", "right", "bottom", "top", "back", "front")},
    ),
}  # fmt: skip
every_outline = pytest.mark.parametrize("name", OUTLINES)


def distance_of(domain, points):
    return domain_of(domain).distance(points)


@every_outline
def test_the_pieces_have_their_names_and_measures(name):
    domain, expected = OUTLINES[name]
    assert {piece.name: round(piece.measure, 5) for piece in outline(domain)} == {
        key: round(value, 5) for key, value in expected.items()
    }


@every_outline
def test_samples_lie_on_the_boundary_with_outward_normals(name):
    domain, _ = OUTLINES[name]
    drawn = [piece.sample(40, np.random.default_rng(1)) for piece in outline(domain)]
    points, normals = (np.concatenate(rows) for rows in zip(*drawn, strict=True))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, rtol=1e-12)
    step = 1e-6
    across = [distance_of(domain, points + side * step * normals) for side in (-1, 0, 1)]
    np.testing.assert_allclose(np.stack(across, 1), [[-step, 0.0, step]] * len(points), atol=1e-9)


def test_samples_are_even_and_follow_the_sides_of_the_shape():
    left, _, bottom, _ = outline(sdf.Box((2.0, 4.0)).rotate(0.5 * math.pi))
    points, normals = left.sample(1000, np.random.default_rng(0))
    np.testing.assert_allclose(normals, [[0.0, -1.0]] * 1000, atol=1e-15)
    np.testing.assert_allclose(np.histogram(points[:, 0], 10, (-2, 2))[0], 100, atol=2)
    np.testing.assert_allclose(bottom.sample(5, np.random.default_rng(0))[0][:, 0], 2.0)
    (surface,) = outline(sdf.Sphere(2.0))
    points, _ = surface.sample(4096, np.random.default_rng(0))
    np.testing.assert_allclose(np.mean(points**2, axis=0), 4 / 3, rtol=0.01)


@pytest.mark.parametrize(
    "domain",
    [
        sdf.Box((2.0, 2.0)) - sdf.Circle(0.5).translate((1.0, 0.0)),
        sdf.Box((2.0, 2.0)) - (sdf.Circle(0.3) | sdf.Circle(0.3).translate((0.2, 0.0))),
        sdf.Box((2.0, 2.0)) - sdf.Ellipse((0.5, 0.4)),
    ],
    ids=["cut", "overlapping holes", "unknown hole"],
)
def test_holes_that_touch_something_or_are_unknown_leave_one_piece(domain):
    (piece,) = outline(domain)
    assert (piece.name, piece.boundary) == ("boundary", None)
    with pytest.raises(ValueError, match="make its condition soft"):
        hard_factor(domain)


def test_a_boundary_of_unknown_parts_is_sampled_through_its_distance():
    domain = sdf.Ellipse((1.0, 0.5))
    (piece,) = outline(domain)
    points, normals = piece.sample(256, np.random.default_rng(0))
    np.testing.assert_allclose(points[:, 0] ** 2 + 4 * points[:, 1] ** 2, 1.0, atol=1e-4)
    expected = points * [1, 4] / np.linalg.norm(points * [1, 4], axis=1, keepdims=True)
    np.testing.assert_allclose(normals, expected, atol=1e-3)
    assert abs(piece.measure / 4.844224 - 1) < 0.03  # 4 E(3/4)


def test_patches_are_parts_of_a_piece():
    _, right, *_ = outline(sdf.Box((2.0, 3.0)))
    inlet = patch(right, "inlet", lambda x: np.abs(x[:, 1]) < 0.3)
    points, normals = inlet.sample(100, np.random.default_rng(0))
    assert np.all(points[:, 0] == 1.0)
    assert np.all(np.abs(points[:, 1]) < 0.3)
    assert points[:, 1].std() > 0.15
    np.testing.assert_allclose(normals, [[1.0, 0.0]] * 100)
    assert abs(inlet.measure - 0.6) < 0.01
    assert inlet.boundary is None
    with pytest.raises(ValueError, match="is its patch empty"):
        patch(right, "nothing", lambda x: x[:, 1] > 5).sample(3, np.random.default_rng(0))


def test_all_is_every_piece_and_an_unknown_name_is_refused():
    pieces = outline(sdf.Box((2.0, 3.0)))
    assert chosen(pieces, "all") == pieces
    assert [piece.name for piece in chosen(pieces, ("top", "left"))] == ["left", "top"]
    with pytest.raises(ValueError, match="no piece 'lid'"):
        chosen(pieces, ("lid",))


# --- inside


def test_inside_is_what_the_distance_says():
    domain = domain_of(HOLED)
    points = domain.fill(even_points(2048, 2, np.random.default_rng(0)))
    x, y = points.T
    assert not np.any((np.abs(x - 0.2) <= 0.5) & (np.abs(y - 0.3) <= 0.4))
    assert np.all((np.abs(x) < 2) & (np.abs(y) < 1.5))
    assert abs(len(points) / 2048 - 11.2 / 12) < 0.01
    assert abs(domain.measure / 11.2 - 1) < 0.01
    assert domain.contains(np.array([[0.2, 0.3], [1.0, 1.0], [2.5, 0.0]])).tolist() == [False, True, False]


def test_an_interval_and_a_mesh_are_domains():
    line = domain_of(pinn.Interval(-1.0, 3.0))
    assert (line.dimension, line.measure) == (1, 4.0)
    np.testing.assert_allclose(line.fill(np.array([[0.25], [0.0]])), [[0.0]])
    part = domain_of(mesh_box())
    assert part.dimension == 3
    assert abs(part.measure - 24) < 1e-12
    assert part.contains(np.array([[1.0, 1.0, 1.0], [3.0, 1.0, 1.0]])).tolist() == [True, False]
    (piece,) = outline(mesh_box())
    points, normals = piece.sample(200, np.random.default_rng(0))
    gap = np.abs(np.stack([points, np.array([2.0, 3.0, 4.0]) - points]))
    assert gap.min(axis=(0, 2)).max() < 1e-12
    assert np.all(np.sum(normals * (points - [1.0, 1.5, 2.0]), axis=1) > 0.9)
    assert abs(piece.measure - 52) < 1e-9


def test_what_has_no_box_is_refused():
    with pytest.raises(ValueError, match="intersect it with a Box"):
        domain_of(sdf.HalfSpace((0.0, 1.0)))


def test_an_interval_has_two_ends_in_order():
    with pytest.raises(ValueError, match="the lower one first"):
        pinn.Interval(1.0, 1.0)


# --- corners


def test_reentrant_corners_are_found():
    (corner,) = corners(L_SHAPE)
    np.testing.assert_allclose(corner.point, 0.0)
    np.testing.assert_allclose(corner.start, [0.0, 1.0])
    assert (corner.angle, corner.reach, corner.open) == (1.5 * math.pi, 1.0, True)
    assert corner.exponent == pytest.approx(2 / 3)
    assert {tuple(corner.point) for corner in corners(T_SHAPE)} == {(-0.5, 1.0), (0.5, 1.0)}
    assert [corner.reach for corner in corners(T_SHAPE)] == [1.0, 1.0]  # to the top and to each other
    assert not corners(sdf.RegularPolygon(6, 1.0))


def test_corners_of_holes_are_reentrant():
    found = corners(HOLED)
    assert sorted(tuple(np.round(c.point, 12)) for c in found) == [
        (-0.3, -0.1),
        (-0.3, 0.7),
        (0.7, -0.1),
        (0.7, 0.7),
    ]
    assert all(c.angle == pytest.approx(1.5 * math.pi) and not c.open for c in found)
    assert [c.reach for c in found] == pytest.approx([0.8] * 4)


def test_the_notches_of_a_star_are_reentrant():
    found = corners(sdf.Star(5, 1.0, 0.4).rotate(0.3).mirror((1.0, 0.0)))
    np.testing.assert_allclose([np.linalg.norm(c.point) for c in found], [0.4] * 5)
    tip, notch = np.array([1.0, 0.0]), 0.4 * np.array([math.cos(0.2 * math.pi), math.sin(0.2 * math.pi)])
    half = math.acos((tip - notch) @ -notch / np.linalg.norm(tip - notch) / 0.4)
    np.testing.assert_allclose([c.angle for c in found], 2 * half)
    for c in found:  # the first edge is on the outline, the second one ω further on
        for turn in (0.0, c.angle):
            way = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) @ c.start
            assert (
                abs(
                    distance_of(
                        sdf.Star(5, 1.0, 0.4).rotate(0.3).mirror((1.0, 0.0)), (c.point + 0.1 * way)[None]
                    )
                )
                < 1e-9
            )


def test_where_value_and_flux_meet_the_exponent_is_halved():
    hexagon = sdf.RegularPolygon(6, 1.0)
    found = corners(hexagon, ("edge 0", "edge 1"))
    assert {c.pieces for c in found} == {("edge 0", "edge 5"), ("edge 2", "edge 1")}
    assert [c.exponent for c in found] == pytest.approx([0.75, 0.75])
    assert not corners(sdf.Box((1.0, 1.0)), ("left",))  # √r only appears beyond a right angle
    assert [c.exponent for c in corners(L_SHAPE, ("edge 3",))] == pytest.approx([1 / 3])
    assert [c.exponent for c in corners(L_SHAPE, ("edge 0",))] == pytest.approx([2 / 3])  # two fluxes
    assert corners(L_SHAPE, ("all",))[0].exponent == pytest.approx(2 / 3)


# --- the hard factor


@jax.jit
def jets(m, points):
    """Values, gradients and Hessians, forward over forward."""
    gradient = jax.jacfwd(m)
    return jax.vmap(lambda x: (m(x), gradient(x), jax.jacfwd(gradient)(x)))(points)


FACTORS = {
    "interval": (pinn.Interval(-1.0, 3.0), None),
    "cuboid": (sdf.Box((1.0, 2.0, 3.0)), None),
    "ball": (sdf.Sphere(0.5) - sdf.Sphere(0.2), None),
    "L": (L_SHAPE, None),
    "T": (T_SHAPE, ("edge 1", "edge 3", "edge 6")),
    "square hole": (HOLED, None),
    "U": (
        U_SHAPE,
        ("edge 2", "edge 4"),
    ),  # edge 6 is in line with edge 2; edge 4 ends in two re-entrant corners
    "parted side": (sdf.Polygon([(0, 0), (1, 0), (3, 0), (3, 2), (0, 2)]), ("edge 0", "edge 3")),
    "hexagon": (sdf.RegularPolygon(6, 1.0), None),
    "four holes": (FOUR_HOLES, ("left", "hole 0 rim", "hole 3 rim")),
}


# For the L stands the U, which has such corners too; what the factor of the L is, a test below says.
QUICK = {("U", "float32"), ("interval", "float64"), ("cuboid", "float64")}
every_factor = pytest.mark.parametrize(
    ("name", "dtype"),
    [
        pytest.param(name, dtype, marks=[] if (name, dtype) in QUICK else [pytest.mark.slow])
        for name in FACTORS
        for dtype in ("float32", "float64")
    ],
)


@every_factor
def test_it_vanishes_on_its_pieces_only(name, dtype):
    with jax.enable_x64(dtype == "float64"):
        vanishes_on_its_pieces_only(name, jnp.dtype(dtype))


def vanishes_on_its_pieces_only(name, precision):
    domain, hard = FACTORS[name]
    m = hard_factor(domain, hard)
    space = domain_of(domain)
    inside = space.fill(even_points(512, space.dimension, np.random.default_rng(3)))
    inside = inside[space.distance(inside) < -1e-3][:200]
    pieces = outline(domain)
    wanted = [piece.name for piece in chosen(pieces, hard or ("all",))]
    drawn = [(piece.name, piece.sample(16, np.random.default_rng(2))[0]) for piece in pieces]
    on = np.concatenate([points for key, points in drawn if key in wanted])
    off = np.concatenate(
        [np.zeros((0, space.dimension)), *(points for key, points in drawn if key not in wanted)]
    )
    points = np.concatenate([inside, on, off])
    padded = np.concatenate([points, np.tile(inside[:1], (400 - len(points), 1))])
    value, gradient, hessian = (np.asarray(a) for a in jets(m, jnp.asarray(padded, precision)))
    first = len(inside)
    assert value.dtype == precision
    assert value[:first].min() > 0
    assert 0.5 < value[:first].max() < 1.5
    assert np.isfinite(hessian[:first]).all()
    assert np.isfinite(gradient).all()
    assert value[first : first + len(on)].max() < (1e-13 if precision == np.float64 else 2e-5)
    if len(off):
        assert value[first + len(on) : len(points)].min() > 1e-4


def hand_made(x):
    """For the L: both squares' sides times r^(2/3) sin(2θ/3), θ from the positive y axis anticlockwise."""
    r2, turn = jnp.sum(x**2), jnp.mod(jnp.arctan2(x[1], x[0]) - 0.5 * jnp.pi, 2 * jnp.pi)
    return (1 - x[0] ** 2) * (1 - x[1] ** 2) * r2 ** (1 / 3) * jnp.sin(2 * turn / 3)


def test_on_the_l_it_is_the_hand_made_factor_times_a_smooth_function():
    m = hard_factor(L_SHAPE)
    turn, r = (a.ravel() for a in np.meshgrid(np.linspace(1.7, 6.1, 12), [1e-8, 1e-5, 1e-2, 0.9]))
    with jax.enable_x64(True):
        points = jnp.asarray(np.stack([r * np.cos(turn), r * np.sin(turn)], axis=1))
        ratio = lambda x: m(x) / hand_made(x)  # noqa: E731
        value, slope = (np.asarray(a) for a in jax.jit(jax.vmap(jax.value_and_grad(ratio)))(points))
    # a smooth function of r² alone: c (1 + r²)^(2/3)
    np.testing.assert_allclose(value / (1 + r**2) ** (2 / 3), value[0], rtol=1e-7)
    np.testing.assert_allclose(
        np.linalg.norm(slope, axis=1), value[0] * 4 / 3 * r * (1 + r**2) ** (-1 / 3), rtol=1e-4, atol=1e-5
    )


def test_at_a_convex_corner_it_is_the_product_of_the_heights():
    m = hard_factor(sdf.Box((2.0, 4.0)))
    x = 2 * even_points(64, 2, np.random.default_rng(0)) - 1
    value = sdf.evaluate(m, x)
    expected = (1 - x[:, 0] ** 2) * (4 - x[:, 1] ** 2)
    np.testing.assert_allclose(value / expected, value[0] / expected[0], rtol=1e-12)


@pytest.mark.parametrize("name", ["hole", "mixed"])
def test_at_other_corners_it_behaves_as_solutions_do(name):
    """m/(r^α sin αθ) tends to a constant, and its slope is bounded."""
    domain, hard = (HOLED, None) if name == "hole" else (L_SHAPE, ("edge 3", "edge 4", "edge 1"))
    m, corner = hard_factor(domain, hard), corners(domain, hard)[0]
    turn, r = (a.ravel() for a in np.meshgrid(np.linspace(0.05, 0.95, 9) * corner.angle, [1e-6, 1e-4, 1e-2]))
    c, s = np.cos(turn), np.sin(turn)
    ways = np.stack(
        [c * corner.start[0] - s * corner.start[1], s * corner.start[0] + c * corner.start[1]], axis=1
    )
    with jax.enable_x64(True):
        value = np.asarray(jax.jit(jax.vmap(m))(jnp.asarray(corner.point + r[:, None] * ways)))
    ratio = (value / (r**corner.exponent * np.sin(corner.exponent * turn))).reshape(3, 9)
    assert np.ptp(ratio[0]) < 1e-4 * ratio[0, 0]
    assert np.all(np.abs(ratio - ratio[0, 0]) / ratio[0, 0] < 10 * r.reshape(3, 9) + 1e-5)


# --- features, weights, points


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_features_are_the_functions_of_the_corner(dtype):
    with jax.enable_x64(dtype == "float64"):
        features_are_the_functions_of_the_corner(jnp.dtype(dtype))


def features_are_the_functions_of_the_corner(precision):
    functions = corner_functions(L_SHAPE)
    assert functions.size == 2 + 5
    x = np.array([[-0.3, -0.4], [0.5, -0.2], [-0.1, 0.7], [1e-3, -1e-3]])
    r, turn = np.hypot(*x.T), np.mod(np.arctan2(x[:, 1], x[:, 0]) - 0.5 * np.pi, 2 * np.pi)
    expected = np.stack([r ** (2 / 3) * np.sin(2 * turn / 3), r ** (2 / 3) * np.cos(2 * turn / 3)], axis=1)
    points = jnp.asarray(np.concatenate([x, [[0.0, 0.0]]]), precision)
    value, gradient, hessian = (np.asarray(a) for a in jets(functions, points))
    assert value.dtype == precision
    np.testing.assert_allclose(value[:4, :2], expected, rtol=1e-4 if precision == np.float32 else 1e-9)
    assert all(np.isfinite(a).all() for a in (value, gradient, hessian))
    np.testing.assert_allclose(np.trace(hessian[:3, :2], axis1=2, axis2=3), 0.0, atol=1e-4)  # harmonic
    weight = np.asarray(jax.jit(jax.vmap(functions.weight))(points))[:4]
    np.testing.assert_allclose(weight, (r**2 / (r**2 + 1)) ** (1 / 3), rtol=1e-5)
    at_a_time = jax.jit(lambda x: functions(jnp.append(x, 7.0)))(points[0])
    np.testing.assert_allclose(at_a_time, value[0], rtol=1e-5)


def test_features_of_a_hole_are_continuous_behind_it():
    functions = corner_functions(HOLED, ("hole 0 left",))
    turn = np.linspace(0, 2 * math.pi, 200)
    around = np.stack([0.2 + 1.1 * np.cos(turn), 0.3 + 1.1 * np.sin(turn)], axis=1)
    with jax.enable_x64(True):
        value = np.asarray(jax.jit(jax.vmap(functions))(jnp.asarray(around)))
    assert np.abs(np.diff(value, axis=0)).max() < 0.1
    assert np.abs(value).max() > 0.05
    assert corner_functions(sdf.Circle(1.0)) is None


def test_graded_points_crowd_at_the_corner():
    domain = domain_of(L_SHAPE)
    unit = even_points(4096, 2, np.random.default_rng(0))
    points = graded(domain, corners(L_SHAPE), unit, 0.25)
    assert domain.contains(points).all()
    near = np.linalg.norm(points[:1024], axis=1)
    np.testing.assert_allclose(np.quantile(near, [0.25, 0.5, 0.75]), [1 / 16, 1 / 4, 9 / 16], rtol=0.05)
    assert abs(len(points) - 1024 - 0.75 * 3072) < 60
    assert len(graded(domain, (), unit)) == pytest.approx(0.75 * 4096, abs=60)
    with pytest.raises(ValueError, match="share"):
        graded(domain, (), unit, 1.5)


def test_every_corner_of_a_square_is_seen_from_both_edges():
    found = every_corner(sdf.Box((2.0, 2.0)))
    assert {c.pieces for c in found} == {
        ("bottom", "left"),
        ("right", "bottom"),
        ("top", "right"),
        ("left", "top"),
    }
    assert all(c.angle == pytest.approx(0.5 * math.pi) for c in found)


def test_the_feature_of_a_right_angle_makes_the_source_exact(precision):
    """−Δ(½ r² sin(2θ) S) = 1, 0 on both edges; in a square that is xy S for each corner."""
    square = sdf.Box((2.0, 2.0)).translate((1.0, 1.0))
    functions = corner_functions(square)
    assert functions.size == 4
    place = [c.pieces for c in every_corner(square)].index(("bottom", "left"))
    u = lambda x: (0.5 * x[0] * x[1] * functions(x)[place])[None]  # noqa: E731, R = 2
    angle = np.array([1e-9, 0.004, 0.3, 0.39, 0.40, 0.9, 1.3, 1.5, 1.5707])
    points = np.stack([0.7 * np.cos(angle), 0.7 * np.sin(angle)], axis=1)
    hessian = np.asarray(jax.jit(jax.vmap(jax.jacfwd(jax.jacfwd(u))))(jnp.asarray(points, precision)))
    tolerance = 1e-7 if precision == np.float64 else 3e-4
    np.testing.assert_allclose(hessian[:, 0, 0, 0] + hessian[:, 0, 1, 1], -0.5, rtol=tolerance)
    assert corner_functions(square, ("left", "right")) is None
