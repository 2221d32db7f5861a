"""Integrals as conditions: quadrature, the band matrix with dense rows, problems that an integral makes unique."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf
from geoembed.core import MLP, InputError
from geoembed.pinn import (
    Dirichlet,
    FirstOrder,
    Initial,
    Integral,
    Interval,
    Materials,
    NavierStokes2D,
    Neumann,
    Periodic,
    Poisson,
    Problem,
    Robin,
    SteadyHeat,
    Training,
    UserEquation,
    derivative,
    solve,
    time_derivative,
)
from geoembed.pinn._band_rows import BandAndRows
from geoembed.pinn._banded import BandMatrix
from geoembed.pinn._fem_field import field_reference
from geoembed.pinn._fem_field_form import NoReference
from geoembed.pinn._integral_rules import rule_of
from geoembed.pinn._spline_axis import SplineAxis
from geoembed.pinn._spline_grid import SplineGrid
from tests.pinn.test_checkpoint import StopAt
from tests.pinn.test_solve_field import deviation, equal, places

# many programs that run for a moment: compiling them took most of the time
pytestmark = pytest.mark.usefixtures("compiled_quickly")

KEY = jax.random.key(0)
UNIT = Interval(0.0, 1.0)
SQUARE = sdf.Box((1.0, 1.0)).translate((0.5, 0.5))


def at(function, points):
    """A function of one point at many, in float64."""
    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.vmap(function))(jnp.asarray(points)))


# --- quadrature


def rule(domain, condition, **options):
    problem = Problem(domain, Poisson(), [condition], **options).in_fields
    lower, upper = problem.domain.bounds
    return rule_of(problem, condition, [np.linspace(a, b, 9) for a, b in zip(lower, upper, strict=True)])


R, S, D = 0.7, 0.5, 0.6  # radii of two circles and the distance of their centres
TURN, OTHER = (np.arccos((D**2 + a**2 - b**2) / (2 * D * a)) for a, b in ((R, S), (S, R)))
LENS = R**2 * (TURN - np.sin(2 * TURN) / 2) + S**2 * (OTHER - np.sin(2 * OTHER) / 2)
TWO = sdf.Circle(R) | sdf.Circle(S).translate((D, 0.0))
RIGHT = {"right": lambda points: points[:, 0] > 0.3}


@pytest.mark.parametrize(
    ("domain", "condition", "size", "square", "close"),
    [
        (UNIT, Integral(), 1, 1 / 3, 1e-14),
        (UNIT, Integral(piece="right"), 1, 1, 1e-14),
        (sdf.Circle(R), Integral(), np.pi * R**2, np.pi * R**4 / 4, 1e-13),
        (sdf.Circle(R), Integral(piece="rim"), 2 * np.pi * R, np.pi * R**3, 1e-13),
        (sdf.Circle(1.0), Integral(piece="right"), 2 * np.arccos(0.3), None, 1e-13),
        (sdf.Box((2.0, 2.0)) - sdf.Circle(0.5), Integral(), 4 - np.pi / 4, 4 / 3 - np.pi / 64, 1e-13),
        (sdf.Star(5, 1.0, 0.4), Integral(), 2 * np.sin(np.pi / 5), None, 1e-13),
        (sdf.Polygon([(0, 0), (2, 0), (0, 3)]), Integral(), 3, 2, 1e-13),
        (sdf.Box((2.0, 2.0)), Integral(piece="right"), 2, 2, 1e-13),
        (TWO, Integral(), np.pi * (R**2 + S**2) - LENS, None, 2e-4),
        (sdf.Box((1.0, 2.0, 3.0)), Integral(piece="top"), 3, 1 / 4, 1e-13),
        (sdf.Sphere(R), Integral(piece="surface"), 4 * np.pi * R**2, 4 / 3 * np.pi * R**4, 1e-13),
        (sdf.Sphere(R), Integral(), 4 / 3 * np.pi * R**3, 4 / 15 * np.pi * R**5, 5e-3),
    ],
)
def test_quadrature(domain, condition, size, square, close):
    """The size of each set, and the integral of x²."""
    patches = RIGHT if condition.piece == "right" and isinstance(domain, sdf.Circle) else {}
    found = rule(domain, condition, patches=patches)
    assert found.weights.sum() == pytest.approx(size, rel=close)
    if square is not None:
        assert found.weights @ found.points[:, 0] ** 2 == pytest.approx(square, rel=close)


def test_quadrature_in_time():
    equation = UserEquation(lambda u, x: time_derivative(u)(x), dimensions=(1,), transient=True)
    lines = [np.linspace(0, 1, 3), np.linspace(0, 2, 3)]
    for condition, size, moment in ((Integral(), 2, 2), (Integral(moment=1.5), 1, 1.5)):
        problem = Problem(UNIT, equation, [Initial(), condition], time=(0.0, 2.0)).in_fields
        found = rule_of(problem, condition, lines)
        assert found.weights.sum() == pytest.approx(size, rel=1e-14)
        assert found.weights @ found.points[:, 1] == pytest.approx(moment, rel=1e-14)


def test_the_functional_of_a_grid():
    """Against the values of the spline itself, with two unknowns."""
    axes = tuple(SplineAxis(np.linspace(-1, 1, n), 4, periodic) for n, periodic in ((4, False), (6, True)))
    grid, rng = SplineGrid(axes, 2), np.random.default_rng(0)
    points, weights, vector = rng.uniform(-1, 1, (30, 2)), rng.normal(size=30), rng.normal(size=grid.size)
    first, second = (axis.basis(x) for axis, x in zip(axes, points.T, strict=True))
    values = np.einsum("qa,qb,abm->qm", first, second, grid.coefficients(vector))
    for number in (0, 1):
        row = grid.functional(points, weights, number)
        assert row @ vector == pytest.approx(weights @ values[:, number], rel=1e-12)


# --- the band matrix with rows


def stiffness(size):
    """Of −u″ with free ends: constants are in its kernel."""
    matrix = BandMatrix(size, 3)
    places = np.arange(size - 1)[:, None] + np.arange(2)
    matrix.add(places, np.tile(np.array([[1.0, -1.0], [-1.0, 1.0]]), (size - 1, 1, 1)))
    return matrix


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("weight", [1.0, 1e8])
def test_a_singular_band_matrix_with_rows(count, weight):
    """Also with a second row, which fixes what is fixed already.

    With a large weight the right side has digits of the rest only where the rows nearly have their values.
    """
    size, rng = 60, np.random.default_rng(0)
    rows = np.sqrt(weight) * np.stack([np.ones(size), np.linspace(-1, 1, size)])[:count] / size
    exact = rng.normal(size=size)
    if weight > 1:
        exact = exact - np.linalg.pinv(rows) @ (rows @ exact)
    whole = np.diag(np.r_[1.0, np.full(size - 2, 2.0), 1.0]) - np.eye(size, k=1) - np.eye(size, k=-1)
    matrix = BandAndRows(stiffness(size), rows)
    factor = matrix.scaled(np.ones(size, bool))
    found = factor * matrix.solve(factor * (whole @ exact + rows.T @ (rows @ exact)), 0.0)
    assert found == pytest.approx(exact, abs=1e-10)
    assert rows @ (found - exact) == pytest.approx(0, abs=1e-12 * np.sqrt(weight))


# --- solutions


def bump(x):
    return jnp.exp(jnp.sin(3 * x[0]))


def load_of_bump(x):
    return (9 * jnp.sin(3 * x[0]) - 9 * jnp.cos(3 * x[0]) ** 2) * bump(x)


LINE, SHARES = (part / 2 for part in np.polynomial.legendre.leggauss(40))
LINE = LINE + 0.5
BUMP = np.exp(np.sin(3 * LINE))
TWO_INTEGRALS = Problem(
    UNIT,
    Poisson(load_of_bump),
    [Integral(value=float(SHARES @ BUMP)), Integral(lambda x: x[0], float(SHARES @ (LINE * BUMP)))],
)


@pytest.fixture(scope="module")
def two():
    return solve(TWO_INTEGRALS, key=KEY, tolerance=1e-9)


def test_two_integrals_are_all_that_a_second_order_equation_needs(two):
    """And they are kept."""
    points = np.concatenate([places(200), LINE[:, None]])
    with jax.enable_x64(True):
        values = np.asarray(jax.jit(jax.vmap(two.value))(jnp.asarray(points)))
    error = np.linalg.norm(values - at(bump, points)) / np.linalg.norm(values)
    assert two.status == "converged"
    assert error < 1e-10
    assert error < 3 * two.estimated_error
    assert SHARES @ values[200:] == pytest.approx(SHARES @ BUMP, rel=1e-13)


@pytest.mark.slow
def test_interrupted_and_resumed_equals_uninterrupted(two, tmp_path):
    half = solve(TWO_INTEGRALS, key=KEY, tolerance=1e-9, checkpoint=tmp_path / "run", should_stop=StopAt(4))
    assert half.status == "interrupted"
    assert equal(solve(TWO_INTEGRALS, key=KEY, tolerance=1e-9, checkpoint=tmp_path / "run", resume=True), two)


def bratu(w, x):
    """u″ + λ eᵘ = 0 with an unknown λ."""
    u, growth = w(x)
    return jnp.stack([derivative(w, 0, 0)(x)[0] + growth * jnp.exp(u), derivative(w, 0)(x)[1]])


@pytest.mark.slow
def test_an_integral_finds_the_constant_of_a_nonlinear_equation():
    """u = −2 ln(cosh(θ(x − ½)/2)/cosh(θ/4)) with λ = θ²/(2 cosh²(θ/4))."""
    turn = 3.0

    def exact(x):
        u = -2 * jnp.log(jnp.cosh(turn * (x[0] - 0.5) / 2) / jnp.cosh(turn / 4))
        return jnp.stack([u, jnp.full((), turn**2 / (2 * np.cosh(turn / 4) ** 2), x.dtype)])

    total = float(SHARES @ (-2 * np.log(np.cosh(turn * (LINE - 0.5) / 2) / np.cosh(turn / 4))))
    equation = UserEquation(bratu, fields=("u", "growth"), dimensions=(1,))
    held = [Dirichlet("all", field="u"), Integral(value=total, field="u")]
    result = solve(Problem(UNIT, equation, held), key=KEY, tolerance=1e-9)
    points = places(200)
    assert result.status == "converged"
    assert np.abs(at(result.value, points) - at(exact, points)).max() < 1e-11


def waves(x):
    return jnp.cos(2 * x[0]) * jnp.exp(x[1])


def out(x, normal):
    return jax.jvp(waves, (x,), (normal,))[1]


def edge_flux(piece, normal):
    return Neumann(piece, lambda x: out(x, jnp.asarray(normal, x.dtype)))


FLUXES = [
    edge_flux("right", (1.0, 0.0)),
    edge_flux("left", (-1.0, 0.0)),
    edge_flux("top", (0.0, 1.0)),
    edge_flux("bottom", (0.0, -1.0)),
]
LOAD = Poisson(lambda x: 3 * waves(x))
MEAN = float(np.sin(2) / 2 * (np.e - 1))


def worst(result, exact, points):
    return np.abs(at(result.value, points) - at(exact, points)).max()


@pytest.mark.slow
def test_fluxes_only_on_a_square():
    result = solve(Problem(SQUARE, LOAD, [*FLUXES, Integral(value=MEAN)]), key=KEY, tolerance=1e-9)
    points = places(500, (0.0, 0.0), (1.0, 1.0))
    assert worst(result, waves, points) < 1e-11


@pytest.mark.slow
def test_an_integral_over_an_end_finds_the_source_beside_a_robin_condition():
    def residual(w, x):
        return jnp.stack([derivative(w, 0, 0)(x)[0] + w(x)[1] * load_of_bump(x), derivative(w, 0)(x)[1]])

    equation = UserEquation(residual, fields=("u", "q"), dimensions=(1,))
    ends = [float(np.exp(np.sin(3 * x))) for x in (0.0, 1.0)]
    held = [
        Neumann("left", -3.0, field="u"),
        Robin("right", 2.0, 3 * float(np.cos(3)) * ends[1] + 2 * ends[1], field="u"),
        Integral(value=ends[0], field="u", piece="left"),
    ]
    result = solve(Problem(UNIT, equation, held), key=KEY, tolerance=1e-9)
    found, points = at(result.value, places(200)), places(200)
    assert np.abs(found[:, 0] - at(bump, points)).max() < 1e-10
    assert np.abs(found[:, 1] - 1).max() < 1e-10


@pytest.mark.slow
def test_fluxes_only_on_a_disc():
    def flux(x):
        return out(x, x / jnp.sqrt(jnp.maximum(jnp.sum(x**2), 1e-30)))

    r, turn = LINE[:, None], 2 * np.pi * np.arange(64) / 64
    values = np.cos(2 * r * np.cos(turn)) * np.exp(r * np.sin(turn))
    total = float((SHARES * LINE) @ values.mean(axis=1) * 2 * np.pi)
    held = [Neumann("all", flux), Integral(value=total)]
    result = solve(Problem(sdf.Circle(1.0), LOAD, held), key=KEY, tolerance=1e-9)
    points = places(800, (-1.0, -1.0), (1.0, 1.0))
    assert worst(result, waves, points[np.linalg.norm(points, axis=1) < 1]) < 1e-10


@pytest.mark.slow
def test_the_mean_of_a_pressure():
    """Kovasznay's flow with the velocity given all around."""
    decay = 10 - np.sqrt(100 + 4 * np.pi**2)

    def exact(x):
        e, turn = jnp.exp(decay * x[0]), 2 * np.pi * x[1]
        v = decay / (2 * np.pi) * e * jnp.sin(turn)
        return jnp.stack([1 - e * jnp.cos(turn), v, -0.5 * jnp.exp(2 * decay * x[0])])

    mean = float(-0.5 * (np.exp(2 * decay) - 1) / (2 * decay))
    velocity = [Dirichlet("all", lambda x, i=i: exact(x)[i], field=name) for i, name in enumerate("uv")]
    held = [*velocity, Integral(value=mean, field="p")]
    result = solve(Problem(SQUARE, NavierStokes2D(1 / 20), held), key=KEY, tolerance=1e-8)
    points = places(500, (0.0, 0.0), (1.0, 1.0))
    assert worst(result, exact, points) < 1e-10


