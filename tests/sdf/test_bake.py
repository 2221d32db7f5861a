"""Baking: orders of convergence, the report against a measurement of its own, tolerance, memory, narrow band."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import InputError
from geoembed.sdf import BakeProgress, Box, bake, mesh_sdf
from geoembed.sdf._bspline._bake_measure import field_derivatives, field_values

KEY = jax.random.key(0)
CUBE = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
RADIUS = 0.8


def ball(x):
    return jnp.sqrt(jnp.sum(x**2) + 1e-300) - RADIUS


def block(x):
    """A box of half sides (0.5, 0.4, 0.3), turned about z so that its faces are oblique to the grid."""
    turned = jnp.stack([0.8 * x[0] + 0.6 * x[1], -0.6 * x[0] + 0.8 * x[1], x[2]])
    q = jnp.abs(turned) - jnp.asarray([0.5, 0.4, 0.3], x.dtype)
    outside = jnp.sum(jnp.square(jnp.maximum(q, 0)))
    length = jnp.where(outside > 0, jnp.sqrt(jnp.where(outside > 0, outside, 1)), 0)
    return length + jnp.minimum(jnp.max(q), 0)


def block_in_numpy(points):
    turned = np.stack(
        [0.8 * points[:, 0] + 0.6 * points[:, 1], -0.6 * points[:, 0] + 0.8 * points[:, 1], points[:, 2]],
        axis=1,
    )
    q = np.abs(turned) - np.array([0.5, 0.4, 0.3])
    return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0)


def ball_in_numpy(points):
    length = np.linalg.norm(points, axis=1)
    return length - RADIUS, points / length[:, None], 2 / length


@functools.cache
def baked(function, dtype="float32", **options):
    return bake(function, bounds=CUBE, key=KEY, dtype=dtype, **options)


def jets(field, points):
    """By the library's own loop over chunks: one compilation for a grid."""
    return field_derivatives(field.field, points)


def values(field, points):
    return field_values(field.field, points)[0]


def near_surface(count, exact, band, seed=7):
    """Points uniform in |d| ≤ band, by rejection."""
    rng, kept = np.random.default_rng(seed), []
    while sum(map(len, kept)) < count:
        points = rng.uniform(-1.2, 1.2, (100_000, 3))
        kept.append(points[np.abs(exact(points)) <= band])
    return np.concatenate(kept)[:count]


def test_orders_of_convergence_on_a_sphere():
    """Value h⁴, gradient h³, Laplacian h², away from the centre; on coarse grids the gradient gains more."""
    points = near_surface(2000, lambda p: ball_in_numpy(p)[0], 0.2)
    errors = []
    for spacing in (0.1, 0.05):
        found = jets(baked(ball, dtype="float64", spacing=spacing), points)
        exact = ball_in_numpy(points)
        errors.append([np.abs(a - b).max() for a, b in zip(found, exact, strict=True)])
    orders = np.log2(np.divide(*errors))
    assert np.all(orders > [3.6, 2.7, 1.7]), orders
    assert np.all(orders < [4.6, 4.6, 2.6]), orders


def test_the_report_agrees_with_a_measurement_in_numpy():
    field = baked(ball, dtype="float64", spacing=0.1)
    report = field.report
    points = near_surface(20_000, lambda p: ball_in_numpy(p)[0], report.band)
    lower, upper = field.bounds
    box = np.random.default_rng(3).uniform(lower, upper, (20_000, 3))
    for zone, where in ((report.near, points), (report.box, box)):
        errors = [
            np.linalg.norm((a - b).reshape(len(where), -1), axis=1)
            for a, b in zip(jets(field, where), ball_in_numpy(where), strict=True)
        ]
        for figures, error in zip((zone.value, zone.gradient, zone.laplacian), errors, strict=True):
            assert figures.median == pytest.approx(np.median(error), rel=0.1)
            assert figures.p99 == pytest.approx(np.quantile(error, 0.99), rel=0.25)
    for name, column in (("value", 0), ("gradient", 1), ("laplacian", 2)):
        worst = getattr(report.box, name)
        place = np.array([worst.place])
        error = np.linalg.norm(jets(field, place)[column] - ball_in_numpy(place)[column])
        assert worst.largest == pytest.approx(error, rel=1e-6)
    assert report.near.points == report.box.points == 16_384


