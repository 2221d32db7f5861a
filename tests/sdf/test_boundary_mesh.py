"""Boundary functions of mesh patches: order, brute-force integrals, cuts, kinks of the exact distance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from geoembed import sdf
from geoembed.core import InputError

pytestmark = pytest.mark.usefixtures("compiled_quickly")  # formulas of a few numbers

SIZE = np.array([2.0, 3.0, 4.0])


def box(offset=0.0, cuts=0):
    """A box with one corner at `offset`, its faces cut into 4ᶜᵘᵗˢ · 12 triangles."""
    mesh = trimesh.creation.box(SIZE)
    for _ in range(cuts):
        mesh = mesh.subdivide()
    return sdf.mesh_sdf(np.array(mesh.vertices) + SIZE / 2 + offset, np.array(mesh.faces), unit="mm")


def base_of(mesh, order):
    patches = sdf.resolve_patches(mesh, {"base": sdf.facing((0, 0, -1))})
    return sdf.boundary_function(mesh, patches, "base", order=order)


@pytest.fixture(scope="module")
def bases():
    return {order: base_of(box(), order) for order in (1, 2, 3)}


@jax.jit
def evaluate(phi, points):
    """Values and gradients, always of 256 points: one compilation for an order, a dtype and up to 64 triangles."""
    return jax.vmap(jax.value_and_grad(phi))(points)


def at(phi, points, dtype):
    points = np.asarray(points, float)
    padded = np.concatenate([points, np.broadcast_to(points[:1], (256 - len(points), 3))])
    return [np.asarray(rows)[: len(points)] for rows in evaluate(phi, jnp.asarray(padded, dtype))]


@jax.jit
def hessians(phi, points):
    return jax.vmap(jax.jacfwd(jax.jacfwd(phi)))(points)


def second(phi, points, dtype):
    """Second derivatives, always of 64 points."""
    points = np.asarray(points, float)
    padded = np.concatenate([points, np.broadcast_to(points[:1], (64 - len(points), 3))])
    return np.asarray(hessians(phi, jnp.asarray(padded, dtype)))[: len(points)]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "foot", [(0.7, 1.1), (1.0, 1.5)], ids=["triangle", "edge between coplanar triangles"]
)
def test_the_order_of_normalisation(bases, order, foot):
    d = np.linspace(0.0, 0.2, 60)[1:]
    with jax.enable_x64(True):
        values, _ = at(bases[order], np.stack([0 * d + foot[0], 0 * d + foot[1], d], axis=1), jnp.float64)
    c = np.linalg.lstsq(np.vander(d / 0.2, 10, increasing=True), values, rcond=None)[0] / 0.2 ** np.arange(10)
    last = {1: 1, 2: 3}[order]  # order 2 is served by the function of order 3
    tolerance = 10.0 ** (1.5 * np.arange(10) - 10)
    assert abs(c[0]) < 1e-12
    assert abs(c[1] - 1) < tolerance[1]
    assert np.all(np.abs(c[2 : last + 1]) < tolerance[2 : last + 1]), c
    assert abs(c[last + 1]) > 0.01, "the order is not higher than declared"


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("offset", [0.0, 200.0])
def test_on_the_patch_it_is_zero_and_its_gradient_is_the_inward_normal(order, offset, precision):
    """Points of the base, on triangles and on the diagonal between them, moved by rounding to both sides."""
    feet = np.array([(0.7, 1.1), (1.0, 1.5), (0.4, 0.6), (1.9, 0.2), (0.3, 2.1)])
    rounding = np.finfo(precision).eps * (4 + offset)
    points = np.concatenate([np.insert(feet, 2, z, axis=1) for z in (0.0, rounding, -rounding)]) + offset
    values, gradients = at(base_of(box(offset), order), points, precision)
    assert values.dtype == gradients.dtype == precision
    assert np.all(values >= 0)
    assert np.all(values < 8 * rounding)
    # Taken some roundings inside, where φ of order 1 has bent a little.
    tolerance = {
        ("float32", 0.0): 1e-3,
        ("float32", 200.0): 0.03,
        ("float64", 0.0): 1e-6,
        ("float64", 200.0): 1e-6,
    }
    expected = np.broadcast_to([0.0, 0.0, 1.0], gradients.shape)
    np.testing.assert_allclose(gradients, expected, atol=tolerance[precision.name, offset])


def quadrature(triangles, point, power):
    """p/2π ∫ |x − y|^(−2−p) dA by a product rule on each triangle; for points away from them."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    nodes, weights = 0.5 * (1 + nodes), 0.5 * weights
    u, v = (grid.ravel() for grid in np.meshgrid(nodes, nodes))
    w = np.outer(weights, weights).ravel() * u
    total = 0.0
    for a, b, c in triangles:
        y = a + u[:, None] * (b - a) + (u * v)[:, None] * (c - b)
        area = np.linalg.norm(np.cross(b - a, c - a))
        total += area * np.sum(w / np.linalg.norm(y - point, axis=1) ** (2 + power))
    return power / (2 * np.pi) * total


