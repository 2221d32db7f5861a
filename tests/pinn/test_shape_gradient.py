"""Derivatives in the shape: closed forms of rods and shells, motions that change nothing, what it refuses."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import InputError
from geoembed.pinn import (
    Convection,
    HeatFlux,
    MeanTemperature,
    PeakTemperature,
    Problem,
    Radiation,
    SteadyHeat,
    Temperature,
    patch_velocity,
    shape_gradient,
)
from geoembed.pinn._shape_motion import pull_back
from geoembed.sdf import Box, Sphere, Translate, evaluate, in_box
from tests.pinn.parts import ENDS, blocks, box, shell

K, H, SOURCE, SIDE = 2.0, 50.0, 3e4, 0.03
KEY = jax.random.key(0)
ROD = {"length": 0.1, "start": np.array(0.02)}


def rod_problem(p):
    """Heat is released evenly; the left end is held at 400 K, the right one convects to 300 K."""
    domain = box((float(p["length"]), SIDE, SIDE), (float(p["start"]), 0.0, 0.0))
    conditions = [Temperature("left", 400.0), Convection("right", H, 300.0)]
    return Problem(domain, SteadyHeat(K, source=SOURCE), conditions, ENDS)


def rod_shape(p):
    length, side = p["length"], jnp.asarray(SIDE, p["length"].dtype)
    middle = [p["start"] + length / 2, side / 2, side / 2]
    return Translate(Box(jnp.stack([length, side, side])), jnp.stack(middle))


def rod_temperature(s, length):
    slope = (SOURCE * length - H * 100.0 + H * SOURCE * length**2 / (2 * K)) / (K + H * length)
    return 400.0 + slope * s - SOURCE * s**2 / (2 * K)


def rod_exact(name, length):
    s = np.linspace(0.0, length, 20_001)
    t = rod_temperature(s, length)
    if name == "right":
        return t[-1]
    return t.max() + 5.0 * np.log(np.trapezoid(np.exp((t - t.max()) / 5.0), s) / length)


@pytest.fixture(scope="module")
def rod_peak():
    functional = PeakTemperature(width=5.0)
    return shape_gradient(rod_problem, ROD, functional, shape_of=rod_shape, key=KEY, cells=500)


@pytest.fixture(scope="module")
def rod_end():
    functional = MeanTemperature("right")
    return shape_gradient(rod_problem, ROD, functional, shape_of=rod_shape, key=KEY, cells=500)


@pytest.mark.parametrize("name", ["peak", "right"])
def test_a_rod_that_grows(name, rod_peak, rod_end):
    found = rod_peak if name == "peak" else rod_end
    step = 1e-4
    exact = (rod_exact(name, 0.1 + step) - rod_exact(name, 0.1 - step)) / (2 * step)
    assert found.value == pytest.approx(rod_exact(name, 0.1), abs=0.1)
    assert found.gradient["length"] == pytest.approx(exact, rel=1e-2)
    assert found.converged
    assert found.solves == 5


def test_a_part_that_moves_or_turns_stays_as_warm(rod_peak):
    vertices = rod_problem(ROD).domain.vertices
    scale = abs(rod_peak.gradient["length"])
    assert abs(float(rod_peak.gradient["start"])) < 1e-3 * scale
    for axis in np.eye(3):
        assert abs(rod_peak.along(np.broadcast_to(axis, vertices.shape))) < 1e-3 * scale
        assert abs(rod_peak.along(np.cross(axis, vertices))) < 2e-3 * 0.1 * scale


def test_the_gradient_is_like_the_parameters(rod_peak):
    assert isinstance(rod_peak.gradient["length"], float)
    assert rod_peak.gradient["start"].dtype == np.float64


def test_an_end_that_is_moved(rod_end):
    """The rod grows by what its end moves outwards; along itself an end only slides."""
    problem, step = rod_problem(ROD), 1e-4
    exact = (rod_exact("right", 0.1 + step) - rod_exact("right", 0.1 - step)) / (2 * step)
    assert rod_end.along(patch_velocity(problem, "right")) == pytest.approx(exact, rel=1e-2)
    assert rod_end.along(patch_velocity(problem, "left", (2.0, 1.0, 0.0))) == pytest.approx(
        -2 * exact, rel=1e-2
    )
    assert np.all(patch_velocity(problem, "right", (0.0, 0.0, 3.0)) == 0)


def test_patches_that_cannot_be_moved():
    problem = rod_problem(ROD)
    with pytest.raises(InputError, match="no patch named"):
        patch_velocity(problem, "nowhere")
    with pytest.raises(InputError, match="no direction"):
        patch_velocity(problem, "right", (0.0, 0.0, 0.0))
    part = blocks([0, 1, 2], [0, 1], [0, 1], np.ones((2, 1, 1)))
    patches = {"half": in_box((-0.1, -0.1, 0.9), (1.1, 1.1, 1.1))}
    heated = Problem(part, SteadyHeat(K), [Convection("half", H, 300.0)], patches)
    with pytest.raises(InputError, match="inside a smooth face"):
        patch_velocity(heated, "half")
    assert np.abs(patch_velocity(heated, "half", (1.0, 0.0, 0.0))).max() < 1e-12


def test_the_adjoint_is_a_response_to_heat(rod_end):
    """One watt at a distance s from the held end raises the other one by s/(k A) / (1 + h l/k)."""
    x = np.array([0.03, 0.06, 0.1])
    points = np.stack([x, np.full(3, 0.012), np.full(3, 0.017)], axis=1)
    exact = (x - 0.02) / (K * SIDE**2) / (1 + H * 0.1 / K)
    assert np.allclose(evaluate(rod_end.adjoint, points), exact, rtol=1e-2)


@pytest.mark.slow
def test_the_surface_form_comes_near():
    functional = MeanTemperature()
    found = shape_gradient(
        rod_problem, ROD, functional, shape_of=rod_shape, key=KEY, cells=1000, form="surface"
    )
    assert found.gradient["length"] == pytest.approx(2000 / 7, rel=0.1)
    assert found.solves == 2


def volume_gradient(domain):
    """d(volume)/d(vertices): a sixth of the cross products of the other two corners."""
    corners, found = domain.vertices[domain.faces], np.zeros(domain.vertices.shape)
    for k in range(3):
        np.add.at(found, domain.faces[:, k], np.cross(corners[:, (k + 1) % 3], corners[:, (k + 2) % 3]) / 6)
    return found


def fin_shape(p):
    base = Translate(Box((4.0, 2.0, 1.0)), (2.0, 1.0, 0.5))
    two, one = jnp.asarray(2.0, p["top"].dtype), jnp.asarray(1.0, p["top"].dtype)
    fin = Box(jnp.stack([p["thick"], two, p["top"]]))
    return base | Translate(fin, jnp.stack([p["place"], one, p["top"] / 2]))


def test_volume_of_a_plate_with_a_fin():
    solid = np.ones((3, 1, 2), bool)
    solid[[0, 2], :, 1] = False
    domain = blocks([0, 1, 1.5, 4], [0, 2], [0, 1, 3], solid)
    p = {"place": 1.25, "thick": 0.5, "top": 3.0}
    found = pull_back(domain, volume_gradient(domain), fin_shape, p)
    assert found == pytest.approx({"place": 0.0, "thick": 4.0, "top": 1.0}, abs=1e-9)


@pytest.mark.slow
def test_volume_and_moments_of_a_ball():
    domain = shell(0.5, 1.0, 3)
    shape = Sphere(1.0) - Translate(Sphere(0.5), (0.0, 0.0, 0.0))
    found = pull_back(domain, volume_gradient(domain), lambda s: s, shape)
    assert float(found.a.radius) == pytest.approx(4 * np.pi, rel=0.02)
    assert float(found.b.shape.radius) == pytest.approx(-np.pi, rel=0.02)
    first = np.asarray(domain.vertices) * np.array([1.0, 0.0, 0.0])  # a gradient that grows towards +x
    moved = pull_back(domain, first, lambda s: s, shape)
    assert float(moved.b.shift[0]) == pytest.approx(first[_inner(domain), 0] @ _cosine(domain), rel=0.02)


def _inner(domain):
    return np.linalg.norm(domain.vertices, axis=1) < 0.75


def _cosine(domain):
    """The shortest velocity that moves the sphere by one along x is n nₓ: its x component."""
    inner = np.asarray(domain.vertices)[_inner(domain)]
    return (inner[:, 0] / np.linalg.norm(inner, axis=1)) ** 2


def test_the_peak_lies_between_mean_and_maximum():
    t = np.array([300.0, 310.0, 320.0])
    values = []
    for width in (1e4, 5.0, 0.01):
        density, slope = PeakTemperature(width=width).density(t, 320.0)
        ahead, _ = PeakTemperature(width=width).density(t + 1e-6 * width, 320.0)
        assert np.allclose((ahead - density) / (1e-6 * width), slope, rtol=1e-5)
        values.append(PeakTemperature(width=width).outer(float(density.mean()), 320.0)[0])
    assert values[0] == pytest.approx(310.0, abs=0.1)
    assert values[2] == pytest.approx(320.0, abs=0.1)
    assert values[0] < values[1] < values[2]


def test_refuses():
    other = {"length": 0.2, "start": np.array(0.02)}
    options = {"shape_of": rod_shape, "key": KEY, "cells": 200, "form": "surface"}
    with pytest.raises(InputError, match="not where the shape"):
        shape_gradient(lambda p: rod_problem(other), ROD, MeanTemperature(), **options)
    with pytest.raises(InputError, match="nowhere"):
        shape_gradient(rod_problem, ROD, MeanTemperature("nowhere"), **options)
    with pytest.raises(InputError, match="cells"):
        shape_gradient(rod_problem, ROD, MeanTemperature(), **{**options, "cells": 3})
    with pytest.raises(InputError, match="form"):
        shape_gradient(rod_problem, ROD, MeanTemperature(), **{**options, "form": "edge"})
    with pytest.raises(InputError, match="width"):
        PeakTemperature(width=0.0)
    glowing = replace(
        rod_problem(ROD), conditions=[Temperature("left", 400.0), Radiation("right", 0.5, 300.0)]
    )
    with pytest.raises(InputError, match="no shape gradient yet"):
        shape_gradient(lambda p: glowing, ROD, MeanTemperature(), key=KEY)


@pytest.mark.slow
def test_a_shell_whose_radii_grow():
    """A flux f through the inner sphere a, convection at the outer one b: J = T(a)."""

    def problem_of(p):
        a, b = float(p[0]), float(p[1])
        far = 1.2 * a
        inner = in_box((-far, -far, -far), (far, far, far))
        conditions = [HeatFlux("inner", 100.0), Convection("rest", 5.0, 300.0)]
        return Problem(shell(a, b, 4), SteadyHeat(2.0), conditions, {"inner": inner})

    def exact(a, b):
        return 300.0 + 100 * a**2 / (5 * b**2) + 50 * a**2 * (1 / a - 1 / b)

    found = shape_gradient(
        problem_of,
        np.array([1.0, 2.0]),
        MeanTemperature("inner"),
        shape_of=lambda p: Sphere(p[1]) - Sphere(p[0]),
        key=KEY,
        cells=8000,
    )
    assert found.value == pytest.approx(exact(1.0, 2.0), abs=0.3)  # 1 % of what it rises
    assert found.gradient == pytest.approx([10.0, 7.5], rel=2e-2)
