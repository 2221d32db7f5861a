"""The distance as a function of the vertices: values, derivatives of both orders, and what stays fixed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from geoembed.sdf import mesh_sdf
from tests.sdf.test_mesh import (
    MADE,
    as_arrays,
    ericson_distance,
    probes,
    reference,
    values,
    winding_number,
)
from tests.sdf.test_winding import open_sphere


def wobble(vertices, seed=0, size=0.03):
    """A smooth motion of space, so that surfaces stay closed and do not cut themselves."""
    rng = np.random.default_rng(seed)
    return vertices + size * np.sin(vertices @ rng.normal(size=(3, 3)) + rng.normal(size=3))


def test_values_are_those_of_the_mesh_of_the_moved_vertices():
    vertices, faces = MADE["touching_cubes"]()
    mesh = mesh_sdf(vertices, faces, unit="m")
    moved = wobble(mesh.vertices).astype(np.float32).astype(np.float64)
    for places in (moved, mesh.vertices):
        points = probes(places, mesh.faces)
        exact = reference(places[mesh.faces], points)
        got = values(mesh.with_vertices(jnp.asarray(places, jnp.float32)), points, jnp.float32)
        assert got.dtype == jnp.float32
        bar = 5e-7 * np.linalg.norm(np.ptp(places, axis=0))
        np.testing.assert_allclose(np.abs(got), np.abs(exact), atol=bar)
        far = np.abs(exact) > 1e-5
        np.testing.assert_array_equal(np.sign(got)[far], np.sign(exact)[far])


@pytest.fixture(scope="module")
def prism():
    """An L-shaped prism, probes around it, and the derivative of their distances along a motion and backwards."""
    mesh = mesh_sdf(*MADE["l_prism"](), unit="m")
    points = probes(mesh.vertices, mesh.faces, 100)

    @jax.jit
    def derivatives(vertices, motion, weights):
        def at(v):
            return jax.vmap(mesh.with_vertices(v))(jnp.asarray(points))

        value, slope = jax.linearize(at, vertices)
        return value, slope(motion), jax.linear_transpose(slope, vertices)(weights)[0]

    def both_ways(motion, weights):
        with jax.enable_x64(True):
            found = derivatives(*map(jnp.asarray, (mesh.vertices, motion, weights)))
            return [np.asarray(part) for part in found]

    with jax.enable_x64(True):
        there = jax.tree.map(np.asarray, jax.vmap(mesh.closest)(jnp.asarray(points)))
    return mesh, points, there, both_ways


def test_the_derivative_in_the_vertices_is_the_finite_difference(prism):
    mesh, points, _, both_ways = prism
    vertices, faces, step = mesh.vertices, mesh.faces, 1e-5
    motion = np.random.default_rng(0).normal(size=vertices.shape)
    value, slope, pulled = both_ways(motion, np.ones(len(points)))
    ahead, behind = (ericson_distance((vertices + s * step * motion)[faces], points) for s in (1, -1))
    middle = ericson_distance(vertices[faces], points)
    np.testing.assert_allclose(np.abs(value), middle, atol=1e-13)
    numeric = np.sign(value) * (ahead - behind) / (2 * step)
    # Near the medial axis the nearest triangle changes within the step, and a second difference shows it.
    smooth = np.abs(ahead + behind - 2 * middle) < 1e-8
    assert smooth.mean() > 0.8
    np.testing.assert_allclose(slope[smooth], numeric[smooth], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.sum(pulled * motion), np.sum(slope), rtol=1e-12)


def test_only_the_nearest_face_counts_with_the_weights_of_the_nearest_point(prism):
    mesh, points, there, both_ways = prism
    for number in (0, 60, 150):
        weights = np.zeros(len(points))
        weights[number] = 1
        pulled = both_ways(np.zeros(mesh.vertices.shape), weights)[2]
        expected = np.zeros(mesh.vertices.shape)
        shares = -there.barycentric[number][:, None] * there.normal[number]
        np.add.at(expected, mesh.faces[there.face[number]], shares)
        np.testing.assert_allclose(pulled, expected, atol=1e-12)


def test_moving_everything_is_moving_the_point(prism):
    mesh, points, there, both_ways = prism
    shift = np.array([0.3, -0.2, 0.5])
    slope = both_ways(np.tile(shift, (len(mesh.vertices), 1)), np.zeros(len(points)))[1]
    np.testing.assert_allclose(slope, -there.normal @ shift, atol=1e-12)


def test_the_nearest_point_of_the_moved_surface():
    mesh = mesh_sdf(*MADE["l_prism"](), unit="m")
    x, shift = jnp.asarray([0.4, 2.0, 1.3]), np.array([0.1, 0.2, -0.3])
    there = mesh.with_vertices(mesh.vertices + shift).closest(x + jnp.asarray(shift, x.dtype))
    np.testing.assert_allclose(there.point, [0.5, 2.2, 0.7], atol=1e-6)
    np.testing.assert_allclose(there.distance, 0.3, atol=1e-6)
    np.testing.assert_allclose(there.normal, [0, 0, 1], atol=1e-6)


def test_second_derivatives_are_differences_of_the_first():
    """Above a face, next to an edge, next to a vertex: in point and vertices together."""
    mesh = mesh_sdf(*as_arrays(trimesh.creation.box((1, 2, 3))), unit="m")
    places = np.array([[0.8, 0.1, 0.2], [0.9, 1.4, 0.3], [0.9, 1.4, 1.9]])
    rng = np.random.default_rng(1)
    size = 3 + mesh.vertices.size
    with jax.enable_x64(True):

        def value(z):
            return mesh.with_vertices(jnp.asarray(mesh.vertices) + z[3:].reshape(-1, 3))(z[:3])

        gradient_and_curve = jax.jit(lambda z, d: jax.jvp(jax.grad(value), (z,), (d,)))
        for place in places:
            z = jnp.concatenate([jnp.asarray(place), 1e-3 * jnp.asarray(rng.normal(size=size - 3))])
            direction = jnp.asarray(rng.normal(size=size))
            ahead, behind = (gradient_and_curve(z + s * direction, direction)[0] for s in (1e-6, -1e-6))
            curve = gradient_and_curve(z, direction)[1]
            np.testing.assert_allclose(curve, (ahead - behind) / 2e-6, atol=1e-7)


@pytest.mark.slow
def test_a_surface_with_a_hole_keeps_the_winding_number():
    vertices, faces = open_sphere(2)
    mesh = mesh_sdf(vertices, faces, unit="m")
    moved = wobble(mesh.vertices)
    points = probes(moved, mesh.faces, 100)
    got = values(mesh.with_vertices(jnp.asarray(moved, jnp.float32)), points, jnp.float32)
    exact = ericson_distance(moved[mesh.faces], points)
    winding = np.abs(winding_number(moved[mesh.faces], points))
    clear = (exact > 1e-5) & (np.abs(winding - 0.5) > 1e-5)
    np.testing.assert_array_equal((got < 0)[clear], (winding > 0.5)[clear])
    np.testing.assert_allclose(np.abs(got), exact, atol=1e-6)


@pytest.mark.slow
def test_many_places_of_the_vertices_at_once():
    mesh = mesh_sdf(*MADE["l_prism"](), unit="m")
    x = jnp.asarray([0.4, 0.5, 1.3])
    several = jnp.asarray(np.stack([wobble(mesh.vertices, seed) for seed in range(3)]), jnp.float32)
    together = jax.vmap(lambda v: mesh.with_vertices(v)(x))(several)
    alone = jnp.stack([mesh.with_vertices(v)(x) for v in several])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_float32_stays_float32_and_lowers_everywhere():
    mesh = mesh_sdf(*MADE["l_prism"](), unit="m")
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in (mesh.vertices.shape, (40, 3))]

    def loss(vertices, points):
        return jnp.sum(jax.vmap(mesh.with_vertices(vertices))(points) ** 2)

    function = jax.jit(jax.value_and_grad(loss))
    with jax.enable_x64(True):
        exported = jax.export.export(function, platforms=("cpu", "cuda", "tpu"))(*arguments)
    assert exported.platforms == ("cpu", "cuda", "tpu")
    assert "f64" not in exported.mlir_module()


def test_the_number_of_vertices_is_checked():
    mesh = mesh_sdf(*MADE["box"](), unit="m")
    with pytest.raises(ValueError, match="each vertex"):
        mesh.with_vertices(mesh.vertices[1:])