@pytest.mark.parametrize(("order", "power"), [(1, 1), (2, 3)])
def test_it_is_the_power_mean_of_the_distances(bases, order, power):
    triangles = np.array([[(0, 0, 0), (2, 0, 0), (2, 3, 0)], [(0, 0, 0), (2, 3, 0), (0, 3, 0)]], float)
    beside = [
        (2.4, 1, 0),
        (2.4, 1, 1e-6),
        (3, 3, 0),
        (-1, -1.5, 0),
        (4, 3, 0),
        (1, -0.4, -1e-9),
    ]  # in the plane
    points = np.array([*beside, (0.7, 1.1, 0.5), (1, 1.5, 2), (1, 1, -2), (-3, 5, 4), (20, 10, -30)])
    integral = np.array([quadrature(triangles, point, power) for point in points])
    middle, radius2 = np.array([1, 1.5, 0]), (4 + 9) / 12
    expected = (integral + (np.sum((points - middle) ** 2, axis=1) + radius2) ** (-power / 2)) ** (-1 / power)
    np.testing.assert_allclose(at(bases[order], points, jnp.float32)[0], expected, rtol=1e-5)
    with jax.enable_x64(True):
        np.testing.assert_allclose(at(bases[order], points, jnp.float64)[0], expected, rtol=1e-6)


def test_triangulation_does_not_show():
    """The same box cut in two ways, and with slivers of the width 1e-3."""
    points = np.random.default_rng(0).uniform(-1, 4, (200, 3))
    points[:100, 2] = 0.0
    fine = np.array([0, 1e-3, 2e-3, 1, 1.001, 2 - 1e-3, 2])
    vertices = np.array([(x, y, z) for x in fine for y in (0, 3) for z in (0, 4)], float)
    faces = []
    for i in range(len(fine) - 1):
        a, b = 4 * i, 4 * i + 4
        quads = [
            (a, a + 2, b + 2, b),
            (a + 1, b + 1, b + 3, a + 3),
            (a, b, b + 1, a + 1),
            (a + 2, a + 3, b + 3, b + 2),
        ]
        faces += [face for p, q, r, s in quads for face in ((p, q, r), (p, r, s))]
    last = 4 * (len(fine) - 1)
    faces += [(0, 1, 3), (0, 3, 2), (last, last + 3, last + 1), (last, last + 2, last + 3)]
    slivers = sdf.mesh_sdf(vertices, np.array(faces), unit="mm")
    assert slivers.sign_reliable
    points = points[np.abs(points[:, 0] - 1) < 3]
    for order in (1, 2):
        plain = base_of(box(), order)
        with jax.enable_x64(True):
            expected = at(plain, points, jnp.float64)
        for other in (base_of(box(cuts=2), order), base_of(slivers, order)):
            values, gradients = at(other, points, jnp.float32)
            on = expected[0] < 1e-5  # within rounding the inner side counts
            np.testing.assert_allclose(values, expected[0], rtol=2e-4, atol=1e-6)
            np.testing.assert_allclose(gradients[~on], expected[1][~on], atol=2e-3)


