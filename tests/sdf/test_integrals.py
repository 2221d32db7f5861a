"""Volume, area, centre and inertia, and their derivatives, against closed forms and trimesh."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from geoembed.core import InputError
from geoembed.sdf import Box, Sphere, implicit_integrals, mesh_integrals

pytestmark = pytest.mark.usefixtures("compiled_quickly")  # formulas of a few numbers


def turned_box():
    box = trimesh.creation.box((1, 2, 3))
    box.apply_transform(trimesh.transformations.rotation_matrix(0.7, (1, 2, 3), (4, 5, 6)))
    return box


MESHES = {
    "box": turned_box(),
    "torus": trimesh.creation.torus(1.0, 0.3, major_sections=20, minor_sections=10),
    "ball far off": trimesh.creation.icosphere(subdivisions=2).apply_translation((100, -50, 20)),
}


@pytest.mark.parametrize("name", MESHES)
def test_meshes_agree_with_trimesh(name):
    mesh = MESHES[name]
    found = mesh_integrals(np.array(mesh.vertices), np.array(mesh.faces))
    assert found.volume == pytest.approx(mesh.volume, rel=1e-12)
    assert found.area == pytest.approx(mesh.area, rel=1e-12)
    np.testing.assert_allclose(found.centre, mesh.center_mass, rtol=1e-9, atol=1e-13)
    shifted = mesh.copy().apply_translation(
        -mesh.center_mass
    )  # trimesh itself loses digits far from the origin
    np.testing.assert_allclose(found.inertia, shifted.moment_inertia, rtol=1e-9, atol=1e-11)


def test_a_box_has_its_closed_form(precision):
    box = trimesh.creation.box((1, 2, 3))
    faces = np.array(box.faces)
    vertices = jnp.asarray(np.array(box.vertices) + 0.25, precision)
    found = jax.jit(lambda v: mesh_integrals(v, faces))(vertices)
    tolerance = 50 * float(np.finfo(precision).eps)
    assert found.volume.dtype == found.inertia.dtype == precision
    assert float(found.volume) == pytest.approx(6, rel=tolerance)
    assert float(found.area) == pytest.approx(22, rel=tolerance)
    np.testing.assert_allclose(found.centre, 0.25, rtol=tolerance)
    np.testing.assert_allclose(found.inertia, np.diag([6.5, 5.0, 2.5]), atol=10 * tolerance)


def test_the_shape_derivative_is_the_area_vector():
    mesh = MESHES["torus"]
    faces = np.array(mesh.faces)
    with jax.enable_x64(True):
        volume = jax.jit(jax.grad(lambda v: mesh_integrals(v, faces).volume))
        slope = volume(jnp.asarray(np.array(mesh.vertices)))
    vectors = np.zeros((len(mesh.vertices), 3))
    for k in range(3):
        np.add.at(vectors, faces[:, k], mesh.face_normals * mesh.area_faces[:, None] / 3)
    np.testing.assert_allclose(slope, vectors, atol=1e-14)


def test_the_area_grows_by_mean_curvature():
    """Moving a ball's vertices outwards: dA/dr = 2A/r, exact for any polyhedron that scales."""
    mesh = trimesh.creation.icosphere(subdivisions=2)
    vertices, faces = np.array(mesh.vertices), np.array(mesh.faces)
    with jax.enable_x64(True):
        found = jax.jit(jax.jacfwd(lambda r: mesh_integrals(r * jnp.asarray(vertices), faces)))(1.0)
    assert float(found.area) == pytest.approx(2 * mesh.area, rel=1e-12)
    assert float(found.volume) == pytest.approx(3 * mesh.volume, rel=1e-12)
    np.testing.assert_allclose(found.inertia, 5 * mesh.moment_inertia, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("damage", ["hole", "flipped", "doubled", "empty"])
def test_an_open_mesh_is_refused(damage):
    mesh = MESHES["box"]
    faces = np.array(mesh.faces)
    faces = {
        "hole": faces[1:],
        "flipped": np.vstack([faces[1:], faces[:1, ::-1]]),
        "doubled": np.vstack([faces, faces[:1]]),
        "empty": faces[:0],
    }[damage]
    with pytest.raises(InputError, match="not closed"):
        mesh_integrals(np.array(mesh.vertices), faces)


ONES = np.ones(3)
LOWER, UPPER = np.array([-1.3, -1.25, -1.35]), np.array([1.3, 1.3, 1.25])


def ball(radius, cells):
    """The integrals of a ball and their derivatives in its radius."""
    centre = np.array([0.1, 0.05, -0.02])

    def integrals(r):
        return implicit_integrals(lambda x: jnp.linalg.norm(x - centre) - r, LOWER, UPPER, cells=cells)

    return jax.jit(lambda r: jax.jvp(integrals, (r,), (1.0,)))(radius)


def test_a_ball_converges_with_order_two():
    volume, area = 4 / 3 * np.pi, 4 * np.pi
    errors = []
    with jax.enable_x64(True):
        for cells in (10, 20):
            found, slope = ball(1.0, cells)
            errors.append(
                [
                    abs(float(found.volume) / volume - 1),
                    abs(float(found.area) / area - 1),
                    np.abs(np.asarray(found.inertia) / (0.4 * volume) - np.eye(3)).max(),
                    abs(float(slope.volume) / area - 1),  # dV/dr = ∫ 1 dA
                ]
            )
            np.testing.assert_allclose(found.centre, [0.1, 0.05, -0.02], atol=2e-3 / (cells / 10) ** 2)
    order = np.log2(np.array(errors[0]) / np.array(errors[1]))
    assert np.all(np.array(errors[1]) < [0.01, 0.006, 0.02, 0.005])
    assert np.all(order[:3] > 1.9)
    assert order[3] > 1.4  # that of the derivative varies with how the grid lies


@pytest.mark.parametrize("precision", ["float32"], indirect=True)  # in float64 the next tests see the same
def test_a_ball_in_its_own_bounds(precision):
    """Its poles lie on round parts of the box: dV/dr = A, dA/dr = 8πr and dI/dr = 5 I/r must not notice."""

    @jax.jit
    def both(radius):
        return jax.jvp(lambda r: implicit_integrals(Sphere(r), cells=16), (radius,), (jnp.ones_like(radius),))

    found, slope = both(jnp.asarray(1.5, precision))
    assert found.volume.dtype == slope.inertia.dtype == precision
    assert float(slope.volume) == pytest.approx(9 * np.pi, rel=0.01)
    assert float(slope.area) == pytest.approx(12 * np.pi, rel=0.01)
    inertia = 0.4 * 4 / 3 * np.pi * 1.5**5
    np.testing.assert_allclose(found.inertia, inertia * np.eye(3), atol=0.02 * inertia)
    np.testing.assert_allclose(slope.inertia, 5 / 1.5 * inertia * np.eye(3), atol=0.02 * 5 / 1.5 * inertia)


def box_volume(size):
    found = implicit_integrals(Box(size), cells=24)
    return found.volume, found


BOX_VOLUME = jax.jit(jax.value_and_grad(box_volume, has_aux=True))


@pytest.mark.parametrize("precision", ["float32"], indirect=True)
@pytest.mark.parametrize("size", [(1.0, 1.0, 1.0), (1.1, 1.3, 1.7), (1.0, 2.0, 3.0)])
def test_a_box_and_the_derivatives_in_its_sides(size, precision):
    """Its faces lie on round parts of the box of the grid; the errors are those of the edges."""
    size = np.array(size)
    (_, found), slope = BOX_VOLUME(jnp.asarray(size, precision))
    exact = np.prod(size)
    assert float(found.volume) == pytest.approx(exact, rel=0.01)
    assert float(found.area) == pytest.approx(2 * exact * np.sum(1 / size), rel=0.05)
    np.testing.assert_allclose(slope, exact / size, rtol=0.1)  # the area of the two sides, halved
    inertia = exact / 12 * (np.sum(size**2) - size**2)
    np.testing.assert_allclose(found.inertia, np.diag(inertia), atol=0.02 * inertia.max())


@pytest.mark.slow
def test_derivatives_of_a_box_converge():
    """Over many places of a box the typical error of dV/ds halves with the cells; here from 12 to 24."""

    def slopes(size, shift, cells):
        volume = lambda s: implicit_integrals(lambda x: Box(s)(x - shift), -ONES, ONES, cells=cells).volume  # noqa: E731
        return jax.grad(volume)(size)

    rng = np.random.default_rng(0)
    sizes, shifts = rng.uniform(0.8, 1.6, (40, 3)), rng.uniform(-0.1, 0.1, (40, 3))
    exact = np.prod(sizes, axis=1, keepdims=True) / sizes
    typical = []
    with jax.enable_x64(True):
        for cells in (12, 24):
            found = jax.jit(
                lambda s, t, n=cells: jax.lax.map(lambda item: slopes(item[0], item[1], n), (s, t))
            )(sizes, shifts)
            error = np.asarray(found) / exact - 1
            typical.append(np.median(np.abs(error)))
            assert abs(error.mean()) < 0.3 / cells
    assert typical[1] < 0.65 * typical[0] < 0.65 * 0.09


def test_a_plane_is_exact_and_its_derivative_too(precision):
    """The interpolant of a linear function is itself, wherever the plane lies: on the end of the box as well."""
    lower, upper = jnp.zeros(3, precision), jnp.asarray([1.0, 2.0, 1.0], precision)

    @jax.jit
    def at(level):
        def volume(c):
            found = implicit_integrals(lambda x: x[0] - c, lower, upper, cells=4)
            return found.volume, found

        return jax.value_and_grad(volume, has_aux=True)(level)

    for level in (0.3, 0.5, 0.75, 1e-9):
        (value, found), slope = at(jnp.asarray(level, precision))
        tolerance = 1e-6 if precision == np.float32 else 1e-8
        assert float(value) == pytest.approx(2 * level, abs=tolerance)
        if level > 1e-6:  # nearer to a node than that, f counts as 0 there
            assert float(slope) == pytest.approx(2, rel=1e-5)
            assert float(found.area) == pytest.approx(2, rel=1e-5)
            np.testing.assert_allclose(found.centre, [level / 2, 1, 0.5], rtol=1e-5)
        assert np.isfinite(slope)
    assert found.volume.dtype == precision


def test_bounds_of_a_shape_are_taken_and_needed():
    found = jax.jit(lambda: implicit_integrals(Box((1.0, 1.0, 1.0)), cells=10))()
    assert float(found.volume) == pytest.approx(1, rel=0.05)
    with pytest.raises(ValueError, match="no bounds"):
        implicit_integrals(lambda x: x[0])
    with pytest.raises(ValueError, match="both corners"):
        implicit_integrals(lambda x: x[0], np.zeros(3))
    with pytest.raises(ValueError, match="cells"):
        implicit_integrals(Box((1.0, 1.0, 1.0)), cells=0)


def test_nothing_inside_gives_zero_and_finite_derivatives():
    def parts(r):
        found = implicit_integrals(lambda x: jnp.sum(x**2) + r, LOWER, UPPER, cells=3)
        return jnp.concatenate([jnp.ravel(part) for part in found])

    values, slope = jax.jit(lambda r: jax.jvp(parts, (r,), (1.0,)))(1.0)
    assert not np.any(values[:2])
    assert np.all(np.isfinite(values))
    assert np.all(np.isfinite(slope))
