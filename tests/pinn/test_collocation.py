"""The points of a problem: where they lie, what they depend on, and the choice by residual."""

import functools

import jax
import numpy as np
import pytest

from geoembed import sdf
from geoembed.pinn import Dirichlet, HeatEquation, Interval, Neumann, Poisson, Problem, Robin
from geoembed.pinn._collocation import Collocation, pick

KEY = jax.random.key(3)
LINE = Interval(-1.0, 2.0)
L_SHAPE = sdf.Polygon([(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)])
TIME = (0.5, 2.0)

HEAT = HeatEquation(1.0, capacity=1.0)
PROBLEMS = {
    "interval": lambda: Problem(LINE, Poisson(), []),
    "L with corners": lambda: Problem(L_SHAPE, Poisson(), [Dirichlet("edge 2"), Dirichlet("edge 3")]),
    "disc in time": lambda: Problem(sdf.Circle(0.5), HEAT, [], time=TIME),
}
every_problem = pytest.mark.parametrize("name", PROBLEMS)


@functools.cache
def problem_of(name):
    return PROBLEMS[name]().in_fields


def drawer(name, key=KEY):
    return Collocation(problem_of(name), key=key)


@every_problem
@pytest.mark.parametrize("count", [1, 300])
def test_the_points_lie_inside(name, count):
    points = drawer(name).inside(count, 4)
    assert points.dtype == np.float64
    assert len(points) == count
    places = points[:, :-1] if name == "disc in time" else points
    if name == "interval":
        assert np.all((places > -1) & (places < 2))
    elif name == "disc in time":
        assert np.all(np.sum(places**2, axis=1) < 0.25)
        assert np.all((points[:, -1] >= 0.5) & (points[:, -1] <= 2.0))
    else:
        assert np.all((np.abs(places) < 1) & ((places[:, :1] < 0) | (places[:, 1:] < 0)))
    assert len(np.unique(points, axis=0)) == count


def test_they_are_even():
    """In tenths of an interval, in quarters of the time and of the disc."""
    found, _ = np.histogram(drawer("interval").inside(1000, 1), 10, (-1, 2))
    np.testing.assert_allclose(found, 100, atol=18)
    points = drawer("disc in time").inside(1000, 1)
    np.testing.assert_allclose(np.histogram(points[:, 2], 4, TIME)[0], 250, atol=25)
    quarter = 2 * (points[:, 0] > 0) + (points[:, 1] > 0)
    np.testing.assert_allclose(np.bincount(quarter.astype(int)), 250, atol=25)


def test_any_part_of_a_sample_looks_like_the_whole():
    """The order is random: the first points are not those of a corner or of the left end."""
    points = drawer("L with corners").inside(2000, 1)
    near = np.linalg.norm(points, axis=1) < 0.1
    share = np.pi * 0.75 * 0.01 / 3  # of the area
    assert np.mean(near) > 5 * share, "dense at the corner where the solution is singular"
    first = np.mean(near[:1000])
    assert abs(first - np.mean(near)) < 5 * np.sqrt(np.mean(near) / 1000)


@every_problem
def test_key_and_number_decide_and_nothing_else(name):
    draw, again, other = drawer(name), drawer(name), drawer(name, jax.random.key(4))
    again.inside(50, 9)
    assert np.array_equal(draw.inside(100, 2), again.inside(100, 2))
    assert not np.isin(draw.inside(100, 2)[:, 0], draw.inside(100, 3)[:, 0]).any()
    assert not np.isin(draw.inside(100, 2)[:, 0], other.inside(100, 2)[:, 0]).any()
    numbers = [draw.random(number).random() for number in range(20)]
    assert len(set(numbers)) == 20
    assert draw.random(5).random() == numbers[5]


# --- on the boundary


def right_half(points):
    return points[:, 0] > 0