def test_kinks_show_and_are_left_out_of_the_smooth_zone():
    report = baked(block, spacing=0.05).report
    assert report.box.value.largest > 0.1 * 0.05  # up to a third of the spacing at a kink
    assert report.box.laplacian.largest > 1 / 0.05
    assert 0 < report.box_smooth.points < 4096
    assert report.box_smooth.gradient.largest < 5e-3
    assert report.box_smooth.laplacian.largest < 0.5
    # the middle of the block is a kink (three planes of the medial axis); so is a point two cells from it
    place = np.array([report.box_smooth.value.place])
    assert np.abs(block_in_numpy(place)) < 10  # the place is a point of the box


def test_the_shift_of_the_surface():
    """On the sphere |f|/|∇f| at |x| = R, measured here at other points."""
    field = baked(ball, dtype="float64", spacing=0.1)
    way = np.random.default_rng(0).normal(size=(5000, 3))
    value, gradient, _ = jets(field, RADIUS * way / np.linalg.norm(way, axis=1)[:, None])
    shift = np.abs(value) / np.linalg.norm(gradient, axis=1)
    assert field.report.surface.median == pytest.approx(np.median(shift), rel=0.1)
    assert field.report.surface.largest == pytest.approx(shift.max(), rel=0.3)


@pytest.mark.parametrize(("function", "tolerance"), [(ball, 1e-5), (block, 2e-3)], ids=["ball", "block"])
def test_a_tolerance_is_reached(function, tolerance):
    field = baked(function, tolerance=tolerance, band=0.05)
    assert field.report.status == "reached"
    assert field.report.reached
    exact = block_in_numpy if function is block else lambda p: ball_in_numpy(p)[0]
    points = near_surface(20_000, exact, 0.05)
    error = np.abs(values(field, points) - exact(points))
    assert np.quantile(error, 0.99) <= 1.15 * tolerance  # other random points than the bake's
    assert field.report.near.value.p99 == pytest.approx(np.quantile(error, 0.99), rel=0.15)
    assert len(field.report.spacing) > 1  # it was refined, and only near the surface:
    assert np.prod([2, 2, 2]) * field.report.bricks[0] > field.report.bricks[1] / 8


def test_refinement_stays_near_kinks_and_the_surface():
    field = baked(block, tolerance=2e-3, band=0.05)
    lower, upper = field.bounds
    points = np.random.default_rng(0).uniform(lower, upper, (5000, 3))
    spacing = field_values(field.field, points)[1]
    coarsest, finest = field.report.spacing[0], field.report.spacing[-1]
    distance = np.abs(block_in_numpy(points))
    assert set(np.round(spacing / finest).astype(int)) <= {2**k for k in range(10)}
    assert np.all(spacing[distance > 0.05 + 2 * 13 * np.sqrt(3) * coarsest] == coarsest)
    assert np.mean(spacing == finest) < 0.5


@pytest.mark.slow
def test_not_reached_says_so():
    report = baked(block, tolerance=1e-5, memory=2**20).report
    assert report.status == "not reached"
    assert not report.reached
    assert "memory" in report.reason
    assert report.near.value.p99 > 1e-5
    assert report.size <= 2**20
    # the memory was used: a bake with less is worse
    less = baked(block, tolerance=1e-5, memory=2**18).report
    assert less.size <= 2**18
    assert less.near.value.p99 > 1.5 * report.near.value.p99


def test_the_size_is_that_of_the_arrays():
    field = baked(block, tolerance=2e-3, band=0.05)
    assert field.report.size == sum(leaf.nbytes for leaf in jax.tree.leaves(field))


@pytest.mark.slow
def test_the_narrow_band_equals_the_dense_grid_inside_the_band():
    """Value, gradient and Laplacian: only the splines that reach out of the band are others."""
    base = bake(block, bounds=CUBE, key=KEY, dtype="float64", spacing=0.025, band=0.06)
    lower, upper = base.bounds
    dense = bake(block, bounds=(lower, upper), key=KEY, dtype="float64", spacing=0.025)
    np.testing.assert_allclose(dense.bounds[0], lower)
    points = near_surface(4000, block_in_numpy, 0.06)
    narrow_jets, dense_jets = jets(base, points), jets(dense, points)
    for got, expected, tolerance in zip(narrow_jets, dense_jets, (1e-13, 1e-11, 1e-9), strict=True):
        np.testing.assert_allclose(got, expected, atol=tolerance)
    assert base.report.size < 0.8 * dense.report.size
    far = points + 0.5  # elsewhere it is coarser, so it differs
    assert np.abs(jets(base, far)[0] - jets(dense, far)[0]).max() > 1e-6


