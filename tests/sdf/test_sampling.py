"""Sample points against exact areas, volumes and moments."""

import jax
import numpy as np
import pytest
import trimesh

from geoembed.core import InputError
from geoembed.sdf import load_mesh, mesh_sdf, sample_interior, sample_surface


def hollow_block():
    """A block with a cavity off its centre, so that the first moments are not zero."""
    outer, inner = trimesh.creation.box((3, 2, 1)), trimesh.creation.box((1, 1, 0.5))
    inner.apply_translation((0.7, -0.2, 0.1))
    inner.invert()
    outer.apply_translation((10, 20, 30))
    inner.apply_translation((10, 20, 30))
    return trimesh.util.concatenate([outer, inner])


@pytest.fixture(scope="module")
def mesh():
    return hollow_block()


@pytest.fixture(scope="module")
def part(mesh):
    return mesh_sdf(np.array(mesh.vertices), np.array(mesh.faces), unit="m")


def surface_moments(mesh):
    """∫ x dA and ∫ x² dA, exact: the mid-point rule of the edges integrates quadratics on a triangle."""
    corners = np.asarray(mesh.triangles)
    middles = 0.5 * (corners + np.roll(corners, -1, axis=1))
    weight = mesh.area_faces[:, None, None] / 3
    return np.sum(weight * middles, axis=(0, 1)), np.sum(weight * middles**2, axis=(0, 1))


def volume_moments(mesh):
    """∫ x dV and ∫ x² dV from trimesh's mass properties."""
    moments = mesh.mass_properties
    diagonal = np.diagonal(moments.inertia)  # about the centre of mass
    second = diagonal.sum() / 2 - diagonal + moments.mass * moments.center_mass**2
    return moments.mass * moments.center_mass, second


def check_unbiased(estimates, exact, n):
    """The mean over keys must lie within 4.5 standard errors, and each error below the Monte Carlo one."""
    estimates = np.array(estimates)
    spread = estimates.std(axis=0, ddof=1)
    error = np.abs(estimates.mean(axis=0) - exact)
    assert np.all(error <= 4.5 * spread / np.sqrt(len(estimates)) + 1e-12 * np.abs(exact))
    assert np.all(spread <= 0.6 * np.abs(exact) / np.sqrt(n))


def test_surface_points_lie_on_their_faces(part):
    sample = sample_surface(part, 500, key=jax.random.key(0))
    corners = part.vertices[part.faces[sample.faces]]
    height = np.sum((sample.points - corners[:, 0]) * sample.normals, axis=1)
    np.testing.assert_allclose(height, 0, atol=1e-13)
    np.testing.assert_array_equal(sample.normals, part.normals[sample.faces])
    assert sample.points.dtype == np.float64
    assert sample.weights.sum() == pytest.approx(22 + 4, rel=1e-12)


def test_surface_integrals_are_unbiased(mesh, part):
    first, second = surface_moments(mesh)
    samples = [sample_surface(part, 200, key=jax.random.key(i)) for i in range(40)]
    check_unbiased([s.weights @ s.points for s in samples], first, 200)
    check_unbiased([s.weights @ s.points**2 for s in samples], second, 200)


def test_points_per_face_follow_the_areas(part):
    sample = sample_surface(part, 4096, key=jax.random.key(3))
    count = np.bincount(sample.faces, minlength=len(part.faces))
    expected = 4096 * part.areas / part.areas.sum()
    np.testing.assert_allclose(count, expected, atol=2)  # Sobol: far closer than the √n of random draws


def test_chosen_faces_only(part):
    chosen = part.normals[:, 2] < -0.9
    for faces in (chosen, np.flatnonzero(chosen)):
        sample = sample_surface(part, 100, key=jax.random.key(1), faces=faces)
        assert chosen[sample.faces].all()
        assert sample.weights.sum() == pytest.approx(6 + 1)
    with pytest.raises(ValueError, match="no face"):
        sample_surface(part, 10, key=jax.random.key(0), faces=np.zeros(len(chosen), bool))


def test_interior_points_are_inside(mesh, part):
    sample = sample_interior(part, 3000, key=jax.random.key(0))
    assert sample.points.shape == (3000, 3)
    local = sample.points - np.array([10, 20, 30])
    assert np.all(np.abs(local) <= np.array([1.5, 1.0, 0.5]))
    in_cavity = np.all(np.abs(local - np.array([0.7, -0.2, 0.1])) < np.array([0.5, 0.5, 0.25]), axis=1)
    assert not in_cavity.any()
    assert np.all(sample.distances < 0)
    assert sample.weights.sum() == pytest.approx(6 - 0.5, rel=1e-12)


def test_interior_integrals_are_unbiased(mesh, part):
    first, second = volume_moments(mesh)
    samples = [sample_interior(part, 200, key=jax.random.key(i)) for i in range(40)]
    check_unbiased([s.weights @ s.points for s in samples], first, 200)
    check_unbiased([s.weights @ s.points**2 for s in samples], second, 200)


def test_the_key_decides_and_nothing_else(part):
    for draw in (sample_surface, sample_interior):
        first, again, other = (draw(part, 64, key=jax.random.key(k)) for k in (5, 5, 6))
        np.testing.assert_array_equal(first.points, again.points)
        assert not np.array_equal(first.points, other.points)
        with jax.enable_x64(True):
            np.testing.assert_array_equal(first.points, draw(part, 64, key=jax.random.key(5)).points)


def test_no_points(part):
    assert sample_surface(part, 0, key=jax.random.key(0)).points.shape == (0, 3)
    assert sample_interior(part, 0, key=jax.random.key(0)).points.shape == (0, 3)
    with pytest.raises(ValueError, match="negative"):
        sample_interior(part, -1, key=jax.random.key(0))


def test_a_surface_with_a_hole_has_no_interior(mesh):
    faces = np.array(mesh.faces)[1:]
    sheet = mesh_sdf(np.array(mesh.vertices), faces, unit="m")
    with pytest.raises(InputError, match="not a closed"):
        sample_interior(sheet, 10, key=jax.random.key(0))
    assert len(sample_surface(sheet, 10, key=jax.random.key(0)).points) == 10


def test_a_thin_plate_still_gives_exactly_n_points():
    plate = trimesh.creation.box((1, 1, 1e-3))
    turn = trimesh.transformations.rotation_matrix(0.7, (1, 2, 3))
    plate.apply_transform(turn)  # fills a small part of its box
    sample = sample_interior(
        mesh_sdf(np.array(plate.vertices), np.array(plate.faces), unit="m"), 200, key=jax.random.key(2)
    )
    assert len(sample.points) == 200
    assert np.all(np.abs((sample.points @ turn[:3, :3])[:, 2]) <= 5e-4)


def test_moments_of_a_real_part(data):
    path = data / "sdf" / "heatsink_gen.stl"
    part, mesh = load_mesh(path, unit="mm"), trimesh.load(path)
    inside = sample_interior(part, 8192, key=jax.random.key(0))
    assert inside.weights.sum() == pytest.approx(mesh.volume, rel=1e-9)
    np.testing.assert_allclose((inside.weights @ inside.points) / mesh.volume, mesh.center_mass, atol=0.05)
    on = sample_surface(part, 8192, key=jax.random.key(0))
    np.testing.assert_allclose((on.weights @ on.points) / mesh.area, mesh.centroid, atol=0.05)
