"""Each equation on an exact solution, its flux against finite differences, and its coefficients."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed.core import InputError, is_parameter
from geoembed.core._registry import name_of
from geoembed.pinn import (
    AdvectionDiffusion,
    AllenCahn,
    Burgers,
    Eikonal,
    Equation,
    FieldDependent,
    HeatEquation,
    Helmholtz,
    Isotropic,
    KdV,
    KuramotoSivashinsky,
    Lame,
    LinearElasticity,
    NavierStokes2D,
    Poisson,
    SteadyHeat,
    UserEquation,
    Wave,
    divergence,
    laplacian,
)

MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])
STEEL = Isotropic(young=2.0, poisson=0.3)
CASES = 6

# Exact solutions. Points are taken from 0.5 to 1.5, away from what is singular at 0.


def harmonic(x):
    return jnp.exp(x[0]) * jnp.sin(x[1])


def product(x):
    return jnp.sin(x[0]) * jnp.sin(2 * x[1]) * jnp.sin(x[2])


def gouy_chapman(x):
    """Potential near a charged wall, u″ = sinh u."""
    decayed = 0.4 * jnp.exp(-x[0])
    return 2 * jnp.log((1 + decayed) / (1 - decayed))


def heat_kernel(x, diffusivity=0.5, drift=(0.0, 0.0)):
    away = (x[0] - drift[0] * x[2]) ** 2 + (x[1] - drift[1] * x[2]) ** 2
    return jnp.exp(-away / (4 * diffusivity * x[2])) / x[2]


def skew_kernel(x):
    """Of a matrix of conductivities, with ρc = 3."""
    inverse = np.linalg.inv(MATRIX)
    form = sum(float(inverse[i, j]) * x[i] * x[j] for i in range(2) for j in range(2))
    return jnp.exp(-3.0 * form / (4 * x[2])) / x[2]


def kirchhoff(x):
    """With k = 1 + T, T + T²/2 is harmonic."""
    return jnp.sqrt(1 + 2 * (2 + x[0] ** 2 - x[1] ** 2)) - 1


def burgers_front(x, nu=0.2, speed=0.4, jump=0.7):
    return speed - jump * jnp.tanh(jump * (x[0] - speed * x[1]) / (2 * nu))


def soliton(x, a=2.0, b=0.3, speed=0.8):
    return 3 * speed / a / jnp.cosh(math.sqrt(speed / b) / 2 * (x[0] - speed * x[1])) ** 2


def kuramoto_front(x, speed=0.3):
    wave = jnp.tanh(math.sqrt(11 / 19) / 2 * (x[0] - speed * x[1]))
    return speed + 15 / 19 * math.sqrt(11 / 19) * (11 * wave**3 - 9 * wave)


def invading_front(x, d=0.3, r=2.0):
    return (1 + jnp.tanh((math.sqrt(r / d) * x[0] + 3 / math.sqrt(2) * r * x[1]) / math.sqrt(8))) / 2


def plane_wave(x, speed=1.5):
    return jnp.sin(3 * x[0] + 4 * x[1] - 5 * speed * x[2])


def wave_in_graded_medium(x, frequency=2.0):
    """Of speed c = x."""
    return (
        jnp.cos(math.sqrt(frequency**2 - 0.25) * jnp.log(x[0])) / jnp.sqrt(x[0]) * jnp.cos(frequency * x[1])
    )


def kovasznay(x, reynolds=20.0):
    lam = reynolds / 2 - math.sqrt(reynolds**2 / 4 + 4 * math.pi**2)
    decay, turn = jnp.exp(lam * x[0]), 2 * math.pi * x[1]
    u, v = 1 - decay * jnp.cos(turn), lam / (2 * math.pi) * decay * jnp.sin(turn)
    return jnp.stack([u, v, -jnp.exp(2 * lam * x[0]) / 2])


def taylor_green(x, nu=0.1, density=3.0):
    decay = jnp.exp(-2 * nu * x[2])
    u, v = jnp.sin(x[0]) * jnp.cos(x[1]), -jnp.cos(x[0]) * jnp.sin(x[1])
    return jnp.stack([u * decay, v * decay, density / 4 * (jnp.cos(2 * x[0]) + jnp.cos(2 * x[1])) * decay**2])


def kelvin(x, ratio=0.3):
    """Displacement by a point force at the origin along the first axis, up to a factor."""
    r = jnp.sqrt(x[0] ** 2 + x[1] ** 2 + x[2] ** 2)
    return jnp.stack([(3 - 4 * ratio) / r + x[0] ** 2 / r**3, x[0] * x[1] / r**3, x[0] * x[2] / r**3])


def bending(x, ratio=0.3):
    """A beam under a moment, plane stress."""
    return jnp.stack([-x[0] * x[1], (x[0] ** 2 + ratio * x[1] ** 2) / 2])


def elastic_waves(x, density=2.0, first=1.2, shear=0.7):
    """A pressure wave along (0.6, 0.8) and a shear wave along the first axis."""
    fast, slow = math.sqrt((first + 2 * shear) / density), math.sqrt(shear / density)
    push, shake = jnp.sin(0.6 * x[0] + 0.8 * x[1] - fast * x[2]), jnp.cos(2 * x[0] - 2 * slow * x[2])
    return jnp.stack([0.6 * push, 0.8 * push + shake])


EXACT = [
    (Poisson(), harmonic, 2),
    (Poisson(source=lambda x: 6 * product(x)), product, 3),
    (Poisson(diffusivity=lambda x: 1 + x[0] ** 2, reaction=2.0), lambda x: x[0] * x[1], 2),
    (Poisson(source=-4.5, diffusivity=MATRIX), lambda x: x[0] ** 2 + x[0] * x[1] / 2, 2),
    (Poisson(source=FieldDependent(lambda x, u: -jnp.sinh(u))), gouy_chapman, 1),
    (Helmholtz(3.0, source=5.0), lambda x: jnp.sin(2 * x[0] - 2 * x[1] + x[2]) - 5 / 9, 3),
    (HeatEquation(1.0, capacity=2.0), heat_kernel, 3),
    (HeatEquation(MATRIX, capacity=3.0), skew_kernel, 3),
    (HeatEquation(FieldDependent(lambda x, T: 1 + T)), kirchhoff, 2),
    (HeatEquation(lambda x: jnp.exp(x[0]), source=2.0), lambda x: (2 * x[0] + 2) * jnp.exp(-x[0]), 1),
    (AdvectionDiffusion(1.5, 0.5, transient=False), lambda x: jnp.exp(3 * x[0]), 1),
    (AdvectionDiffusion([0.3, -0.2], 0.5), lambda x: heat_kernel(x, drift=(0.3, -0.2)), 3),
    (Burgers(0.2), burgers_front, 2),
    (KdV(2.0, 0.3), soliton, 2),
    (KuramotoSivashinsky(), kuramoto_front, 2),
    (AllenCahn(0.3, 2.0), invading_front, 2),
    (Wave(1.5), plane_wave, 3),
    (Wave(lambda x: x[0]), wave_in_graded_medium, 2),
    (Eikonal(), lambda x: jnp.sqrt(x[0] ** 2 + x[1] ** 2 + x[2] ** 2), 3),
    (Eikonal(lambda x: jnp.sqrt(x[0] ** 2 + x[1] ** 2)), lambda x: (x[0] ** 2 + x[1] ** 2) / 2, 2),
    (NavierStokes2D(1 / 20), kovasznay, 2),
    (NavierStokes2D(0.3, density=3.0, transient=True), taylor_green, 3),
    (LinearElasticity(STEEL), kelvin, 3),
    (LinearElasticity(STEEL, 2, "stress"), bending, 2),
    (LinearElasticity(Lame(1.2, 0.7), 2, density=2.0), elastic_waves, 3),
    (UserEquation(lambda u, x: laplacian(u)(x) + 6 * u(x), dimensions=(3,)), product, 3),
]
NAMES = [f"{type(equation).__name__}-{getattr(u, '__name__', '')}" for equation, u, _ in EXACT]
SINGLE = (0, 4, 7, 11, 12, 14, 18, 20, 24)  # in float32 too: one or two of every file
RUNS = [("float64", k) for k in range(len(EXACT))] + [("float32", k) for k in SINGLE]
RUN_NAMES = [f"{precision}-{NAMES[k]}" for precision, k in RUNS]


def points(precision, dimensions):
    return jnp.asarray(np.random.default_rng(4).uniform(0.5, 1.5, (CASES, dimensions)), precision)


def bumped(u, amount):
    """The field with a bump that solves none of the equations."""

    def field(x):
        value = u(x)
        bump = amount * jnp.sin(1.3 * x[0] + 0.7 * x[-1] ** 2)
        return value + (bump if value.ndim == 0 else bump * jnp.arange(1, 1 + value.size, dtype=value.dtype))

    return field


@pytest.mark.parametrize(("precision", "number"), RUNS, ids=RUN_NAMES, indirect=["precision"])
def test_the_residual_vanishes_on_the_solution_and_on_nothing_near(number, precision):
    equation, u, size = EXACT[number]

    @jax.jit
    def residual(amount, x):
        return jax.vmap(lambda x: equation.residual(bumped(u, amount), x))(x)

    x = points(precision, size)
    exact, near = (residual(jnp.asarray(amount, precision), x) for amount in (0.0, 0.1))
    assert exact.dtype == precision
    rows = 3 if isinstance(equation, NavierStokes2D) else len(equation.fields)
    assert exact.shape == (CASES, rows)
    assert np.abs(exact).max() < (1e-11 if precision == np.float64 else 3e-4)
    assert np.all(np.abs(near).max(axis=0) > 0.01), "every row sees the bump"


@pytest.mark.parametrize("plane", ["strain", "stress"])
def test_bending_is_plane_stress_only(plane):
    equation = LinearElasticity(STEEL, 2, plane)
    residual = jax.jit(lambda x: equation.residual(bending, x))(jnp.array([0.5, 0.7]))
    assert (np.abs(residual).max() < 1e-6) == (plane == "stress")


def test_elasticity_where_the_material_varies():
    """Its expanded form against the divergence of its own stress, in plane stress: λ is then a function of both."""
    soft = Isotropic(young=lambda x: 1 + x[0] ** 2, poisson=lambda x: 0.2 + 0.1 * x[1])
    equation = LinearElasticity(soft, 2, "stress", force=[0.5, 0.25])

    @jax.jit
    def both(x):
        pull = divergence(lambda x: equation.stress(bending, x))(x)
        return equation.residual(bending, x), -pull - jnp.asarray([0.5, 0.25], x.dtype)

    with jax.enable_x64(True):
        got, expected = both(jnp.array([0.6, 1.2]))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def stencil(x):
    """The point, four near it along every coordinate, and five along the first."""
    axes = np.eye(len(x))
    near = [x + k * 1e-3 * axis for axis in axes for k in (-2, -1, 1, 2)]
    return np.array([x, *near, *(x + k * 2e-2 * axes[0] for k in (-2, -1, 0, 1, 2))])


def differences(values, count):
    """u, ∂uᵢ/∂xⱼ and the second and third derivatives along the first coordinate, from the values at the stencil."""
    near, along = values[1:-5].reshape(count, 4, *values.shape[1:]), values[-5:]
    slope = np.tensordot([1, -8, 8, -1], near, (0, 1)) / 12e-3
    second = np.tensordot([-1, 16, -30, 16, -1], along, 1) / (12 * 2e-2**2)
    third = np.tensordot([-0.5, 1, 0, -1, 0.5], along, 1) / 2e-2**3
    return values[0], np.moveaxis(slope, 0, -1), second, third


@pytest.mark.parametrize(("equation", "u", "size"), EXACT, ids=NAMES)
def test_the_flux_by_finite_differences(equation, u, size):
    @jax.jit
    def flux_and_values(x, normal, around):
        return equation.flux(u, x, normal), jax.vmap(u)(around)

    with jax.enable_x64(True):
        x = np.random.default_rng(6).uniform(0.6, 1.4, size)
        space = size - equation.transient
        normal = np.array([[-1.0], [0.6, -0.8], [2 / 3, -1 / 3, 2 / 3]][space - 1])
        got, values = flux_and_values(*map(jnp.asarray, (x, normal, stencil(x))))
        value, slope, *higher = differences(np.asarray(values), size)
        expected = expected_flux(equation, x, normal, value, slope[..., :space], *higher)
        coarse = isinstance(equation, KdV | KuramotoSivashinsky)
        np.testing.assert_allclose(got, np.atleast_1d(expected), rtol=2e-3 if coarse else 1e-8, atol=1e-9)


def expected_flux(equation, x, normal, value, slope, second, third):
    match equation:
        case Poisson(diffusivity=k) | AdvectionDiffusion(diffusivity=k) | HeatEquation(conductivity=k):
            k = k(x, value) if isinstance(k, FieldDependent) else k(x) if callable(k) else k
            sign = -1 if isinstance(equation, HeatEquation) else 1
            return sign * normal @ (np.asarray(k) * slope if np.ndim(k) == 0 else k @ slope)
        case Burgers(viscosity=k) | AllenCahn(diffusivity=k):
            return k * slope @ normal
        case Wave(speed=c):
            return (c(x) if callable(c) else c) ** 2 * slope @ normal
        case KdV(advection=a, dispersion=b):
            return (a * value**2 / 2 + b * second) * normal[0]
        case KuramotoSivashinsky():
            return (value**2 / 2 + slope[0] + third) * normal[0]
        case NavierStokes2D(viscosity=mu):
            return -value[2] * normal + mu * slope[:2] @ normal
        case LinearElasticity():
            strain = (slope + slope.T) / 2
            first, shear = (float(m) for m in equation.material.moduli(jnp.asarray(x)))
            if equation.plane == "stress":  # E/(1 − ν²) with E = 2, ν = 0.3
                across = 0.3 / 0.7 * np.trace(strain)
                return 2.0 / 1.3 * (strain + across * np.eye(2)) @ normal
            return (first * np.trace(strain) * np.eye(len(normal)) + 2 * shear * strain) @ normal
        case _:
            return slope @ normal


def test_a_uniaxial_stretch_pulls_on_its_ends_only():
    """E = 2, ν = 0.3: stress E ε along the axis, none across it."""
    stretch = lambda x: 0.01 * x * jnp.array([1.0, -0.3, -0.3])  # noqa: E731
    equation, x = LinearElasticity(STEEL), jnp.array([0.2, 0.3, 0.4])
    tractions = jax.jit(jax.vmap(lambda normal: equation.flux(stretch, x, normal)))(jnp.eye(3))
    np.testing.assert_allclose(tractions, np.diag([0.02, 0.0, 0.0]), atol=1e-8)


def test_moduli_by_young_and_by_lame_agree():
    first, shear = 2.0 * 0.3 / (1.3 * 0.4), 2.0 / 2.6
    for material in (STEEL, Lame(first, shear)):
        np.testing.assert_allclose(material.moduli(jnp.zeros(3)), (first, shear), rtol=1e-6)


def test_a_jax_array_is_a_parameter_and_gets_its_gradient():
    equation = Burgers(jnp.asarray(0.3))
    assert [is_parameter(leaf) for leaf in jax.tree.leaves(equation)] == [True]
    assert not any(map(is_parameter, jax.tree.leaves(Burgers(0.3))))
    u, x = lambda x: x[0] ** 3 + x[1], jnp.array([2.0, 1.0])
    slope = eqx.filter_grad(lambda e: e.residual(u, x)[0])(equation).viscosity
    assert float(slope) == -12.0  # −u_xx


def test_a_module_as_coefficient_gets_gradients():
    class Conductivity(eqx.Module):
        slope: jax.Array

        def __call__(self, x):
            return 1.0 + self.slope * x[0]

    equation = HeatEquation(Conductivity(jnp.asarray(0.5)))
    u = lambda x: x[0] ** 2  # noqa: E731  so ((1 + s x) 2x)' = 2 + 4 s x

    @eqx.filter_jit
    def slope(equation):
        return eqx.filter_grad(lambda e: e.residual(u, jnp.array([3.0]))[0])(equation).conductivity.slope

    assert float(slope(equation)) == -12.0


def test_coefficients_keep_float64_and_leave_float32_alone():
    with jax.enable_x64(True):
        single, double = jnp.ones(2, jnp.float32), jnp.ones(2, jnp.float64)
        equation = HeatEquation(MATRIX / 3, source=0.1)
        lowered = jax.jit(lambda x: equation.residual(lambda x: x[0] ** 2 * x[1], x)).lower(single).as_text()
        assert "f64" not in lowered
        assert float(equation.residual(lambda x: jnp.sum(x), double)[0]) == -0.1


def test_a_gradient_of_zero_is_no_trap_for_the_eikonal():
    slope = jax.jit(jax.grad(lambda a: Eikonal().residual(lambda x: a * x[0] ** 2, jnp.zeros(2))[0]))(1.0)
    assert np.isfinite(slope)


def test_an_equation_survives_the_disk(tmp_path):
    for equation in (KdV(), LinearElasticity(STEEL, 2, "stress", density=3.0), HeatEquation(MATRIX)):
        geoembed.save(tmp_path / "equation", equation)
        assert eqx.tree_equal(geoembed.load(tmp_path / "equation"), equation)
    assert name_of(SteadyHeat) == "geoembed.pinn.SteadyHeat"


def test_what_an_equation_says_of_itself():
    assert (Burgers(0.1).fields, Burgers(0.1).transient, Burgers(0.1).dimensions) == (("u",), True, (1,))
    assert not HeatEquation(1.0).transient
    assert HeatEquation(1.0, capacity=1.0).transient
    assert LinearElasticity(STEEL, 2).fields == ("ux", "uy")
    assert LinearElasticity(STEEL).dimensions == (3,)
    assert all(isinstance(equation, Equation) for equation, _, _ in EXACT)
    system = UserEquation(lambda u, x: u(x), fields=("a", "b"))
    assert system.residual(lambda x: x, jnp.ones(2)).shape == (2,)


def test_a_flux_of_your_own():
    own = UserEquation(lambda u, x: u(x), natural_flux=lambda u, x, n: 3 * u(x) * n[0])
    x, normal = jnp.array([2.0, 1.0]), jnp.array([0.6, 0.8])
    np.testing.assert_allclose(own.flux(lambda x: x[0], x, normal), [3.6], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Burgers(-0.1), "Burgers: viscosity: -0.1 is not at least 0. Give a number without unit"),
        (lambda: KdV(float("nan")), "KdV: advection: nan is not finite"),
        (lambda: HeatEquation(0.0), "conductivity: 0 is not above 0. Give it in W/\\(m K\\)"),
        (lambda: HeatEquation(1.0, capacity=-1.0), "capacity: -1 is not above 0"),
        (lambda: HeatEquation([[1.0, 2.0], [2.0, 1.0]]), "has an eigenvalue that is not above 0"),
        (lambda: AdvectionDiffusion([1.0, float("inf")], 1.0), "velocity: .* is not finite"),
        (lambda: Isotropic(1.0, 0.5), "poisson: 0.5 is not below 0.5"),
        (lambda: Isotropic(1.0, -1.0), "poisson: -1 is not above -1"),
        (lambda: Lame(-2.0, 1.0), "is not above -2/3 of the shear modulus 1"),
    ],
)
def test_bad_numbers_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


LINE, SPACE = jnp.ones(1), jnp.ones(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Burgers([1.0, 2.0]), "viscosity must be one number, received an array of shape"),
        (lambda: Burgers(0.1).residual(plane_wave, SPACE), "1 coordinates in space and time, received 3"),
        (lambda: NavierStokes2D(0.1).residual(kovasznay, SPACE), "takes points with 2 coordinates in space"),
        (lambda: LinearElasticity(STEEL, 4), "has dimension 2 or 3, received 4"),
        (lambda: Poisson().residual(lambda x: x, LINE), "u\\(x\\) must have shape \\(\\), received \\(1,\\)"),
        (lambda: LinearElasticity(STEEL).residual(bending, SPACE), "unknowns ux, uy, uz"),
        (lambda: Poisson().flux(product, SPACE, jnp.ones(2)), "the normal must have shape \\(3,\\)"),
        (lambda: Poisson(diffusivity=MATRIX).residual(product, SPACE), "matrix of shape \\(3, 3\\)"),
        (lambda: Poisson(diffusivity=MATRIX).flux(product, SPACE, SPACE), "received \\(2, 2\\)"),
        (lambda: Poisson(source=lambda x: x).residual(product, SPACE), "one number at every point"),
        (
            lambda: AdvectionDiffusion([1.0, 2.0], 1.0).residual(product, jnp.ones(2)),
            "must have 1 components",
        ),
        (lambda: UserEquation(lambda u, x: u(x), fields=("a", "a")), "each once"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