@pytest.mark.slow
def test_a_periodic_field_with_mean_zero():
    def exact(x):
        return jnp.exp(jnp.sin(2 * jnp.pi * x[0])) - 1.2660658777520083  # I₀(1)

    load = Poisson(lambda x: -derivative(exact, 0, 0)(x))
    result = solve(Problem(UNIT, load, [Periodic(), Integral()]), key=KEY, tolerance=1e-9)
    points = places(200)
    assert worst(result, exact, points) < 1e-9


@pytest.mark.slow
def test_a_transient_problem():
    """u = e^(−t) cos x + 0.7 t with an unknown source 0.7; the integral is over space and time."""

    def exact(x):
        return jnp.stack([jnp.exp(-x[1]) * jnp.cos(x[0]) + 0.7 * x[1], jnp.full((), 0.7, x.dtype)])

    def residual(w, x):
        missing = time_derivative(w)(x)[0] - derivative(w, 0, 0)(x)[0] - w(x)[1]
        return jnp.stack([missing, derivative(w, 0)(x)[1], derivative(w, 1)(x)[1]])

    total = float((1 - np.exp(-1)) * np.sin(1) + 0.35)
    equation = UserEquation(residual, fields=("u", "q"), dimensions=(1,), transient=True)
    held = [
        Initial(lambda x: jnp.cos(x[0]), field="u"),
        Dirichlet("all", lambda x: exact(x)[0], field="u"),
        Integral(value=total, field="u"),
    ]
    result = solve(Problem(UNIT, equation, held, time=(0.0, 1.0)), key=KEY, tolerance=1e-9)
    assert worst(result, exact, places(200, (0.0, 0.0), (1.0, 1.0))) < 1e-11


