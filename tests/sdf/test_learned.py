"""Learned shapes: what a fit reaches, what a code finds again, and the figures that say so."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed import check
from geoembed.core import InputError, Siren
from geoembed.sdf import (
    Sphere,
    Terms,
    agreement,
    evaluate,
    fit,
    fit_family,
    fit_points,
    march,
)
from geoembed.sdf._learned._agreement import triangle_distances
from tests.sdf.encoder_rows import fit_ball, neural_ball

KEY = jax.random.key(6)
RADII = np.linspace(0.5, 1.0, 6)


def points_in(low, high, count=512, seed=0):
    return np.random.default_rng(seed).uniform(low, high, (count, 3)).astype(np.float32)


def sphere_points(radius, count=600, seed=1):
    normals = np.random.default_rng(seed).standard_normal((count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return radius * normals, normals


# --- one network for one shape


def test_a_fit_finds_the_distance_and_its_slope():
    """Against the closed form, at points of its own."""
    field = neural_ball()
    points = points_in(-1.1, 1.1)
    exact = np.linalg.norm(points, axis=1) - 1.0
    near = np.abs(exact) < 0.2
    errors = np.abs(evaluate(field, points) - exact)
    assert errors[near].max() < 0.05
    slopes = np.asarray(jax.jit(jax.vmap(jax.grad(field)))(jnp.asarray(points)))
    residual = np.abs(np.linalg.norm(slopes, axis=1) - 1)[near]
    assert np.median(residual) < 0.05
    report = field.report
    assert report.status == "done"
    assert 0 < report.value.median <= report.value.p99 <= report.value.largest < 0.05
    assert report.parameters == 4 * 16 + 16 * 16 + 16 + 17


@functools.cache
def cloud_ball(steps, eikonal=0.5):
    """A ball from points and normals, of any length, on its surface."""
    points, normals = sphere_points(1.0)
    network = Siren(3, 1, 16, 2, first=4.0, frequency=4.0, key=KEY), None
    terms = Terms(value=3.0, normal=0.1, eikonal=eikonal, empty=0.1)
    options = {"steps": steps, "batch": 128, "rate": 1e-2, "terms": terms, "key": KEY}
    with jax.enable_x64(False):
        return fit_points(points, 7 * normals, network=network, **options)


def slope_residual(field):
    """The mean of | |∇f| − 1 | off the surface, where only the eikonal term has a say."""
    points = jnp.asarray(points_in(-1.1, 1.1))
    near = np.abs(np.linalg.norm(points, axis=1) - 1) < 0.3
    slopes = np.asarray(jax.jit(jax.vmap(jax.grad(field)))(points))
    return np.mean(np.abs(np.linalg.norm(slopes, axis=1) - 1)[near])


def test_training_brings_the_slope_to_one_off_the_surface():
    residual = slope_residual(cloud_ball(300))
    assert residual < 0.12
    assert slope_residual(cloud_ball(1)) > 3 * residual


@pytest.mark.slow
def test_it_is_the_eikonal_term_that_does_it():
    assert slope_residual(cloud_ball(300, 0.0)) > 1.6 * slope_residual(cloud_ball(300))


def test_points_with_normals_give_a_solid():
    """Inside and outside are on the right sides, also away from the points."""
    field = cloud_ball(300)
    drawn = points_in(-1.15, 1.15)
    exact = np.linalg.norm(drawn, axis=1) - 1.0
    clear = np.abs(exact) > 0.08
    assert np.array_equal(evaluate(field, drawn)[clear] < 0, exact[clear] < 0)
    assert field.report.value.p99 < 0.05


def test_outside_its_box_the_field_goes_on_as_documented(precision):
    field = neural_ball()
    low, high = field.bounds
    points = np.array([[3.0, 0.2, -0.1], [2.0, 2.0, 2.0], [0.0, -1.9, 5.0]])
    nearest = np.clip(points, low, high)
    inner = np.asarray(jax.vmap(field.unit)(jnp.asarray(nearest / max(field.half), precision)))
    gap = np.linalg.norm(points - nearest, axis=1)
    found, slopes = jax.jit(jax.vmap(jax.value_and_grad(field)))(jnp.asarray(points, precision))
    np.testing.assert_allclose(found, np.hypot(max(field.half) * inner, gap), rtol=1e-5)
    assert np.isfinite(slopes).all()


def test_its_second_derivatives_are_those_of_its_values():
    field = neural_ball()
    with jax.enable_x64(True):
        x, steps = jnp.array([0.6, -0.3, 0.5]), 1e-4 * jnp.eye(3)
        slopes = jax.jit(jax.vmap(jax.grad(field)))(jnp.concatenate([x[None] + steps, x[None] - steps]))
        hessian = jax.jit(jax.hessian(field))(x)
        differences = np.asarray(slopes[:3] - slopes[3:]) / 2e-4
    np.testing.assert_allclose(hessian, differences, atol=1e-6)


def test_a_fit_reports_and_stops_when_asked():
    seen = []
    field = fit_ball(steps=500, callback=seen.append, should_stop=lambda: len(seen) == 2)
    assert [p.step for p in seen] == [100, 200]
    assert (field.report.status, field.report.steps) == ("interrupted", 200)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["siren", "fourier", "hash"])
def test_each_named_network_fits_a_drilled_block(network):
    from geoembed.sdf import Box, Cylinder

    part = Box((1.0, 0.8, 0.4)) - Cylinder(0.2, 1.0)
    field = fit(part, network=network, steps=600, batch=1024, points=2**14, key=KEY)
    found = agreement(part, field, key=KEY, cells=48, points=2**12)
    assert found.iou > 0.95
    assert found.chamfer < 0.01


def test_refusals_of_fits():
    with pytest.raises(ValueError, match="no bounds"):
        fit(lambda x: x[0], key=KEY)
    with pytest.raises(InputError, match="not finite"):
        fit(lambda x: x[0] / 0.0, bounds=((0, 0, 0), (1, 1, 1)), points=64, key=KEY)
    points, normals = sphere_points(1.0, 5)
    with pytest.raises(InputError, match="row 3"):
        fit_points(points, np.where(np.arange(5)[:, None] == 3, 0.0, normals), key=KEY)


# --- a family


@functools.cache
def balls():
    """Spheres of six radii, with codes of one number."""
    net = Siren(3, 1, 16, 2, first=3.0, frequency=3.0, key=KEY), None
    with jax.enable_x64(False):
        return fit_family(
            [Sphere(radius) for radius in RADII],
            size=1,
            network=net,
            steps=700,
            batch=64,
            points=1024,
            rate=1e-2,
            key=KEY,
        )


def radius_of(field):
    """The mean distance of the surface from the origin along some rays, by bisection."""
    rays = sphere_points(1.0, 64, seed=3)[0].astype(np.float32)
    low, high = np.full(64, 0.2), np.full(64, 1.15)
    for _ in range(16):
        middle = 0.5 * (low + high)
        outside = evaluate(field, (middle[:, None] * rays).astype(np.float32)) > 0
        low, high = np.where(outside, low, middle), np.where(outside, middle, high)
    return float(middle.mean())


def test_a_family_learns_its_shapes():
    family = balls()
    assert family.report.status == "done"
    found = [radius_of(family.decode(code)) for code in family.codes]
    np.testing.assert_allclose(found, RADII, atol=0.03)


def test_similar_shapes_have_similar_codes_and_what_lies_between_decodes_between():
    family = balls()
    codes = np.asarray(family.codes)[:, 0]
    steps = np.diff(codes)
    assert np.all(steps > 0) or np.all(steps < 0)
    middle = radius_of(family.decode((family.codes[1] + family.codes[4]) / 2))
    assert RADII[1] + 0.05 < middle < RADII[4] - 0.05


SEARCH = {"key": KEY, "steps": 150, "batch": 64}


def test_embedding_finds_a_known_code_again():
    """Of a shape that the family makes itself; the nearest code of training, where the search starts, is far."""
    family = balls()
    known = family.codes[2] + 0.4 * (family.codes[3] - family.codes[2])
    found = family.embed(family.decode(known), points=1024, **SEARCH)
    gap = float(jnp.abs(family.codes[3] - family.codes[2])[0])
    assert abs(float((found.code - known)[0])) < 0.05 * gap
    assert found.loss < 1e-3
    assert found.status == "done"


def test_embedding_a_new_shape_from_half_of_its_surface():
    points, normals = sphere_points(0.77, 400)
    half = points[:, 0] > 0
    found = balls().embed_points(points[half], normals[half], **SEARCH)
    assert abs(radius_of(found.sdf) - 0.77) < 0.03


def test_decoding_differentiates_in_the_code():
    """d f/d code against differences; for a sphere f grows where the radius falls."""
    family = balls()
    with jax.enable_x64(True):
        code, x = family.codes[2].astype(jnp.float64), jnp.array([0.7, 0.1, 0.2])
        value = jax.jit(lambda c: family.decode(c)(x))
        slope = jax.grad(value)(code)
        rise = (value(code + 1e-5) - value(code - 1e-5)) / 2e-5
    np.testing.assert_allclose(slope[0], rise, rtol=1e-6)
    check.assert_exports(lambda c: family.decode(c)(jnp.asarray([0.7, 0.1, 0.2], c.dtype)), family.codes[0])


def test_a_family_comes_back_from_its_artefact(tmp_path):
    family = balls()
    geoembed.save(tmp_path / "family", family)
    loaded = geoembed.load(tmp_path / "family")
    x = jnp.array([0.3, 0.2, 0.5])
    assert float(loaded.decode(loaded.codes[1])(x)) == float(family.decode(family.codes[1])(x))
    assert loaded.report == family.report


def test_refusals_of_families():
    with pytest.raises(ValueError, match="needs shapes"):
        fit_family([], key=KEY)
    with pytest.raises(ValueError, match="a code has the shape"):
        balls().decode(jnp.zeros(3))


# --- figures of agreement


def test_agreement_of_two_spheres_against_closed_forms():
    found = agreement(Sphere(1.0), Sphere(0.9), key=KEY, cells=48, points=2**11)
    assert abs(found.iou - 0.9**3) < 0.01
    for value in (found.chamfer, found.forth, found.back, found.largest):
        assert abs(value - 0.1) < 0.004


def test_agreement_is_not_symmetric_where_it_should_not_be():
    """A second ball far away: the way forth is zero for one, the way back long for the other."""
    two = Sphere(0.4) | Sphere(0.4).translate((2.0, 0.0, 0.0))
    box = ((-0.6, -0.6, -0.6), (2.6, 0.6, 0.6))
    found = agreement(Sphere(0.4), two, key=KEY, bounds=box, cells=48, points=2**11)
    assert found.forth < 2e-3 < 0.5 < found.back < 1.2
    assert abs(found.iou - 0.5) < 0.02


def test_surfaces_at_hand_are_used():
    small = march(Sphere(0.5), cells=24)
    found = agreement(Sphere(1.0), Sphere(1.0), key=KEY, cells=24, points=2**10, surfaces=(None, small))
    assert found.iou == 1
    assert abs(found.chamfer - 0.5) < 0.02


def test_distance_to_a_triangle_against_dense_samples():
    random = np.random.default_rng(0)
    a, b, c = random.standard_normal((3, 40, 3))
    p = 1.5 * random.standard_normal((40, 3))
    u, v = np.meshgrid(np.linspace(0, 1, 201), np.linspace(0, 1, 201))
    inside = u + v <= 1 + 1e-12
    u, v = u[inside][:, None, None], v[inside][:, None, None]
    samples = a[None] + u * (b - a)[None] + v * (c - a)[None]
    nearest = np.linalg.norm(samples - p[None], axis=2).min(axis=0)
    found = triangle_distances(p, a, b, c)
    assert np.all(found <= nearest + 1e-12)
    assert np.all(nearest - found < 0.02)
    degenerate = triangle_distances(p, a, a, b)
    on_segment = np.linalg.norm(a[None] + u * (b - a)[None] - p[None], axis=2).min(axis=0)
    np.testing.assert_allclose(degenerate, on_segment, atol=0.02)


def test_agreement_needs_something_inside():
    with pytest.raises(InputError, match="no point of the box is inside"):
        agreement(Sphere(1.0), Sphere(1.0), key=KEY, bounds=((5, 5, 5), (6, 6, 6)), points=64)


def test_a_poor_field_promises_no_eikonal_equation():
    field = neural_ball()
    kinds = [p.kind for p in field.properties]
    assert kinds == ["smooth", "eikonal"]
    bad = dataclasses.replace(field.report, eikonal=dataclasses.replace(field.report.eikonal, largest=0.9))
    assert [p.kind for p in dataclasses.replace(field, report=bad).properties] == ["smooth"]