def mesh_box():
    corners = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.5, 1.5) for z in (-2.0, 2.0)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))])
    return mesh_sdf(corners, faces, unit="mm")


@pytest.mark.parametrize(
    "make",
    [lambda: Box(jnp.array([2.0, 3.0, 4.0])), pytest.param(mesh_box, marks=pytest.mark.slow)],
    ids=["shape", "mesh"],
)
def test_a_shape_and_a_mesh_bring_their_bounds(make):
    field = bake(make(), key=KEY, spacing=0.2)
    lower, upper = field.bounds
    pad = 0.05 * np.sqrt(4 + 9 + 16)
    assert np.all(lower <= -np.array([1, 1.5, 2]) - pad)
    np.testing.assert_allclose(lower + upper, 0, atol=1e-12)
    points = np.random.default_rng(0).uniform(
        [-1.1, -0.3, -0.6], [-0.9, 0.3, 0.6], (500, 3)
    )  # along one face
    np.testing.assert_allclose(values(field, points), -1 - points[:, 0], atol=1e-6)


def test_equal_keys_give_equal_bakes():
    first, second = (bake(ball, bounds=CUBE, key=KEY, tolerance=1e-4) for _ in range(2))
    assert first.report == second.report
    other = bake(ball, bounds=CUBE, key=jax.random.key(1), tolerance=1e-4)
    assert other.report.near.value.place != first.report.near.value.place


def test_progress_is_reported_and_evaluations_are_counted():
    seen = []
    field = bake(ball, bounds=CUBE, key=KEY, tolerance=1e-5, callback=seen.append)
    assert all(isinstance(progress, BakeProgress) for progress in seen)
    stages = list(dict.fromkeys(progress.stage for progress in seen))
    assert stages[0] == "base grid"
    assert {"probing", "refining", "measuring"} <= set(stages)
    assert all(progress.done <= progress.total for progress in seen)
    base = next(p.total for p in seen if p.stage == "base grid")
    assert base == np.prod(np.array(field.field.grid.bricks) * 13 + 5)
    finished = [p for p in seen if p.done == p.total]
    assert field.report.evaluations == sum(p.total for p in finished)


def test_an_exception_of_the_callback_ends_the_bake():
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bake(ball, bounds=CUBE, key=KEY, tolerance=1e-4, callback=stop)


def test_the_memory_is_checked_before_the_function_is_called():
    def never(x):
        raise AssertionError("evaluated")

    with pytest.raises(InputError, match="more than memory=1000000"):
        bake(never, bounds=CUBE, key=KEY, spacing=0.001, memory=1_000_000)
    with pytest.raises(InputError, match=r"needs \d+ bytes, more than memory=400000"):
        bake(ball, bounds=CUBE, key=KEY, spacing=0.005, band=0.1, memory=400_000)


BAD = [
    ({"tolerance": 1e-3, "spacing": 0.1}, ValueError, "pass one of the two"),
    ({"tolerance": 0.0}, ValueError, "tolerance must be positive"),
    ({"spacing": -1.0}, ValueError, "spacing must be positive"),
    ({"band": 0.0}, ValueError, "band must be positive"),
    ({"dtype": "float16"}, ValueError, "dtype must be"),
    ({"bounds": None}, InputError, "no finite bounds"),
    ({"bounds": ((0, 0, 0), (1, 0, 1))}, ValueError, "must exceed"),
    ({"bounds": ((0, 0), (1, 1))}, ValueError, "three finite numbers"),
    ({"bounds": ((0, 0, 0), (1, np.inf, 1))}, ValueError, "three finite numbers"),
    ({"bounds": ((5, 5, 5), (6, 6, 6))}, InputError, "no point of the box was found within"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD, ids=lambda value: str(value)[:40])
def test_wrong_arguments(options, error, message):
    with pytest.raises(error, match=message):
        bake(ball, **({"bounds": CUBE, "key": KEY} | options))


def test_a_function_that_is_not_finite():
    with pytest.raises(InputError, match=r"not finite at \("):
        bake(lambda x: jnp.log(x[0]), bounds=CUBE, key=KEY, spacing=0.2)


def test_the_report_in_words():
    report = baked(block, tolerance=1e-5, memory=2**20).report
    text = str(report)
    assert "not reached" in text
    assert "memory" in text
    assert f"{report.near.value.p99:.2e}" in text
    none = dataclasses.replace(report, box_smooth=None, surface=None).to_text()
    assert "no points" in none
    assert "not measured" in none