@pytest.mark.slow
def test_layers():
    with jax.enable_x64(True):
        network = MLP(2, 1, 16, 2, activation="tanh", key=jax.random.key(2))
    held, training = [*FLUXES, Integral(value=MEAN)], Training(points=800, steps=120)
    result = solve(Problem(SQUARE, LOAD, held), key=KEY, tolerance=1e-6, network=network, training=training)
    points = places(500, (0.0, 0.0), (1.0, 1.0))
    assert deviation(result, points, at(waves, points)) < 1e-4


@pytest.mark.slow
def test_layers_by_gradients():
    """The mean of cos πx + 3 is kept far better than the field itself is found."""
    with jax.enable_x64(True):
        network = MLP(1, 1, 8, 1, activation="tanh", key=jax.random.key(2))
    load = Poisson(lambda x: jnp.pi**2 * jnp.cos(jnp.pi * x[0]))
    held = [Neumann("all", 0.0), Integral(value=3.0)]
    training = FirstOrder("soap", steps=2000, points=64)
    result = solve(Problem(UNIT, load, held), key=KEY, tolerance=1e-6, network=network, training=training)
    assert SHARES @ at(result.value, LINE[:, None]) == pytest.approx(3.0, abs=1e-2)


# --- refusals

PLAIN = Poisson()
HEAT = UserEquation(lambda u, x: time_derivative(u)(x), dimensions=(1,), transient=True)
PARTS = Materials({"a": Interval(-1.0, 0.3)}, {"a": Poisson(), "rest": Poisson(diffusivity=2.0)})


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Integral(float("nan")), "weight = nan"),
        (lambda: Integral(value=float("inf")), "value = inf"),
        (lambda: Integral(value=lambda x: x[0]), "no number"),
        (lambda: Integral({"a": 1.0}), "no number"),
        (lambda: Problem(UNIT, PLAIN, [Integral(piece="rim")]), "no piece 'rim'"),
        (lambda: Problem(UNIT, PLAIN, [Integral(field="v")]), "its field is 'v'"),
        (lambda: Problem(UNIT, PLAIN, [Integral(moment=0.5)]), "moment 0.5 is outside"),
        (lambda: Problem(UNIT, HEAT, [Integral(moment=2.0)], time=(0.0, 1.0)), "moment 2.0 is outside"),
        (lambda: Problem(UNIT, PARTS, [Integral()]), "several materials"),
        (lambda: Problem(SQUARE, SteadyHeat(1.0), [Integral()]), "for a mesh"),
        (lambda: solve(Problem(UNIT, PLAIN, [Integral(0.0)]), key=KEY), "weight is 0 everywhere"),
        (lambda: solve(Problem(UNIT, PLAIN, [Integral()]), key=KEY, form="weak"), "no test function"),
        (
            lambda: solve(
                Problem(UNIT, HEAT, [Initial(), Integral()], time=(0.0, 1.0)),
                key=KEY,
                network=jnp.zeros(1),
                training=FirstOrder(windows=2),
            ),
            "all of the time",
        ),
    ],
)
def test_refusals(make, match):
    with pytest.raises(InputError, match=match):
        make()


def test_finite_elements_refuse():
    pytest.importorskip("skfem")
    with pytest.raises(NoReference, match="Integral"):
        field_reference(Problem(UNIT, PLAIN, [Integral()]))
