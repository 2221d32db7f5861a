"""The reference solutions of benchmarks/pinn.py against other methods, conserved quantities and published data."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.integrate import solve_ivp
from scipy.io import loadmat
from scipy.sparse.linalg import splu

sys.path.append(
    str(Path(__file__).resolve().parent.parent / "benchmarks")
)  # where a benchmark finds its parts
references = importlib.import_module("pinn_references")
planar = importlib.import_module("pinn_references_planar")


def uniform(low, high, shape):
    return np.random.default_rng(0).uniform(low, high, shape)


def laplacian(function, points, step=1e-3):
    """Central differences of order 4 in x and y."""
    total = -60 * function(points)
    for axis in (0, 1):
        for side in (-1, 1):
            away = side * step * np.eye(points.shape[1])[axis]
            total += 16 * function(points + away) - function(points + 2 * away)
    return total / (12 * step**2)


def test_burgers_equals_a_sine_series_with_much_viscosity():
    """A Galerkin method in sines, which knows nothing of the transform of Cole and Hopf."""
    count, viscosity, x = 48, 0.1, np.linspace(-1, 1, 21)
    k = np.pi * np.arange(1, count + 1)
    nodes = (np.arange(4 * count) + 0.5) / (2 * count) - 1
    sine, cosine = np.sin(np.outer(k, nodes)), np.cos(np.outer(k, nodes))

    def slope(t, b):
        return -sine @ ((b @ sine) * ((b * k) @ cosine)) / (2 * count) - viscosity * k**2 * b

    solved = solve_ivp(slope, (0, 1), -np.eye(count)[0], "DOP853", [0.3, 1.0], rtol=1e-11, atol=1e-13)
    expected = solved.y.T @ np.sin(np.outer(k, x))
    found = references.burgers(viscosity, x, [0.3, 1.0])
    np.testing.assert_allclose(found.values.reshape(2, -1), expected, atol=1e-10)
    assert found.accuracy < 1e-14


@pytest.mark.parametrize("viscosity", [0.01 / np.pi, 0.01])
def test_burgers_is_odd_converged_and_right_at_the_borders(viscosity):
    x, t = np.linspace(-1, 1, 65), [0.0, 1e-9, 0.1, 0.5, 1.0]
    found = references.burgers(viscosity, x, t)
    values = found.values.reshape(len(t), -1)
    assert found.accuracy < 1e-13
    np.testing.assert_allclose(values, -values[:, ::-1], atol=1e-13)
    np.testing.assert_allclose(values[:, [0, -1]], 0, atol=1e-13)
    np.testing.assert_allclose(values[:2], -np.tile(np.sin(np.pi * x), (2, 1)), atol=1e-8)
    assert references.burgers_at(viscosity, np.array([[0.25, 0.0]])) == pytest.approx(
        -np.sqrt(0.5), abs=1e-15
    )


def test_etdrk4_has_order_4():
    """c' = c − c² from ½: c = 1/(1 + e^−t)."""

    def error(steps):
        found = references.etdrk4(np.ones(1), lambda c: -(c**2), np.full(1, 0.5), 2, steps)
        return abs(found[2, 0] - 1 / (1 + np.exp(-1)))

    assert 12 < error(8) / error(16) < 20
    graded = references.etdrk4(np.ones(1), lambda c: -(c**2), np.full(1, 0.5), 2, 32, halvings=3)
    np.testing.assert_allclose(graded[:, 0], 1 / (1 + np.exp(-np.array([0, 0.5, 1]))), rtol=1e-7)


def test_kinked_cosine_has_the_series_of_its_function():
    x = np.linspace(-1, 1, 9)
    found = references.fourier_sum(references.kinked_cosine(2000)[None], x)[0]
    np.testing.assert_allclose(found, x**2 * np.cos(np.pi * x), atol=4 / (np.pi**2 * 1999) + 1e-12)


def test_allen_cahn_equals_finite_differences():
    """Central differences of order 2 on the half period with mirrored ends, extrapolated from two spacings."""

    def differences(count):
        x = np.linspace(0, 1, count + 1)

        def slope(t, u):
            wide = np.concatenate([u[1:2], u, u[-2:-1]])
            return 1e-4 * np.diff(wide, 2) * count**2 + 5 * (u - u**3)

        start = x**2 * np.cos(np.pi * x)
        return solve_ivp(slope, (0, 1), start, "RK45", [0.5, 1.0], rtol=1e-7, atol=1e-9).y.T

    coarse, fine = differences(300), differences(600)[:, ::2]
    found = references.allen_cahn(np.linspace(0, 1, 301), 2, modes=512, steps=200)
    values = found.values.reshape(3, -1)[1:]
    np.testing.assert_allclose(values, (4 * fine - coarse) / 3, atol=5e-4)
    assert references.relative(fine, values) > 3 * references.relative((4 * fine - coarse) / 3, values)