def test_points_on_pieces_have_outward_normals_and_follow_their_lengths():
    problem = Problem(
        L_SHAPE, Poisson(), [Neumann("all"), Robin("mine", 1.0), Neumann("edge 3")], {"mine": right_half}
    )
    draw = Collocation(problem.in_fields, key=KEY)
    whole, mine, single = (draw.on(condition, 400, 1 + i) for i, condition in enumerate(problem.conditions))
    for sides in (whole, mine, single):
        assert sides.points.shape == sides.normals.shape == (400, 2)
        np.testing.assert_allclose(np.linalg.norm(sides.normals, axis=1), 1.0, rtol=1e-12)
        step = 1e-6 * sides.normals
        assert np.all(inside_l(sides.points - step))
        assert not np.any(inside_l(sides.points + step))
    edges = np.sum(np.abs(single.points) < 1e-12, axis=1)
    assert np.all(edges >= 1), "edge 3 runs up from the corner at 0"
    np.testing.assert_allclose(single.normals, [[1.0, 0.0]] * 400, atol=1e-12)
    assert np.all(mine.points[:, 0] > 0)
    long_sides = (np.abs(whole.points[:, 0] + 1) < 1e-12) | (np.abs(whole.points[:, 1] + 1) < 1e-12)
    assert abs(np.mean(long_sides) - 0.5) < 0.02, "4 of 8 lengths"
    assert len(np.unique(np.sign(whole.normals[:50]), axis=0)) == 4, "in random order"


def inside_l(points):
    return (np.abs(points) < 1).all(axis=1) & (points < 0).any(axis=1)


def test_points_on_moving_pieces_have_even_times():
    rim = Neumann("rim")
    problem = Problem(sdf.Circle(0.5), HEAT, [rim], time=TIME).in_fields
    draw = Collocation(problem, key=KEY)
    sides = draw.on(rim, 400, 7)
    assert (sides.points.shape, sides.normals.shape) == ((400, 3), (400, 2))
    np.testing.assert_allclose(sides.points[:, :2], 0.5 * sides.normals, atol=1e-12)
    moments = sides.points[:, 2]
    assert np.all((moments >= 0.5) & (moments <= 2.0))
    np.testing.assert_allclose(np.histogram(moments, 8, TIME)[0], 50, atol=1)
    turn = np.arctan2(sides.points[:, 1], sides.points[:, 0])
    assert abs(np.corrcoef(turn, moments)[0, 1]) < 0.2, "time does not run around the rim"
    again = Collocation(problem, key=KEY)
    assert np.array_equal(again.on(rim, 400, 7).points, sides.points)
    assert not np.array_equal(again.on(rim, 400, 8).points, sides.points)


def test_both_ends_of_an_interval_have_points():
    ends = Neumann("all")
    draw = Collocation(Problem(LINE, Poisson(), [ends]).in_fields, key=KEY)
    sides = draw.on(ends, 10, 0)
    assert sorted(sides.points[:, 0]) == [-1.0] * 5 + [2.0] * 5
    np.testing.assert_array_equal(sides.normals, np.sign(sides.points))


# --- the choice by residual


def test_large_residuals_are_chosen_with_their_chances():
    """Residual 9 at a tenth of the points, 1 elsewhere: chances as 9/1.8 + 0.2 to 1/1.8 + 0.2."""
    residual = np.where(np.arange(10_000) % 10 == 0, -9.0, 1.0)
    chosen = pick(residual, 300, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 300
    share = np.mean(chosen % 10 == 0)
    large, small = 0.1 * (9 / 1.8 + 0.2), 0.9 * (1 / 1.8 + 0.2)
    expected = large / (large + small)
    assert (
        abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 300) + 0.02
    )  # drawn without repetition


def test_small_residuals_are_chosen_on_demand_and_none_is_left_out():
    residual = np.where(np.arange(10_000) % 10 == 0, 9.0, 1.0)
    chosen = pick(residual, 300, np.random.default_rng(0), small=True)
    assert np.mean(chosen % 10 == 0) < 0.05
    peak = np.zeros(1000)
    peak[:10] = 1.0
    assert np.sum(pick(peak, 200, np.random.default_rng(1)) >= 10) > 150, (
        "points without residual are chosen too"
    )
    even = pick(np.zeros(1000), 500, np.random.default_rng(2))
    assert abs(np.mean(even < 500) - 0.5) < 0.15
    assert np.array_equal(
        pick(residual, 50, np.random.default_rng(3)), pick(residual, 50, np.random.default_rng(3))
    )
