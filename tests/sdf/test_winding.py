"""The winding number against closed forms and an independent float64 sum; signs of damaged meshes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

import geoembed
from geoembed.sdf import load_mesh, mesh_sdf
from geoembed.sdf._meshes._blocks import _boxed
from geoembed.sdf._meshes._clusters import grouped_clusters
from geoembed.sdf._meshes._winding import _winding, exactly, from_afar, inside_by_winding
from geoembed.sdf._meshes._winding_tables import _moments, counted_once, winding_table
from tests.sdf.test_mesh import as_arrays, ericson_distance, probes, values, winding_number
from tests.sdf.test_search import soup


def table_of(corners, dtype):
    members = grouped_clusters(corners.min(axis=1), corners.max(axis=1))
    table = winding_table(corners, members, counted_once(members))
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), table)


def open_sphere(subdivisions=3):
    """A unit sphere without the cap above z = 0.7."""
    vertices, faces = as_arrays(trimesh.creation.icosphere(subdivisions=subdivisions))
    return vertices, faces[vertices[faces].mean(axis=1)[:, 2] < 0.7]


def test_an_octant_fills_an_eighth(precision):
    corners = jnp.asarray(np.eye(3).reshape(9, 1), precision)
    got = jax.jit(exactly)(jnp.zeros((3, 1), precision), corners)
    assert abs(float(got[0, 0]) - 1 / 8) < (1e-7 if precision == jnp.float32 else 1e-15)


def test_triangles_one_by_one(precision):
    corners = soup(200)
    points = np.random.default_rng(0).uniform(-1, 1, (32, 3)).astype(np.float32).astype(np.float64)
    got = jax.jit(exactly)(jnp.asarray(points.T, precision), jnp.asarray(corners.reshape(-1, 9).T, precision))
    expected = np.stack([winding_number(one[None], points) for one in corners])
    np.testing.assert_allclose(got, expected, atol=3e-7 if precision == jnp.float32 else 1e-14)


def test_from_afar_the_error_falls_with_the_cube_of_the_distance_and_keeps_its_bound():
    corners = soup(40, size=0.3) * 0.3
    moments = _moments(corners[None], np)
    centre, radius, bound = moments[0, :3], moments[0, 3], moments[0, 4]
    direction = np.random.default_rng(0).normal(size=(64, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    errors, strength = [], []
    for times in (3.0, 6.0, 12.0, 24.0):
        points = centre + times * radius * direction
        exact = winding_number(corners, points)
        with jax.enable_x64(True):
            got = np.asarray(from_afar(jnp.asarray(points.T), jnp.asarray(moments.T)))[0]
        errors.append(np.abs(got - exact).max())
        strength.append(np.abs(exact).max())
        assert errors[-1] <= bound / ((times - 1) * radius) ** 5
    rate = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(np.abs(rate - 5) < 0.6), rate  # w falls with the square, its error with the fifth power
    assert errors[0] < 0.02 * strength[0]


def test_the_bound_of_a_block_holds():
    vertices, faces = open_sphere()
    corners = 0.45 * vertices[faces]
    rng = np.random.default_rng(1)
    centres = rng.uniform(-0.6, 0.6, (40, 1, 3))
    points = centres + 0.02 * rng.uniform(-1, 1, (40, 32, 3))
    exact = winding_number(corners, points.reshape(-1, 3)).reshape(40, 32)
    with jax.enable_x64(True):
        table = table_of(corners, jnp.float64)
        blocks = _boxed(jnp.asarray(points))
        evaluate = jax.jit(jax.vmap(lambda far, block: _winding(table, block, far), (None, 0)))
        for far in (1.5, 2.5, 6.0):
            got, bound = evaluate(far, blocks)
            error = np.abs(got - exact).max(axis=1)
            assert np.all(error <= np.asarray(bound) + 1e-14)
            assert np.max(error) < 0.1 / far**3  # the bound is not the only thing that shrinks


def test_inside_is_what_the_exact_sum_says():
    vertices, faces = open_sphere()
    corners = 0.45 * vertices[faces]
    points = np.random.default_rng(2).uniform(-0.55, 0.55, (6000, 3)).astype(np.float32).astype(np.float64)
    got = jax.jit(jax.vmap(inside_by_winding, (None, 0)))(
        table_of(corners, jnp.float32), jnp.asarray(points, jnp.float32)
    )
    exact = np.abs(np.concatenate([winding_number(corners, part) for part in np.array_split(points, 20)]))
    decided = np.abs(exact - 0.5) > 1e-6
    assert np.sum(np.abs(exact - 0.5) < 0.05) > 30  # so near ½ that the first expansion does not decide
    np.testing.assert_array_equal(np.asarray(got)[decided], (exact > 0.5)[decided])


DAMAGES = {
    "hole": lambda faces: faces[8:],
    "flipped": lambda faces: np.concatenate([faces[:8, ::-1], faces[8:-1]]),
    "inverted": lambda faces: faces[1:, ::-1],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_sign_and_distance_of_a_damaged_sphere(damage, precision):
    vertices, faces = as_arrays(trimesh.creation.icosphere(subdivisions=2))
    broken = DAMAGES[damage](faces)
    sdf = mesh_sdf(vertices, broken, unit="m")
    assert sdf.sign == "winding"
    assert not sdf.sign_reliable
    assert "winding number" in sdf.notes[-1]
    points = probes(vertices, faces, 300)
    got = values(sdf, points, precision)
    exact = ericson_distance(vertices[broken], points)
    bar = 2e-7 if precision == jnp.float32 else 1e-12
    np.testing.assert_allclose(np.abs(got), exact, atol=bar * np.sqrt(12))
    winding = np.abs(winding_number(vertices[broken], points))
    clear = (exact > 1e-5) & (np.abs(winding - 0.5) > 1e-5)
    np.testing.assert_array_equal((got < 0)[clear], (winding > 0.5)[clear])
    whole = winding_number(vertices[faces], points) > 0.5
    assert np.mean((got < 0) == whole) > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spot_open.obj", "heatsink_open_gen.stl", "spot_flipped3pct.obj"])
def test_signs_of_damaged_parts_are_those_of_the_exact_winding_number(name, data):
    undamaged = {"s": "spot.obj", "h": "heatsink_gen.stl"}[name[0]]
    whole, broken = (load_mesh(data / "sdf" / n, unit="mm") for n in (undamaged, name))
    low, high = whole.bounds
    points = np.random.default_rng(0).uniform(1.05 * low - 0.05 * high, 1.05 * high - 0.05 * low, (600, 3))
    points = points.astype(np.float32).astype(np.float64)
    got = values(broken, points, jnp.float32) < 0
    truth = winding_number(whole.vertices[whole.faces], points) > 0.5
    by_winding = np.abs(winding_number(broken.vertices[broken.faces], points)) > 0.5
    assert np.sum(got != truth) <= np.sum(by_winding != truth)
    assert broken.sign == ("pseudonormal" if broken.sign_reliable else "winding")


def test_along_the_gradient_the_distance_grows_with_slope_one():
    with jax.enable_x64(True):
        sdf = mesh_sdf(*open_sphere(1), unit="m")
        points = probes(sdf.vertices, sdf.faces)
        gradient = values(sdf, points, jnp.float64, jax.grad(sdf))
        here, ahead = (values(sdf, points + step * gradient, jnp.float64) for step in (0.0, 1e-6))
    np.testing.assert_allclose((ahead - here) / 1e-6, 1, atol=1e-6)


@pytest.mark.slow
def test_the_closest_point_knows_the_turned_sign():
    with jax.enable_x64(True):
        sdf = mesh_sdf(*open_sphere(1), unit="m")
        points = jnp.asarray(probes(sdf.vertices, sdf.faces))
        there = jax.vmap(sdf.closest)(points)
        np.testing.assert_allclose(there.distance, values(sdf, points, jnp.float64), atol=0)
        np.testing.assert_allclose(values(sdf, points, jnp.float64, jax.grad(sdf)), there.normal, atol=1e-12)
        direction = (points - there.point) / there.distance[:, None]
        np.testing.assert_allclose(there.normal, direction, atol=1e-7)


def test_the_choice_can_be_overruled():
    vertices, faces = as_arrays(trimesh.creation.box((1, 2, 3)))
    by_winding = mesh_sdf(vertices, faces, unit="m", sign="winding")
    assert (by_winding.sign, by_winding.sign_reliable) == ("winding", True)
    assert "as asked" in by_winding.notes[-1]
    points = probes(vertices, faces, 100)
    expected = values(mesh_sdf(vertices, faces, unit="m"), points, jnp.float32)
    np.testing.assert_array_equal(values(by_winding, points, jnp.float32), expected)
    insisted = mesh_sdf(vertices, faces[1:], unit="m", sign="pseudonormal")
    assert (insisted.sign, insisted.sign_reliable) == ("pseudonormal", False)
    assert "as asked" in insisted.notes[-1]
    with pytest.raises(Exception, match="sign"):
        mesh_sdf(vertices, faces, unit="m", sign="ray")


def test_parts_that_overlap_get_the_winding_number():
    other = trimesh.creation.box((2, 2, 2))
    other.apply_translation((1, 0.3, 0.2))
    both = as_arrays(trimesh.util.concatenate([trimesh.creation.box((2, 2, 2)), other]))
    sdf = mesh_sdf(*both, unit="m")
    assert (sdf.sign, sdf.sign_reliable) == ("winding", False)
    assert any("cut or touch" in note for note in sdf.notes)
    beside_an_inner_face = np.array(
        [[-0.05, 0.3, 0.2], [0.05, 0.3, 0.2], [1.05, 0.3, 0.2], [-1.05, 0.3, 0.2]]
    )
    got = values(sdf, beside_an_inner_face, jnp.float32)
    np.testing.assert_allclose(got, [-0.05, -0.05, -0.05, 0.05], atol=1e-6)


def test_on_the_surface_the_gradient_stays_the_pseudonormal():
    vertices, faces = as_arrays(trimesh.creation.box((1, 2, 3)))
    sdf = mesh_sdf(vertices, faces[2:], unit="m")
    on = vertices[sdf.faces].mean(axis=1)
    with jax.enable_x64(True):
        np.testing.assert_allclose(values(sdf, on, jnp.float64, jax.grad(sdf)), sdf.normals, atol=1e-6)


def test_it_is_saved_and_lowers_everywhere(tmp_path):
    sdf = mesh_sdf(*open_sphere(1), unit="m")
    geoembed.save(tmp_path / "part", sdf)
    loaded = geoembed.load(tmp_path / "part")
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, loaded, sdf)))
    assert loaded.sign == "winding"
    points = jax.ShapeDtypeStruct((300, 3), jnp.float32)
    function = jax.jit(jax.vmap(jax.value_and_grad(sdf)))
    with jax.enable_x64(True):
        exported = jax.export.export(function, platforms=("cpu", "cuda", "tpu"))(points)
    assert exported.platforms == ("cpu", "cuda", "tpu")
    assert "f64" not in exported.mlir_module()
