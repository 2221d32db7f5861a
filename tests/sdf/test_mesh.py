"""MeshSDF against an independent float64 distance and the exact winding number."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

import geoembed
from geoembed.core import InputError
from geoembed.sdf import load_mesh, mesh_sdf
from geoembed.sdf._meshes._mesh_tables import triangle_tables
from geoembed.sdf._meshes._triangle import signed_distance


def dot(x, y):
    return np.sum(x * y, axis=-1)


def ericson_distance(corners, points):
    """Distances by the region tests of C. Ericson, Real-Time Collision Detection, section 5.1.5 (float64)."""
    a, b, c = (corners[None, :, i] for i in range(3))
    p = points[:, None]
    ab, ac = b - a, c - a
    d1, d2, d3, d4, d5, d6 = (dot(e, p - v) for v in (a, b, c) for e in (ab, ac))
    vc, vb, va = d1 * d4 - d3 * d2, d5 * d2 - d1 * d6, d3 * d6 - d5 * d4
    with np.errstate(all="ignore"):
        on_bc = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        normal = np.cross(ab, ac)
        height = dot(p - a, normal) / dot(normal, normal)
        regions = [
            ((d1 <= 0) & (d2 <= 0), a),
            ((d3 >= 0) & (d4 <= d3), b),
            ((vc <= 0) & (d1 >= 0) & (d3 <= 0), a + (d1 / (d1 - d3))[..., None] * ab),
            ((d6 >= 0) & (d5 <= d6), c),
            ((vb <= 0) & (d2 >= 0) & (d6 <= 0), a + (d2 / (d2 - d6))[..., None] * ac),
            ((va <= 0) & (d4 >= d3) & (d5 >= d6), b + on_bc[..., None] * (c - b)),
        ]
        closest = p - height[..., None] * normal
    for region, point in reversed(regions):
        closest = np.where(region[..., None], point, closest)
    return np.linalg.norm(p - closest, axis=-1).min(axis=1)


def winding_number(corners, points):
    """Solid angles over 4π (Van Oosterom and Strackee 1983), float64."""
    a, b, c = (corners[None, :, i] - points[:, None] for i in range(3))
    la, lb, lc = (np.linalg.norm(x, axis=-1) for x in (a, b, c))
    top = dot(a, np.cross(b, c))
    return np.sum(
        np.arctan2(top, la * lb * lc + dot(a, b) * lc + dot(b, c) * la + dot(c, a) * lb), axis=1
    ) / (2 * np.pi)


def reference(corners, points, chunk=100):
    """Exact signed distances, negative inside."""
    parts = [points[i : i + chunk] for i in range(0, len(points), chunk)]
    distance = np.concatenate([ericson_distance(corners, part) for part in parts])
    winding = np.concatenate([winding_number(corners, part) for part in parts])
    return np.where(winding > 0.5, -distance, distance)


def probes(vertices, faces, count=300, seed=0):
    """Points around the mesh and close to its surface, representable in float32."""
    rng = np.random.default_rng(seed)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    around = (low + high) / 2 + (rng.random((count, 3)) - 0.5) * (high - low) * 1.3
    weights = rng.dirichlet(np.ones(3), count)
    surface = np.sum(weights[..., None] * vertices[faces[rng.integers(0, len(faces), count)]], axis=1)
    near = surface + rng.normal(size=(count, 3)) * 2e-3 * np.linalg.norm(high - low)
    return np.concatenate([around, near]).astype(np.float32).astype(np.float64)


def values(sdf, points, dtype, function=None):
    """Evaluates at 600 points at once, so that tests share compilations."""
    padded = np.resize(points, (600, 3))
    return np.asarray(jax.vmap(function or sdf)(jnp.asarray(padded, dtype)))[: len(points)]


def as_arrays(mesh):
    return np.array(mesh.vertices, np.float64), np.array(mesh.faces)


def l_prism():
    outline = np.array([[0, 0], [2, 0], [2, 1], [1, 1], [1, 3], [0, 3]], float)
    corners = np.concatenate([np.c_[outline, np.zeros(6)], np.c_[outline, np.ones(6)]])
    top = np.array([[0, 1, 3], [1, 2, 3], [0, 3, 5], [3, 4, 5]])
    around = np.arange(6)
    after = (around + 1) % 6
    sides = np.concatenate([np.c_[around, after, after + 6], np.c_[around, after + 6, around + 6]])
    return corners, np.concatenate([top[:, ::-1], top + 6, sides])


def hollow_box():
    outer, inner = trimesh.creation.box((3, 2, 1)), trimesh.creation.box((1, 1, 0.5))
    inner.invert()
    return as_arrays(trimesh.util.concatenate([outer, inner]))


def cubes_that_touch_in_a_vertex():
    other = trimesh.creation.box((1, 1, 1))
    other.apply_translation((1, 1, 1))
    return as_arrays(trimesh.util.concatenate([trimesh.creation.box((1, 1, 1)), other]))


def blade():
    """A wedge of 1.1 degrees."""
    corners = np.array([[0, 0, 0], [0, 0, 1], [5, 0.05, 0], [5, 0.05, 1], [5, -0.05, 0], [5, -0.05, 1]])
    faces = [[0, 1, 3], [0, 3, 2], [0, 4, 5], [0, 5, 1], [2, 3, 5], [2, 5, 4], [0, 2, 4], [1, 5, 3]]
    return corners, np.array(faces)


def sliver_prism():
    """A prism whose top is cut into slivers of height 1e-5 of their length."""
    x = np.r_[0.0, 0.5 + 1e-5 * np.arange(12), 1.0]
    count = len(x)
    ring = np.concatenate([np.c_[x, np.zeros(count)], np.c_[x[::-1], np.ones(count)]])
    corners = np.concatenate([np.c_[ring, np.zeros(2 * count)], np.c_[ring, np.full(2 * count, 0.3)]])
    strip = np.array([[i, i + 1, 2 * count - 2 - i] for i in range(count - 1)])
    strip = np.concatenate([strip, [[i, 2 * count - 2 - i, 2 * count - 1 - i] for i in range(count - 1)]])
    around = np.arange(2 * count)
    after = (around + 1) % (2 * count)
    sides = np.concatenate(
        [np.c_[around, after, after + 2 * count], np.c_[around, after + 2 * count, around + 2 * count]]
    )
    return corners, np.concatenate([strip[:, ::-1], strip + 2 * count, sides])


MADE = {
    "box": lambda: as_arrays(trimesh.creation.box((1, 2, 3))),
    "sphere": lambda: as_arrays(trimesh.creation.icosphere(subdivisions=2)),
    "l_prism": l_prism,
    "hollow_box": hollow_box,
    "touching_cubes": cubes_that_touch_in_a_vertex,
    "blade": blade,
    "slivers": sliver_prism,
    "torus": lambda: as_arrays(trimesh.creation.torus(2.0, 0.5, major_sections=24, minor_sections=12)),
}
BARS = {"float32": 2e-7, "float64": 1e-12}


def check_against_reference(sdf, count, dtype):
    vertices, faces = sdf.vertices, sdf.faces
    points = probes(vertices, faces, count)
    exact = reference(vertices[faces], points)
    parts = np.array_split(points, -(-len(points) // 600))
    got = np.concatenate([values(sdf, part, dtype) for part in parts])
    diagonal = np.linalg.norm(np.ptp(vertices, axis=0))
    assert got.dtype == dtype
    assert np.abs(np.abs(got) - np.abs(exact)).max() <= BARS[dtype.name] * diagonal
    far = np.abs(exact) > 1e-5 * diagonal
    assert np.sum(np.sign(got) != np.sign(exact), where=far) == 0


@pytest.mark.parametrize("name", MADE)
def test_value_and_sign_on_made_meshes(name, precision):
    vertices, faces = MADE[name]()
    sdf = mesh_sdf(vertices, faces, unit="mm")
    assert sdf.sign_reliable
    assert sdf.notes == ()
    check_against_reference(sdf, 300, precision)


@pytest.mark.parametrize(
    "name", ["heatsink_gen.stl", pytest.param("featuretype.STL", marks=pytest.mark.slow)]
)
def test_value_and_sign_on_real_parts(name, data, precision):
    sdf = load_mesh(data / "sdf" / name, unit="in")
    assert sdf.sign_reliable
    check_against_reference(sdf, 1000 if name.startswith("heat") else 300, precision)


def test_the_search_stops_late_enough(precision):
    """Crowded points make compact blocks, for which most clusters are never looked at."""
    vertices, faces = MADE["torus"]()
    sdf = mesh_sdf(vertices, faces, unit="m")
    rng = np.random.default_rng(4)
    for centre in rng.uniform(-2.5, 2.5, (6, 3)) * np.array([1, 1, 0.3]):
        points = (centre + rng.uniform(-0.4, 0.4, (600, 3))).astype(np.float32).astype(np.float64)
        error = np.abs(values(sdf, points, precision)) - ericson_distance(vertices[faces], points)
        assert np.abs(error).max() <= BARS[precision.name] * 6


def test_a_part_far_from_the_origin_keeps_its_digits(precision):
    vertices, faces = l_prism()
    sdf = mesh_sdf(vertices + np.array([1000.0, -2000.0, 500.0]), faces, unit="mm")
    check_against_reference(sdf, 300, precision)


@pytest.mark.parametrize("size", [1e-25, 1e30])
def test_extreme_sizes_neither_overflow_nor_vanish(size):
    vertices, faces = l_prism()
    small, large = mesh_sdf(vertices, faces, unit="m"), mesh_sdf(vertices * size, faces, unit="m")
    points = probes(vertices, faces)
    expected = jax.vmap(small)(jnp.asarray(points, jnp.float32))
    got = jax.vmap(large)(jnp.asarray(points * size, jnp.float32))
    np.testing.assert_allclose(np.asarray(got) / np.float32(size), expected, rtol=1e-5, atol=1e-6)


def test_equal_distances_have_one_sign_whichever_face_wins(precision):
    vertices, faces = MADE["box"]()
    rng = np.random.default_rng(1)
    corner = np.array([[0.5, 1.0, 1.5]])
    on_planes_of_symmetry = rng.choice([-1.0, 1.0], (60, 3)) * (
        corner + rng.choice([-0.25, 0.0, 0.25, 1.0], (60, 1))
    )
    first, second = (
        values(mesh_sdf(vertices, faces[order], unit="m"), on_planes_of_symmetry, precision)
        for order in (np.arange(12), rng.permutation(12))
    )
    off = np.abs(first) > 1e-6
    np.testing.assert_array_equal(np.sign(first)[off], np.sign(second)[off])
    outside = np.any(np.abs(on_planes_of_symmetry) > corner, axis=1)
    assert np.all(first[outside] > 0)


@pytest.mark.parametrize("name", ["l_prism", "slivers"])
def test_gradient_is_the_finite_difference_and_a_unit_vector(name):
    vertices, faces = MADE[name]()
    step = 1e-6
    with jax.enable_x64(True):
        sdf = mesh_sdf(vertices, faces, unit="m")
        points = jnp.asarray(probes(vertices, faces, 50))
        offsets = jnp.concatenate([jnp.eye(3), -jnp.eye(3)]) * step
        around = jax.vmap(sdf)((points[:, None] + offsets[None]).reshape(-1, 3)).reshape(-1, 6)
        gradient = values(sdf, points, jnp.float64, jax.grad(sdf))
    numerical = np.asarray(around[:, :3] - around[:, 3:]) / (2 * step)
    np.testing.assert_allclose(np.linalg.norm(gradient, axis=1), 1.0, atol=1e-12)
    # Across the medial axis the two sides differ; there the numerical gradient is shorter than 1.
    smooth = np.abs(np.linalg.norm(numerical, axis=1) - 1) < 1e-4
    assert smooth.mean() > 0.95
    np.testing.assert_allclose(np.asarray(gradient)[smooth], numerical[smooth], atol=2e-5)


def test_gradient_on_the_surface_is_the_pseudonormal(precision):
    sdf = mesh_sdf(*MADE["box"](), unit="m")
    on = np.array([[0.5, 0.3, 0.2], [0.5, 1.0, 0.4], [0.5, 1.0, 1.5], [-0.5, -1.0, -1.5]])
    root = np.sqrt([1.0, 2.0, 3.0, 3.0])[:, None]
    expected = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1], [-1, -1, -1]]) / root
    np.testing.assert_allclose(values(sdf, on, precision, jax.grad(sdf)), expected, atol=1e-6)


def test_derivatives_are_finite_on_the_surface_and_on_the_medial_axis():
    sdf = mesh_sdf(*MADE["box"](), unit="m")
    special = np.array([[0.5, 1.0, 1.5], [0.5, 1.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.5, 1.0]])
    with jax.enable_x64(True):
        lengths = np.linalg.norm(values(sdf, special, jnp.float64, jax.grad(sdf)), axis=1)
        second = values(sdf, special, jnp.float64, jax.hessian(sdf))
    np.testing.assert_allclose(lengths, 1, atol=1e-6)
    assert np.isfinite(second).all()


def test_second_derivative_is_that_of_the_nearest_feature():
    sdf = mesh_sdf(*MADE["box"](), unit="m")
    places = np.array([[2.0, 0.1, 0.2], [1.5, 2.0, 0.3], [1.5, 2.0, 2.5]])
    with jax.enable_x64(True):
        face, edge, vertex = values(sdf, places, jnp.float64, jax.hessian(sdf))
    np.testing.assert_allclose(face, 0, atol=1e-14)
    axis, normal = np.array([0, 0, 1.0]), np.array([1, 1, 0]) / np.sqrt(2)
    cylinder = (np.eye(3) - np.outer(axis, axis) - np.outer(normal, normal)) / np.sqrt(2)
    np.testing.assert_allclose(edge, cylinder, atol=1e-12)
    normal = np.ones(3) / np.sqrt(3)
    np.testing.assert_allclose(vertex, (np.eye(3) - np.outer(normal, normal)) / np.sqrt(3), atol=1e-12)


def test_derivative_in_the_corners_is_the_finite_difference():
    rng = np.random.default_rng(0)
    corners = np.array([[[0.1, 0.2, 0.0], [0.9, 0.1, 0.2], [0.3, 0.8, -0.1]]])
    with jax.enable_x64(True):
        tables = triangle_tables(corners, np.array([[0, 1, 2]]))
        triangle = jax.tree.map(lambda table: jnp.asarray(table[0]), tables)
        points = rng.normal(size=(40, 3))
        motion = rng.normal(size=(3, 3))

        def along(point):
            return jax.jvp(
                lambda c: signed_distance(point, c, triangle),
                (jnp.asarray(corners[0]),),
                (jnp.asarray(motion),),
            )

        value, slope = jax.jit(jax.vmap(along))(jnp.asarray(points))
    ahead, behind = (ericson_distance(corners + sign * 1e-6 * motion, points) for sign in (1, -1))
    np.testing.assert_allclose(slope, np.sign(value) * (ahead - behind) / 2e-6, atol=1e-5)


def test_closest_point_agrees_with_the_distance():
    vertices, faces = MADE["slivers"]()
    sdf = mesh_sdf(vertices, faces, unit="m")
    points = jnp.asarray(probes(vertices, faces), jnp.float32)
    there = jax.vmap(sdf.closest)(points)
    loose = 30 * float(jnp.finfo(jnp.float32).eps) * np.linalg.norm(np.ptp(vertices, axis=0))
    np.testing.assert_array_equal(there.distance, jax.vmap(sdf)(points))
    offset = np.asarray(points - there.point, np.float64)
    np.testing.assert_allclose(np.linalg.norm(offset, axis=1), np.abs(there.distance), atol=loose)
    corners = sdf.vertices[sdf.faces[np.asarray(there.face)]]
    rebuilt = np.sum(np.asarray(there.barycentric, np.float64)[..., None] * corners, axis=1)
    np.testing.assert_allclose(rebuilt, there.point, atol=loose)
    assert np.all(np.asarray(there.barycentric) >= 0)
    zeros = np.sum(np.asarray(there.barycentric) == 0, axis=1)
    feature = np.asarray(there.feature)
    assert np.all(zeros[feature >= 4] == 2)
    assert np.all(zeros[(feature >= 1) & (feature <= 3)] >= 1)
    assert set(feature) <= set(range(7))
    assert len(set(feature)) > 3


def test_vmap_is_the_loop():
    sdf = mesh_sdf(*l_prism(), unit="m")
    points = jnp.asarray(probes(sdf.vertices, sdf.faces), jnp.float32)
    batched = jax.vmap(sdf)(points)
    np.testing.assert_array_equal(batched[:20], jnp.stack([sdf(x) for x in points[:20]]))
    assert jax.vmap(sdf)(points[:0]).shape == (0,)


@pytest.mark.parametrize("mode", ["reverse", pytest.param("forward", marks=pytest.mark.slow)])
def test_gradient_of_a_batch(mode):
    sdf = mesh_sdf(*l_prism(), unit="m")
    points = jnp.asarray(probes(sdf.vertices, sdf.faces), jnp.float32)
    one_by_one = values(sdf, points, jnp.float32, jax.grad(sdf))
    total = jax.grad(lambda x: jnp.sum(jax.vmap(sdf)(x)))
    batch = total if mode == "reverse" else jax.vmap(jax.jacfwd(sdf))
    np.testing.assert_allclose(jax.jit(batch)(points), one_by_one, atol=1e-7)


def test_every_way_through_jit_gives_the_same():
    sdf = mesh_sdf(*l_prism(), unit="m")
    x = jnp.asarray([0.3, 1.7, 0.4])
    expected = sdf(x)
    ways = (
        jax.jit(sdf),
        lambda x: jax.jit(lambda m, x: m(x))(sdf, x),
        lambda x: eqx.filter_jit(lambda m, x: m(x))(sdf, x),
        lambda x: jax.device_put(sdf)(x),
    )
    for way in ways:
        assert way(x) == expected


def test_a_mesh_made_in_float32_mode_is_exact_in_a_float64_scope():
    corners = np.array([[0, 0, 0], [1 / 3, 0, 0], [0, 1 / 3, 0], [0, 0, 1 / 3]])
    sdf = mesh_sdf(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]), unit="m")
    # Kept alive on purpose: JAX remembers a numpy constant of a live function as float32.
    keep = jax.jit(sdf), jax.jit(lambda x: sdf(x))
    assert all(np.isfinite(function(jnp.ones(3, jnp.float32))) for function in keep)
    with jax.enable_x64(True):
        for way in (sdf, *keep):
            assert abs(float(way(jnp.ones(3))) - (3 - 1 / 3) / np.sqrt(3)) < 1e-14
        assert sdf(jnp.ones(3, jnp.float32)).dtype == jnp.float32


def test_a_float32_point_stays_float32_inside_under_x64():
    sdf = mesh_sdf(*l_prism(), unit="m")
    with jax.enable_x64(True):
        lowered = jax.jit(jax.vmap(jax.value_and_grad(sdf))).lower(jax.ShapeDtypeStruct((40, 3), jnp.float32))
    assert "f64" not in lowered.as_text()


@pytest.mark.slow
def test_memory_of_a_large_batch_does_not_grow_with_the_faces():
    def temporaries(subdivisions):
        sdf = mesh_sdf(*as_arrays(trimesh.creation.icosphere(subdivisions=subdivisions)), unit="m")
        points = jax.ShapeDtypeStruct((100_000, 3), jnp.float32)
        function = jax.jit(lambda m, x: jax.vmap(m)(x))
        return function.lower(sdf, points).compile().memory_analysis().temp_size_in_bytes

    few, many = temporaries(1), temporaries(4)  # 80 and 5,120 faces
    assert many < 1.3 * few
    assert many < 300e6


def test_a_batch_of_meshes():
    first, second = (mesh_sdf(l_prism()[0] * s, l_prism()[1], unit="m") for s in (1.0, 1.25))
    points = jnp.asarray([[0.3, 0.4, 0.5], [1.5, 2.0, 0.1]])
    # Only the arrays are stacked; what is static must agree.
    same = eqx.tree_at(lambda m: m.device, first, second.device)
    both = jax.tree.map(lambda *leaves: np.stack(leaves), first, same)
    got = jax.vmap(lambda m, x: m(x))(both, points)
    np.testing.assert_allclose(got, jnp.stack([first(points[0]), second(points[1])]), rtol=1e-6)


def test_nan_in_nan_out():
    sdf = mesh_sdf(*l_prism(), unit="m")
    good, bad = values(sdf, np.array([[0.1, 0.2, 0.3], [np.nan, 0.0, 0.0]]), jnp.float32)
    assert np.isnan(bad)
    assert abs(good + 0.1) < 1e-7


@pytest.mark.parametrize(
    "x", [jnp.zeros((2, 3)), jnp.zeros(2), jnp.zeros(3, jnp.int32)], ids=["batch", "plane", "integers"]
)
def test_a_wrong_argument_is_refused(x):
    sdf = mesh_sdf(*l_prism(), unit="m")
    with pytest.raises(Exception, match=r"(?i)point|parameter"):  # the test run's type check may come first
        sdf(x)


def test_static_facts():
    sdf = mesh_sdf(*l_prism(), unit="inch")
    assert sdf.unit == "in"
    assert sdf.metres_per_unit == 0.0254
    low, high = sdf.bounds
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [2, 3, 1]
    assert hash(sdf) == hash(mesh_sdf(*l_prism(), unit="in"))
    assert hash(sdf) != hash(mesh_sdf(*l_prism(), unit="mm"))
    assert {p.kind for p in sdf.properties} == {"eikonal", "lipschitz"}
    hash(sdf.quality)


def test_artefact_round_trip(tmp_path):
    sdf = mesh_sdf(*l_prism(), unit="mm")
    geoembed.save(tmp_path / "part", sdf)
    loaded = geoembed.load(tmp_path / "part")
    assert dataclasses.asdict(loaded.quality) == dataclasses.asdict(sdf.quality)
    assert jax.tree.structure(loaded) == jax.tree.structure(sdf)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, loaded, sdf)))


class TestMending:
    """Each repair against the undamaged L."""

    def same_as_whole(self, sdf):
        vertices, faces = l_prism()
        points = probes(vertices, faces)
        with jax.enable_x64(True):
            got = np.asarray(jax.vmap(sdf)(jnp.asarray(points)))
        np.testing.assert_allclose(got, reference(vertices[faces], points), atol=1e-12)

    def test_inside_out(self):
        vertices, faces = l_prism()
        sdf = mesh_sdf(vertices, faces[:, ::-1], unit="m")
        assert sdf.sign_reliable
        assert "inside out" in " ".join(sdf.notes)
        self.same_as_whole(sdf)

    def test_some_faces_flipped(self):
        vertices, faces = l_prism()
        faces[[2, 7, 11]] = faces[[2, 7, 11], ::-1]
        sdf = mesh_sdf(vertices, faces, unit="m")
        assert "flipped 3 of" in " ".join(sdf.notes)
        assert sdf.sign_reliable
        self.same_as_whole(sdf)

    def test_duplicate_and_repeated_corner(self):
        vertices, faces = l_prism()
        sdf = mesh_sdf(vertices, np.concatenate([faces, faces[3:5, [1, 2, 0]], [[4, 4, 5]]]), unit="m")
        assert len(sdf.faces) == len(faces)
        assert len(sdf.notes) == 2
        assert sdf.sign_reliable
        self.same_as_whole(sdf)

    def test_vertices_repeated_for_each_face_with_negative_zero(self):
        vertices, faces = l_prism()
        soup = vertices[faces].reshape(-1, 3)
        soup[::2] = np.where(soup[::2] == 0, -0.0, soup[::2])
        sdf = mesh_sdf(soup, np.arange(len(soup)).reshape(-1, 3), unit="m")
        assert len(sdf.vertices) == 12
        assert sdf.sign_reliable
        self.same_as_whole(sdf)

    def test_zero_written_as_a_rounding_error(self):
        vertices, faces = l_prism()
        soup = vertices[faces].reshape(-1, 3)
        soup[::2] = np.where(soup[::2] == 0, -2.7e-16, soup[::2])
        sdf = mesh_sdf(soup, np.arange(len(soup)).reshape(-1, 3), unit="m")
        assert len(sdf.vertices) == 12
        assert "merged" in sdf.notes[0]
        self.same_as_whole(sdf)

    def test_a_flat_face_that_holds_an_edge_together(self):
        # Two points on the edge from vertex 1 to 2 of one neighbour, none on the other's.
        vertices, faces = l_prism()
        at = len(vertices)
        a, b = vertices[1], vertices[2]
        vertices = np.concatenate([vertices, [a + 0.25 * (b - a), a + 0.5 * (b - a)]])
        whole = next(i for i, face in enumerate(faces.tolist()) if {1, 2} <= set(face) and max(face) < 6)
        face = faces[whole].tolist()
        k = next(k for k in range(3) if {face[k], face[(k + 1) % 3]} == {1, 2})
        start, end, apex = face[k], face[(k + 1) % 3], face[(k + 2) % 3]
        order = [at, at + 1] if start == 1 else [at + 1, at]
        chain = [start, *order, end]
        fan = [[chain[i], chain[i + 1], apex] for i in range(3)]
        flat = [[start, end, chain[1]], [chain[1], end, chain[2]]]
        bent = np.concatenate([np.delete(faces, whole, axis=0), fan, flat])
        sdf = mesh_sdf(vertices, bent, unit="m")
        assert "without area" in " ".join(sdf.notes)
        assert sdf.sign_reliable
        self.same_as_whole(sdf)

    def test_a_hole_is_flagged(self):
        vertices, faces = l_prism()
        sdf = mesh_sdf(vertices, faces[1:], unit="m")
        assert not sdf.sign_reliable
        assert not sdf.quality.watertight
        assert sdf.quality.open_edges == 3
        assert "lipschitz" not in {p.kind for p in sdf.properties}

    def test_a_moebius_strip_is_flagged(self):
        turn = np.linspace(0, 2 * np.pi, 13)[:-1]
        across = np.c_[np.cos(turn / 2) * np.cos(turn), np.cos(turn / 2) * np.sin(turn), np.sin(turn / 2)]
        middle = np.c_[2 * np.cos(turn), 2 * np.sin(turn), 0 * turn]
        rim = np.concatenate([middle + 0.3 * across, middle - 0.3 * across])
        i = np.arange(11)
        faces = np.concatenate(
            [np.c_[i, i + 1, i + 12], np.c_[i + 1, i + 13, i + 12], [[11, 12, 23], [12, 0, 23]]]
        )
        assert not mesh_sdf(rim, faces, unit="m").sign_reliable

    def test_a_body_wound_the_wrong_way_is_flagged(self):
        inner = trimesh.creation.box((1, 1, 1))
        inner.apply_translation((5, 0, 0))
        inner.invert()
        two = trimesh.util.concatenate([trimesh.creation.box((2, 2, 2)), inner])
        assert not mesh_sdf(*as_arrays(two), unit="m").sign_reliable

    @pytest.mark.parametrize(
        ("vertices", "faces", "word"),
        [
            (np.zeros((3, 3)), np.array([[0, 1, 2]]), "area"),
            (np.array([[0, 0, 0], [1, 0, 0], [np.nan, 1, 0]]), np.array([[0, 1, 2]]), "finite"),
            (np.eye(3) * 1e37, np.array([[0, 1, 2]]), "float32"),
            (np.eye(3), np.array([[0, 1, 3]]), "outside"),
            (np.eye(3), np.array([[0, 1, -1]]), "outside"),
            (np.eye(3), np.zeros((0, 3), np.int64), "shape"),
        ],
    )
    def test_useless_arrays_are_refused(self, vertices, faces, word):
        with pytest.raises(InputError, match=word):
            mesh_sdf(vertices, faces, unit="m")

    def test_unknown_unit(self):
        with pytest.raises(InputError, match="unit"):
            mesh_sdf(*l_prism(), unit="furlong")