@pytest.mark.parametrize(("order", "power"), [(1, 1), (2, 3)])
def test_a_tessellated_sphere_is_nearly_the_sphere(order, power):
    """Inside a sphere the integrals are 4πa/(a² − r²) and (2πa/3r) ((a − r)⁻³ − (a + r)⁻³)."""
    ball = trimesh.creation.icosphere(subdivisions=3, radius=1.0)
    mesh = sdf.mesh_sdf(np.array(ball.vertices), np.array(ball.faces), unit="m")
    whole = sdf.boundary_function(mesh, sdf.resolve_patches(mesh, {}), "rest", order=order)
    r = np.array([1e-3, 0.2, 0.4, 0.6, 0.8])
    first = 2 / (1 - r**2)
    third = ((1 - r) ** -3 - (1 + r) ** -3) / r
    expected = ({1: first, 3: third}[power] + (1 + r**2) ** (-power / 2)) ** (-1 / power)
    direction = np.array([0.48, 0.6, 0.64])
    np.testing.assert_allclose(at(whole, r[:, None] * direction, jnp.float32)[0], expected, rtol=0.02)
    assert np.all(np.diff(expected) < 0)


@pytest.mark.slow
def test_the_exact_distance_has_kinks_where_phi_has_none():
    """Across the medial axis of a box the gradient of |SDF| jumps; φ stays smooth and its Laplacian bounded."""
    mesh = box()
    whole = sdf.boundary_function(mesh, sdf.resolve_patches(mesh, {}), "rest", order=2)
    rng = np.random.default_rng(1)
    z, s = rng.uniform(1.5, 2.5, 50), rng.uniform(0.2, 0.9, 50)
    on_axis = np.stack([s, s, z], axis=1)  # equally far from x = 0 and y = 0
    across = 1e-5 * np.array([1.0, -1, 0])
    with jax.enable_x64(True):
        points = np.concatenate([on_axis + across, on_axis - across])
        exact = np.split(
            np.asarray(jax.jit(jax.vmap(jax.grad(lambda x: jnp.abs(mesh(x)))))(jnp.asarray(points))), 2
        )
        smooth = np.split(at(whole, points, jnp.float64)[1], 2)
        bent = np.trace(second(whole, points[:50], jnp.float64), axis1=1, axis2=2)
    assert np.linalg.norm(exact[0] - exact[1], axis=1).min() > 1.4
    assert np.linalg.norm(smooth[0] - smooth[1], axis=1).max() < 1e-3
    assert np.all(np.isfinite(bent))
    assert np.abs(bent * s).max() < 4  # 1/r from the edge at x = y = 0


@pytest.mark.slow
def test_at_the_rim_second_derivatives_grow_like_1_over_r(bases):
    r = np.array([1e-2, 1e-3, 1e-4])
    points = np.array([2.0, 1.3, 0.0]) + r[:, None] * np.array([0.6, 0.0, 0.8])
    with jax.enable_x64(True):
        for order in (1, 2):
            gradients = at(bases[order], points, jnp.float64)[1]
            scaled = r * np.trace(second(bases[order], points, jnp.float64), axis1=1, axis2=2)
            assert np.linalg.norm(gradients, axis=1).max() < 3.5  # π straight beside the rim, for order 1
            assert abs(scaled[2]) > 0.02
            assert scaled[1] == pytest.approx(scaled[2], rel=0.05)


def test_derivatives_are_finite_everywhere(bases, precision):
    corner, edge, rim, face, diagonal = (0, 0, 0), (2, 3, 1), (2, 1, 0), (0.7, 1.1, 0), (1, 1.5, 0)
    beside, below, far = (-1, 1, 0), (1, 1, -1), (1e3, -1e3, 1e3)
    points = [corner, edge, rim, face, diagonal, beside, below, far]
    for order in (1, 2):
        assert all(np.all(np.isfinite(rows)) for rows in at(bases[order], points, precision))
    assert np.all(np.isfinite(second(bases[2], points, precision)))


def test_what_is_refused(bases):
    mesh = box()
    patches = sdf.resolve_patches(mesh, {"base": sdf.facing((0, 0, -1))})
    with pytest.raises(InputError, match="Did you mean 'base'"):
        sdf.boundary_function(mesh, patches, "bose")
    with pytest.raises(ValueError, match="from 1 to 3"):
        sdf.boundary_function(mesh, patches, "base", order=4)
    with pytest.raises(ValueError, match="the patches are those of 12 faces, the mesh has 48"):
        sdf.boundary_function(box(cuts=1), patches, "base")
    assert bases[2].order == 2