def test_allen_cahn_states_its_accuracy():
    coarse = references.allen_cahn(outputs=20, modes=384, steps=160)
    fine = references.allen_cahn(outputs=20, modes=768, steps=320)
    assert references.relative(coarse.values, fine.values) < coarse.accuracy < 1e-5
    assert fine.accuracy < coarse.accuracy / 10


def test_kdv_conserves_mass_energy_and_its_hamiltonian():
    x = np.arange(512) / 256 - 1
    found = references.kdv(x, 4, modes=192, steps=6000)
    u = found.values.reshape(5, -1)
    wave = 1j * np.pi * np.arange(257)
    slope = np.fft.irfft(wave * np.fft.rfft(u), 512)
    hamiltonian = np.mean(u**3 / 6 - references.KDV_DISPERSION**2 * slope**2 / 2, axis=1)
    np.testing.assert_allclose(u.mean(axis=1), 0, atol=1e-13)
    np.testing.assert_allclose(np.mean(u**2, axis=1), 0.5, rtol=1e-9)
    np.testing.assert_allclose(hamiltonian, hamiltonian[0], rtol=1e-8)
    assert np.abs(u[-1]).max() > 2  # solitons have formed: the conserved quantities were put to the test
    assert found.accuracy < 1e-7


def test_poisson_with_holes_is_harmonic_and_has_its_boundary_values():
    inside = uniform(-0.49, 0.49, (400, 2))
    inside = inside[(np.hypot(*(np.abs(inside) - 0.3).T) > 0.12)]
    found = planar.poisson_holes(inside)
    assert found.accuracy < 1e-12
    assert (found.values > 0).all()
    assert (found.values < 1).all()
    np.testing.assert_allclose(laplacian(lambda x: planar.poisson_holes(x).values, inside), 0, atol=1e-5)
    rim = planar.circle(-0.3, 0.3, 0.1, 37)
    np.testing.assert_allclose(planar.poisson_holes(rim).values, 0, atol=1e-12)
    side = np.stack([uniform(-0.5, 0.5, 50), np.full(50, -0.5)], axis=-1)
    np.testing.assert_allclose(planar.poisson_holes(side).values, 1, atol=1e-12)


def test_the_l_shape_satisfies_its_equation_and_boundary_values():
    inside = np.array([[-0.3, 0.4], [-0.5, -0.6], [0.7, -0.2], [-0.01, 0.01]])
    found = planar.l_shape(inside)
    assert found.accuracy < 1e-9
    np.testing.assert_allclose(laplacian(lambda x: planar.l_shape(x).values, inside), -1, atol=1e-4)
    along = np.linspace(0.02, 0.98, 7)[:, None]  # the very corners are missed by 4e-4
    rim = np.concatenate([along * [1.0, 0.0], along * [0.0, 1.0], [-1.0, 1.0] - along * [0.0, 2.0]])
    np.testing.assert_allclose(planar.l_shape(rim).values, 0, atol=1e-9)


def test_poisson_boltzmann_satisfies_its_equation_and_boundary_values():
    inside = uniform(-0.99, 0.99, (60, 2))
    for x, y, radius in planar.HOLES:
        inside = inside[np.hypot(inside[:, 0] - x, inside[:, 1] - y) > radius + 0.01]
    reach = 1e-3 * np.array([[0, 0], [1, 0], [2, 0], [-1, 0], [-2, 0], [0, 1], [0, 2], [0, -1], [0, -2]])
    rim = np.concatenate([planar.circle(*hole, 7, 0.3) for hole in planar.HOLES])
    asked = np.concatenate(
        [(inside + away) for away in reach] + [rim, [[1.0, 0.3], [-1.0, -1.0], [0.999, 1.0]]]
    )
    found = planar.poisson_boltzmann(asked, orders=24)
    u = found.values[: reach.shape[0] * len(inside)].reshape(len(reach), -1)
    second = (-60 * u[0] + 16 * u[1::2].sum(axis=0) - u[2::2].sum(axis=0)) / 12e-6
    np.testing.assert_allclose(-second + 64 * u[0], planar.boltzmann_source(*inside.T), atol=2e-4)
    assert found.accuracy < 1e-6
    np.testing.assert_allclose(found.values[u.size :], [1] * len(rim) + [0.2] * 3, atol=1e-6)


def test_heat_multiscale_satisfies_its_equation():
    points, step = uniform(0.1, 0.9, (30, 3)), 1e-3
    around = [planar.heat_multiscale(points + step * np.array(a)).values for a in np.eye(3)]
    before = [planar.heat_multiscale(points - step * np.array(a)).values for a in np.eye(3)]
    here = planar.heat_multiscale(points).values
    (xx, yy, _), rate = (
        [(a - 2 * here + b) / step**2 for a, b in zip(around, before, strict=True)],
        around[2] - before[2],
    )
    np.testing.assert_allclose(rate / (2 * step), xx / (500 * np.pi) ** 2 + yy / np.pi**2, atol=1e-4)


