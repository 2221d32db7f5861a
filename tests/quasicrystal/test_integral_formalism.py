"""Straight dislocations against closed forms, conservation laws and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import load, save
from geoembed.quasicrystal import (
    elastic_invariants,
    elastic_tensor,
    peach_koehler,
    point_group,
    stability_margin,
    straight_dislocation,
)
from tests.quasicrystal.symmetry_cases import P, Q, axial, icosahedral

LAM, MU = 0.47, 0.45  # eV/Å³
NU = LAM / (2 * (LAM + MU))
ONE = np.eye(3)
ISOTROPIC = LAM * np.einsum("ij,kl->ijkl", ONE, ONE)
ISOTROPIC = ISOTROPIC + MU * (np.einsum("ik,jl->ijkl", ONE, ONE) + np.einsum("il,jk->ijkl", ONE, ONE))
STILL = [0.0, 0.0, 0.0]  # the phason part of a crystal's Burgers vector
POINTS = np.random.default_rng(3).normal(size=(96, 3)) * [2.0, 2.0, 1.0]


def with_phasons(phonon):
    """A crystal whose phasons have the energy ½ · 0.03 |∇w|² and no coupling: six components, as all fields here."""
    tensor = np.zeros((6, 3, 6, 3))
    tensor[:3, :, :3], tensor[3:, :, 3:] = phonon, 0.03 * np.einsum("ik,jl->ijkl", ONE, ONE)
    return tensor


@pytest.fixture(scope="module", autouse=True)
def quickly(compiled_quickly):
    """Formulas on few numbers."""


@pytest.fixture(scope="module")
def icosahedral_stiffness():
    """A coupled tensor with soft phasons, far from any symmetry that makes eigenvalues degenerate."""
    with jax.enable_x64(True):
        invariants = elastic_invariants(point_group(*icosahedral()))
        constants = jnp.array([LAM + 2 * MU, LAM]), jnp.array([0.2, -0.02]), jnp.array([0.06])
        tensor = elastic_tensor(invariants, *constants)
        assert stability_margin(tensor) > 0.01
    return np.asarray(tensor)


# What is asked of a field: all of it at once, so that it is compiled once for each dtype.
@jax.jit
def report(stiffness, burgers, line, points):
    field = straight_dislocation(stiffness, burgers, line)

    def at(x):
        force = jnp.einsum("Ijj->I", jax.jacfwd(field.stress)(x))
        return (
            field.displacement(x),
            field.distortion(x),
            field.stress(x),
            force,
            jax.jacfwd(field.displacement)(x),
        )

    return field, jax.vmap(at)(points)


def test_isotropic_edge_and_screw(precision):
    """Hirth & Lothe, Theory of Dislocations, sec. 3-2 and 3-4."""
    b = np.array([1.3, 0.0, 0.7])
    arrays = [jnp.asarray(a, precision) for a in (with_phasons(ISOTROPIC), [*b, *STILL], [0, 0, 2.0], POINTS)]
    field, (u, _, stress, _, _) = report(*arrays)
    atol = 2e-6 if precision == "float32" else 1e-13
    assert field.axes.dtype == u.dtype == precision
    np.testing.assert_allclose(field.prelogarithmic[:3, :3], np.diag([MU / (1 - NU)] * 2 + [MU]), atol=atol)
    x, y = POINTS[:, 0], POINTS[:, 1]
    r, t = np.hypot(x, y), np.arctan2(y, x) % (2 * np.pi)
    expected = np.stack(
        [
            b[0] / (2 * np.pi) * (t + np.sin(2 * t) / (4 * (1 - NU))),
            -b[0] / (8 * np.pi * (1 - NU)) * (2 * (1 - 2 * NU) * np.log(r) + np.cos(2 * t) - 1),
            b[2] * t / (2 * np.pi),
        ],
        axis=1,
    )
    np.testing.assert_allclose(u, np.pad(expected, ((0, 0), (0, 3))), atol=atol)
    d = MU * b[0] / (2 * np.pi * (1 - NU))
    xx, yy = -d * y * (3 * x**2 + y**2) / r**4, d * y * (x**2 - y**2) / r**4
    xy, zz = d * x * (x**2 - y**2) / r**4, NU * (xx + yy)
    xz, yz = -MU * b[2] * y / (2 * np.pi * r**2), MU * b[2] * x / (2 * np.pi * r**2)
    expected = np.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], axis=1).reshape(-1, 3, 3)
    np.testing.assert_allclose(stress[:, :3], expected, rtol=0, atol=atol * np.abs(expected).max())
    energy = (MU / (1 - NU) * b[0] ** 2 + MU * b[2] ** 2) / (4 * np.pi)
    np.testing.assert_allclose(field.energy_factor(), energy, rtol=2e-6 if precision == "float32" else 1e-13)


def test_orthotropic_energy_factors():
    """Hirth & Lothe, eq. 13-105 ff.: the closed forms where the line and both normals are twofold axes."""
    c11, c22, c33, c12, c13, c23, c44, c55, c66 = 1.9, 1.1, 1.4, 0.5, 0.6, 0.4, 0.35, 0.8, 0.55
    c = np.zeros((3, 3, 3, 3))
    for i, j, value in [(0, 0, c11), (1, 1, c22), (2, 2, c33), (0, 1, c12), (0, 2, c13), (1, 2, c23)]:
        c[i, i, j, j] = c[j, j, i, i] = value
    for i, j, value in [(1, 2, c44), (0, 2, c55), (0, 1, c66)]:
        c[i, j, i, j] = c[j, i, i, j] = c[i, j, j, i] = c[j, i, j, i] = value
    with jax.enable_x64(True):
        field, _ = report(with_phasons(c), jnp.ones(6), jnp.array([0.0, 0, 1]), POINTS)
    mean = np.sqrt(c11 * c22)
    edge = (mean + c12) * np.sqrt(c66 * (mean - c12) / (c22 * (mean + c12 + 2 * c66)))
    expected = np.diag([edge, edge * np.sqrt(c22 / c11), np.sqrt(c44 * c55)])
    np.testing.assert_allclose(field.prelogarithmic[:3, :3], expected, atol=1e-12)


@pytest.fixture(scope="module")
def lattice_dislocation(icosahedral_stiffness):
    """The Burgers vector (P n, Q n) of a lattice vector n of Z⁶, a skew line."""
    vector = np.array([1, -1, 0, 0, 1, 0])
    burgers, line = np.concatenate([P @ vector, Q @ vector]), np.array([0.3, -0.5, 0.9])
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, report(icosahedral_stiffness, burgers, line, POINTS))


def unbalanced(field, stress, force):
    """The largest |div σ| in units of |σ|/r."""
    line, scale = np.asarray(field.line, float), np.abs(np.asarray(stress, float)).max(axis=(1, 2))
    radius = np.linalg.norm(POINTS - np.outer(POINTS @ line, line), axis=1)
    return (np.abs(force).max(axis=1) * radius / scale).max()


def test_equilibrium_and_consistency(lattice_dislocation):
    field, (_, distortion, stress, force, slope) = lattice_dislocation
    assert np.linalg.norm(field.burgers[:3]) > 0.5 < np.linalg.norm(field.burgers[3:])
    assert unbalanced(field, stress, force) < 1e-11, "no body force in phonons and phasons"
    np.testing.assert_allclose(slope, distortion, rtol=0, atol=1e-12 * np.abs(distortion).max())
    size = np.abs(stress).max()
    np.testing.assert_allclose(stress[:, :3], stress[:, :3].transpose(0, 2, 1), atol=1e-13 * size)
    expected = np.einsum("IjKl,pKl->pIj", field.stiffness, distortion)
    np.testing.assert_allclose(stress, expected, atol=1e-13 * size)


def test_equilibrium_in_float32(icosahedral_stiffness):
    arrays = [icosahedral_stiffness, np.ones(6), [0.3, -0.5, 0.9], POINTS]
    field, (_, _, stress, force, _) = report(*(jnp.asarray(a, jnp.float32) for a in arrays))
    assert force.dtype == jnp.float32
    assert unbalanced(field, stress, np.asarray(force)) < 1e-4


def circle(field, radius, count):
    """Points on a circle about the line and the vectors of the steps between them."""
    angle = np.arange(count) * 2 * np.pi / count + 0.1
    m = np.cos(angle)[:, None] * field.axes[0] + np.sin(angle)[:, None] * field.axes[1]
    n = np.cos(angle)[:, None] * field.axes[1] - np.sin(angle)[:, None] * field.axes[0]
    return radius * m, radius * n * (2 * np.pi / count)


def test_burgers_closure_energy_and_no_net_force(lattice_dislocation):
    field, _ = lattice_dislocation
    with jax.enable_x64(True):
        points, steps = circle(field, 1.7, 96)
        _, (_, distortion, stress, _, _) = jax.tree.map(
            np.asarray, report(field.stiffness, field.burgers, field.line, points)
        )
        np.testing.assert_allclose(np.einsum("pIj,pj->I", distortion, steps), field.burgers, atol=1e-12)
        outward = points / 1.7
        assert np.abs(np.einsum("pIj,pj->I", stress, outward)).max() < 1e-10
        # the energy of an annulus: ½ ∮ σ:β r dθ dr = E ln(R/r)
        density = np.einsum("pIj,pIj->p", stress, distortion).mean() * np.pi * 1.7**2
        field = jax.tree.map(jnp.asarray, field)
        np.testing.assert_allclose(density, field.energy_factor(), rtol=1e-12)
        around = jax.jit(jax.vmap(field.unwrapped, (None, 0)))(jnp.array(2.0), 1.0 + np.array([0, 2 * np.pi]))
        jump = around[1] - around[0]
    np.testing.assert_allclose(jump, field.burgers, atol=1e-14)


def test_radial_force_between_two_lines(icosahedral_stiffness, lattice_dislocation):
    """F·r̂ = b₁·L·b₂/(2πr) for parallel dislocations of any symmetry (Bacon et al., sec. 4.3)."""
    field, (_, _, stress, _, _) = lattice_dislocation
    other = np.array([0.2, 0.5, -0.3, 0.7, 0.1, -0.4])
    with jax.enable_x64(True):
        force = jax.jit(jax.vmap(peach_koehler, (0, None, None)))(
            *(jnp.asarray(a) for a in (stress, other, field.line))
        )
    normal = POINTS - np.outer(POINTS @ field.line, field.line)
    radius = np.linalg.norm(normal, axis=1)
    expected = other @ field.prelogarithmic @ field.burgers / (2 * np.pi * radius)
    np.testing.assert_allclose(np.einsum("pj,pj->p", force, normal) / radius, expected, rtol=1e-11)
    np.testing.assert_allclose(np.asarray(force) @ field.line, 0, atol=1e-14)


@pytest.mark.slow
def test_quadrature_converges_exponentially(icosahedral_stiffness):
    with jax.enable_x64(True):
        burgers, line = jnp.arange(6.0), jnp.array([0.3, -0.5, 0.9])
        counts = (8, 32, 128)

        @jax.jit
        def error_of(stiffness):
            fields = [straight_dislocation(stiffness, burgers, line, samples=k) for k in counts]
            return [field.quadrature_error() for field in fields]

        errors = [float(e) for e in error_of(icosahedral_stiffness)]
    assert errors[0] > 1e-5, "the test would see an error"
    assert errors[1] < errors[0] ** 2, f"{dict(zip(counts, errors, strict=True))}"
    assert errors[2] < 1e-13


def test_phasons_apart(precision):
    """With the phason energy ½K|∇w|² and no coupling, the phason part of L is K, as for a screw."""
    arrays = (with_phasons(ISOTROPIC), np.ones(6), [1.0, 2, 3], POINTS)
    field, (u, _, _, _, _) = report(*(jnp.asarray(a, precision) for a in arrays))
    np.testing.assert_allclose(field.prelogarithmic[3:, 3:], 0.03 * ONE, atol=1e-7)
    angle = np.arctan2(POINTS @ field.axes[1], POINTS @ field.axes[0]) % (2 * np.pi)
    np.testing.assert_allclose(u[:, 3:], (angle / (2 * np.pi))[:, None].repeat(3, 1), atol=2e-6)


@pytest.mark.slow
def test_a_point_dislocation_of_a_planar_quasicrystal():
    """The plane of an octagonal quasicrystal: the same as a line along its periodic axis."""
    with jax.enable_x64(True):
        invariants = elastic_invariants(point_group(*axial(8, 3, True)))
        phonon = jnp.array([1.4, 0.5, 0.45, 0.4, 1.2])
        space = elastic_tensor(invariants, phonon, jnp.array([0.2, 0.03, 0.15, 0.05]), jnp.array([0.05]))
        assert stability_margin(space) > 0
        keep = np.array([0, 1, 3, 4])
        plane = space[np.ix_(keep, [0, 1], keep, [0, 1])]

        @jax.jit
        def both(burgers, other, x):
            line = straight_dislocation(space, burgers, jnp.array([0.0, 0, 1]))
            point = straight_dislocation(plane, burgers[keep])
            deep = jnp.append(x, 0.3)
            return (
                (point.displacement(x), peach_koehler(point.stress(x), other[keep])),
                (line.displacement(deep)[keep], peach_koehler(line.stress(deep), other, line.line)[:2]),
            )

        burgers, other = jnp.array([1.0, 0.5, 0.0, -0.4, 0.8]), jnp.array([0.3, 0.2, 0.0, 0.9, -0.1])
        found, expected = both(burgers, other, jnp.array([0.4, -1.1]))
    for one, same in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, same, atol=1e-13)


@pytest.mark.slow
def test_gradients(icosahedral_stiffness):
    with jax.enable_x64(True):
        line, x = jnp.array([0.3, -0.5, 0.9]), jnp.array([0.7, 0.4, 0.2])
        way = jnp.asarray(np.random.default_rng(0).normal(size=(6, 3, 6, 3)))
        way = way + way.transpose(2, 3, 0, 1)

        @jax.jit
        def value(t):
            field = straight_dislocation(
                icosahedral_stiffness + 0.05 * t[0] * way, jnp.arange(6.0) + t[1], line + t[2] * x
            )
            return field.energy_factor() + jnp.sum(field.displacement(x) ** 2) + jnp.sum(field.stress(x) ** 2)

        slopes, h, zero = jax.jit(jax.grad(value))(jnp.zeros(3)), 1e-5, jnp.zeros(3)
        expected = [(value(zero + h * e) - value(zero - h * e)) / (2 * h) for e in jnp.eye(3)]
    np.testing.assert_allclose(slopes, expected, rtol=1e-7)


@pytest.mark.slow
def test_on_the_line_everything_is_finite():
    precision = jnp.float32

    @jax.jit
    def slopes(stiffness, burgers, at):
        field = straight_dislocation(stiffness, burgers, jnp.ones_like(at))
        return field.distortion(at), jax.grad(
            lambda x: jnp.sum(field.displacement(x)) + jnp.sum(field.stress(x))
        )(at)

    stiffness, burgers = jnp.asarray(ISOTROPIC, precision), jnp.ones(3, precision)
    distortion, slope = slopes(stiffness, burgers, jnp.zeros(3, precision))
    assert not np.any(np.asarray(distortion))
    assert np.isfinite(slope).all()


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="a line direction is needed where d = 3"):
        straight_dislocation(jnp.asarray(ISOTROPIC, jnp.float32), jnp.ones(3))
    with pytest.raises(ValueError, match="samples=3 is too few"):
        straight_dislocation(jnp.asarray(ISOTROPIC, jnp.float32), jnp.ones(3), jnp.ones(3), samples=3)


def test_fields_are_artefacts(lattice_dislocation, tmp_path):
    field, _ = lattice_dislocation
    save(tmp_path / "field", field)
    back = load(tmp_path / "field")
    assert type(back) is type(field)
    np.testing.assert_array_equal(back.cosines, field.cosines)
    np.testing.assert_array_equal(back.stiffness, field.stiffness)


def test_lowers_for_every_platform():
    arrays = [jnp.asarray(a, jnp.float32) for a in (with_phasons(ISOTROPIC), np.ones(6), np.ones(3), POINTS)]
    traced = jax.jit(lambda *a: report(*a)[1]).trace(*arrays)
    for platform in ("cpu", "cuda", "tpu"):
        assert "f64" not in traced.lower(lowering_platforms=(platform,)).as_text()