def test_heat_darcy_with_a_constant_coefficient_is_one_sine(monkeypatch):
    monkeypatch.setattr(planar, "darcy_coefficient", lambda points: np.full(len(points), 0.1))
    points = uniform(0, 1, (40, 3))
    x, y, t = points.T
    rate = 2.6 * np.pi**2
    swing = rate * np.sin(np.pi * t) - np.pi * np.cos(np.pi * t) + np.pi * np.exp(-rate * t)
    expected = 200 * np.sin(np.pi * x) * np.sin(5 * np.pi * y) * swing / (rate**2 + np.pi**2)
    np.testing.assert_allclose(planar.heat_darcy(points, degree=26).values, expected, atol=1e-8)


@pytest.mark.fem
def test_heat_darcy_from_a_constant_table_is_one_sine():
    pytest.importorskip("skfem")
    table = importlib.import_module("pinn_references_table")
    points = uniform(0, 1, (40, 3))
    x, y, t = points.T
    rate = 2.6 * np.pi**2
    swing = rate * np.sin(np.pi * t) - np.pi * np.cos(np.pi * t) + np.pi * np.exp(-rate * t)
    expected = 200 * np.sin(np.pi * x) * np.sin(5 * np.pi * y) * swing / (rate**2 + np.pi**2)
    found = table._on_mesh(points, np.full((256, 256), 0.1), 51)
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_heat_darcy_equals_finite_volumes():
    """Crank–Nicolson steps on cells whose coefficient is taken at their faces, to time 0.3."""
    count, steps = 64, 60
    across = np.arange(1, count) / count
    faces = (np.arange(count) + 0.5) / count
    at_faces = [
        planar.darcy_coefficient(references.grid(*axes)).reshape(len(axes[1]), len(axes[0]))
        for axes in ((faces, across), (across, faces))
    ]
    first = sparse.diags_array(
        [np.ones(count), -np.ones(count)], offsets=[0, -1], shape=(count, count - 1)
    ).tocsr()
    same = sparse.eye_array(count - 1)
    along_x, along_y = sparse.kron(same, first), sparse.kron(first, same)
    weigh = [sparse.diags_array(a.ravel()) for a in at_faces]
    operator = -(along_x.T @ weigh[0] @ along_x + along_y.T @ weigh[1] @ along_y) * count**2
    shape = 200 * np.outer(np.sin(5 * np.pi * across), np.sin(np.pi * across)).ravel()
    step = 0.3 / steps
    forward = sparse.eye_array(len(shape)) + step / 2 * operator
    backward = splu((sparse.eye_array(len(shape)) - step / 2 * operator).tocsc())
    u = np.zeros(len(shape))
    for middle in (np.arange(steps) + 0.5) * step:
        u = backward.solve(forward @ u + step * np.sin(np.pi * middle) * shape)
    points = np.concatenate([references.grid(across, across), np.full((len(shape), 1), 0.3)], axis=1)
    found = planar.heat_darcy(points, degree=26)
    assert found.accuracy < 1e-2
    assert references.relative(u, found.values) < 1e-2


def test_references_agree_with_published_data(data):
    """How good the files are: the bounds are what was found, to two figures upwards, at every eighth point."""
    file = np.load(data / "pinn" / "burgers_colehopf.npz")
    assert references.relative(references.burgers_at(0.01 / np.pi, file["X"]), file["u"]) < 1e-14
    for name, solve, bound in (
        ("poisson1_cg_data", planar.poisson_holes, 3e-5),
        ("poisson_boltzmann2d", lambda x: planar.poisson_boltzmann(x, orders=24), 1.3e-4),
        ("heat_multiscale_lesspoints", planar.heat_multiscale, 1.4e-2),
    ):
        points, values = (part[::8] for part in planar.exported(data, name))
        assert references.relative(values, solve(points).values) < bound, name


@pytest.mark.slow
def test_the_l_shape_agrees_with_finite_elements(data):
    """Those are good to about 1e-6."""
    file = np.load(data / "pinn" / "fem_lshape_ref.npz")
    assert references.relative(planar.l_shape(file["X"]).values, file["u"]) < 2e-6


@pytest.mark.slow
def test_time_dependent_references_agree_with_published_data(data):
    kdv, cahn = (loadmat(data / "pinn" / name) for name in ("jaxpi2_kdv.mat", "ssb_AC_cosine.mat"))
    found = references.kdv(kdv["x"][0], 200)
    assert found.accuracy < 2e-11
    assert references.relative(kdv["usol"].ravel(), found.values) < 2e-11
    found = references.allen_cahn(cahn["x"][0], 100)
    assert found.accuracy < 1e-9
    assert (
        references.relative(cahn["uu"].T[::2].ravel(), found.values) < 1.3e-5
    )  # 1e-4 at the kink, 2e-7 from 0.5 on
