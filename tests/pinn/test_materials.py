"""Several materials in one domain: which regions meet, what holds there, fields that jump and kink."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed import sdf
from geoembed.core import InputError
from geoembed.pinn import (
    Dirichlet,
    HeatEquation,
    Initial,
    Interface,
    Interval,
    Isotropic,
    LinearElasticity,
    Materials,
    Periodic,
    Poisson,
    Problem,
    Training,
    solve,
)
from geoembed.pinn._domains._domain import domain_of
from geoembed.pinn._regions import in_box
from geoembed.pinn._rows import form_of, side_rows
from tests.pinn.test_solve_field import deviation, places

# many programs that run for a moment: compiling them took most of the time
pytestmark = pytest.mark.usefixtures("compiled_quickly")

KEY = jax.random.key(0)
CONDUCTIVITY = {"brick": 0.8, "wool": 0.04, "rest": 1.5}
ENDS = (0.2, 0.21)  # the wool is thinner than a cell of the first grid
LENGTH = 0.5
CONTACT = 0.5


def layers(**options):
    shapes = {"brick": Interval(-1.0, ENDS[0]), "wool": Interval(ENDS[0], ENDS[1])}
    return Materials(shapes, {name: HeatEquation(k, **options) for name, k in CONDUCTIVITY.items()})


def wall(*conditions):
    held = [Dirichlet("left", 20.0), Dirichlet("right", -5.0)]
    return Problem(Interval(0.0, LENGTH), layers(), [*held, *conditions])


def temperature(x, ends, conductivities, contact):
    """Between 20 and −5 by resistances in a row, with one more after the first layer."""
    parts = [
        np.clip(x - low, 0, high - low) / k
        for low, high, k in zip(ends, ends[1:], conductivities, strict=False)
    ]
    whole = sum((high - low) / k for low, high, k in zip(ends, ends[1:], conductivities, strict=False))
    return 20.0 - 25.0 / (whole + contact) * (sum(parts) + contact * (x > ends[1]))


@pytest.fixture(scope="module")
def result():
    """The first grid alone; the second layer is thinner than a sixth of its cells."""
    both = Materials(
        {"brick": Interval(-1.0, 0.49)}, {"brick": HeatEquation(0.8), "rest": HeatEquation(0.04)}
    )
    conditions = [
        Dirichlet("left", 20.0),
        Dirichlet("right", -5.0),
        Interface(("rest", "brick"), resistance=CONTACT),
    ]
    return solve(Problem(Interval(0.0, LENGTH), both, conditions), key=KEY, cells=8)


@pytest.mark.slow
def test_a_wall_with_contact_resistance_is_found(result):
    points = places(300, (0.0,), (LENGTH,))
    exact = temperature(points[:, 0], (0.0, 0.49, LENGTH), (0.8, 0.04), CONTACT)
    assert deviation(result, points, exact) < 1e-10
    assert result.held_out_residual < 1e-4


@pytest.mark.slow
def test_each_region_has_its_own_function(result):
    field = result.value

    def sides(x):
        one, other = field.in_region(0), field.in_region(1)
        return (
            one(x) - other(x),
            -0.8 * jax.grad(one)(x)[0],
            -0.04 * jax.grad(other)(x)[0],
        )

    def slopes(x):
        return [jax.grad(u)(x)[0] for u in (field, field.in_region(0), field.in_region(1))]

    with jax.enable_x64(True):
        drop, left, entered = map(float, jax.jit(sides)(jnp.array([0.49])))
        before, after = (jax.jit(slopes)(jnp.array([x])) for x in (0.489, 0.491))
    assert np.isclose(drop, CONTACT * left, rtol=1e-9)
    assert np.isclose(left, entered, rtol=1e-6)
    assert before[0] == before[1] != before[2]
    assert after[0] == after[2] != after[1]


@pytest.mark.slow
def test_the_field_can_be_saved(result, tmp_path):
    geoembed.save(tmp_path / "wall", result.field)
    again = geoembed.load(tmp_path / "wall")
    assert again.regions == result.field.regions
    assert np.array_equal(again.network.coefficients, result.field.network.coefficients)


@pytest.mark.slow
def test_a_layer_between_two_others():
    found = solve(wall(Interface(("wool", "brick"), resistance=CONTACT)), key=KEY, cells=8)
    points = places(300, (0.0,), (LENGTH,))
    exact = temperature(points[:, 0], (0.0, *ENDS, LENGTH), CONDUCTIVITY.values(), CONTACT)
    assert deviation(found, points, exact) < 1e-10


def test_residual_and_flux_are_those_of_the_region():
    both = Materials({"in": sdf.Circle(1.0)}, {"in": Poisson(3.0, diffusivity=2.0), "rest": Poisson(5.0)})
    inside, outside, normal = jnp.array([0.5, 0.0]), jnp.array([1.5, 0.0]), jnp.array([1.0, 0.0])
    assert both.residual(lambda x: x[0] ** 2, inside).tolist() == [-7.0]
    assert both.residual(lambda x: x[0] ** 2, outside).tolist() == [-7.0]
    assert both.flux(lambda x: x[0] ** 2, inside, normal).tolist() == [2.0]
    assert both.flux(lambda x: x[0] ** 2, outside, normal).tolist() == [3.0]


def meetings(shapes, domain):
    equation = Materials(shapes, {name: Poisson() for name in (*shapes, "rest")})
    contacts = Problem(domain, equation, [Dirichlet("all", hard=False)]).in_fields.contacts
    return {(c.meeting.first, c.meeting.second): c.meeting for c in contacts}


def test_a_shape_hides_what_comes_after_it():
    """A ring of two discs: the first hides the middle of the second one."""
    assert set(meetings({"a": sdf.Circle(0.3), "b": sdf.Circle(0.6)}, sdf.Circle(1.0))) == {(0, 1), (1, 2)}


@pytest.mark.slow
def test_a_point_on_the_outline_of_two_shapes_is_in_the_first():
    shapes = {"a": Interval(0.0, 0.12), "b": Interval(0.12, 0.22)}
    regions = Materials(shapes, {name: HeatEquation(1.0) for name in ("a", "b", "rest")}).regions
    places = np.array([[0.0], [0.12], [0.22], [0.23]])
    assert regions.numbers(places).tolist() == [0, 0, 1, 2]
    rim = in_box(np.array([[-1.0], [0.1], [2.0]]), domain_of(Interval(0.0, 0.24)), regions)
    assert np.all((rim > 0) & (rim < 0.24))
    assert np.allclose(rim[:, 0], [0.0, 0.1, 0.24], atol=1e-8)


def test_regions_that_meet_are_found():
    rng = np.random.default_rng(0)
    half = sdf.HalfSpace(jnp.array([1.0, 0.0]))
    found = meetings({"disc": sdf.Circle(0.5), "left": half}, sdf.Box([2.0, 2.0]))
    assert set(found) == {(0, 1), (0, 2), (1, 2)}
    points, normals = found[0, 1].sample(200, rng)
    assert np.allclose(np.linalg.norm(points, axis=1), 0.5)
    assert np.all(points[:, 0] < 0)
    assert np.allclose(normals, points / 0.5)
    points, normals = found[1, 2].sample(200, rng)
    assert np.allclose(points[:, 0], 0.0, atol=1e-12)
    assert np.all(np.abs(points[:, 1]) > 0.5 - 1e-6)
    assert np.allclose(normals, [1.0, 0.0])


class Known(eqx.Module):
    """A network whose outputs are these straight lines."""

    values: tuple = eqx.field(static=True)

    def __call__(self, features):
        return jnp.stack([value + slope * features[0] for value, slope in self.values])


@pytest.mark.parametrize(
    "equation", [HeatEquation, lambda k: Poisson(diffusivity=k)], ids=["heat", "poisson"]
)
@pytest.mark.parametrize("between", [("one", "rest"), ("rest", "one")])
def test_the_signs_of_an_interface(equation, between):
    """u = 3 + 2x left of 0 and 1 + 4x right of it, k = 5 and ½: q = −10 leaves the left, −2 enters the right."""
    materials = Materials({"one": Interval(-1.0, 0.0)}, {"one": equation(5.0), "rest": equation(0.5)})
    leaves = 1.0 if equation is HeatEquation else -1.0
    jump = (2.0 + 0.3 * 10.0) * (1.0 if between[0] == "one" else -1.0)
    condition = Interface(between, jump=jump, flux_jump=-8.0 * leaves, resistance=0.3)
    problem = Problem(Interval(-1.0, 1.0), materials, [condition]).in_fields
    form = form_of(problem, problem.shapings, problem.coordinates)
    network, item = Known(((3.0, 2.0), (1.0, 4.0))), (jnp.zeros(1), jnp.ones(1))
    rows = [side_rows(problem, form, contact)(network, item) for contact in problem.soft]
    assert np.allclose(np.concatenate(rows), 0.0, atol=1e-5)


@pytest.mark.slow
def test_values_by_region():
    """Each function starts from its own values, and only the regions at an end have its value built in."""
    start = {"brick": lambda x: x[0], "wool": 3.0, "rest": lambda x: 2.0 * x[0]}
    conditions = [Initial(start), Dirichlet("left", 0.0)]
    problem = Problem(Interval(0.0, LENGTH), layers(capacity=1.0), conditions, time=(0.0, 1.0)).in_fields
    brick, wool, rest = problem.shapings
    at = jnp.array([0.4, 0.0])
    values = [float(own(at, jnp.asarray(7.0))) for own in (brick, wool, rest)]
    assert np.allclose(values, [0.4, 3.0, 0.8])
    assert [own.factor is None for own in (brick, wool, rest)] == [False, True, True]
    whole = problem.conditions[0].value
    assert np.allclose([whole(jnp.array([x, 0.0])) for x in (0.1, 0.205, 0.4)], [0.1, 3.0, 0.8])


HALVES = {"one": Interval(0.0, 0.5)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Materials(HALVES, {"one": Poisson()}), "for every shape|Give every shape"),
        (lambda: Materials(HALVES, {"one": Poisson(), "rest": HeatEquation(1.0)}), "other unknowns"),
        (lambda: wall(Interface(("brick", "rest"))), "they do not meet"),
        (lambda: wall(Interface(), Interface()), "two conditions"),
        (lambda: wall(Interface(field="p")), "no natural flux"),
        (lambda: wall(Dirichlet("left", {"brick": 1.0}, hard=False)), "one for each region"),
        (lambda: Interface(resistance=np.inf), "no finite number"),
        (lambda: Problem(Interval(0.0, 1.0), Poisson(), [Interface()]), "no regions"),
        (
            lambda: Problem(
                Interval(0.0, 1.0), Materials(HALVES, {"one": Poisson(), "rest": Poisson()}), [Periodic()]
            ),
            "regions at its two ends differ",
        ),
        (
            lambda: Problem(
                sdf.Circle(1.0),
                Materials(HALVES, {"one": Poisson(), "rest": Poisson()}),
                [Dirichlet("all")],
            ),
            "dimensions",
        ),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.slow
def test_a_disc_in_a_plane():
    """J. C. Maxwell: a disc that conducts 10 times as well in a uniform field; the exact values on a square."""
    ratio, radius = 10.0, 0.5
    share = (1 - ratio) / (1 + ratio) * radius**2

    def dipole(x):
        return x[0] + share * x[0] / (x[0] ** 2 + x[1] ** 2)

    equation = Materials(
        {"disc": sdf.Circle(radius)}, {"disc": Poisson(diffusivity=ratio), "rest": Poisson()}
    )
    problem = Problem(sdf.Box([2.0, 2.0]), equation, [Dirichlet("all", dipole, hard=False)])
    found = solve(problem, key=KEY, tolerance=1e-5)
    points = places(500, (-1.0, -1.0), (1.0, 1.0))
    x, square = points[:, 0], np.sum(points**2, axis=1)
    outside = x * (1 + share / np.maximum(square, radius**2))
    exact = np.where(square < radius**2, 2 / (1 + ratio) * x, outside)
    assert found.status == "converged"
    assert deviation(found, points, exact) < 1e-6


@pytest.mark.slow
def test_two_layers_cool():
    """T = φ(x) exp(−s² t) with φ in two waves; equal conductances, so that s = π/2 … is found by hand.

    k₁ = c₁ = 1 on (0, 1), k₂ = c₂ = 1/2 on (1, 2): the waves have one length, so T(1) or T′(1) is 0. With T′(1) ≠ 0
    the slopes k T′ need amplitudes 1 and 2: φ = sin πx and 2 sin πx.
    """
    shapes, wave = {"one": Interval(0.0, 1.0)}, float(np.pi)
    equations = {"one": HeatEquation(1.0, capacity=1.0), "rest": HeatEquation(0.5, capacity=0.5)}
    start = {"one": lambda x: jnp.sin(wave * x[0]), "rest": lambda x: 2.0 * jnp.sin(wave * x[0])}
    conditions = [Initial(start), Dirichlet("all")]
    problem = Problem(Interval(0.0, 2.0), Materials(shapes, equations), conditions, time=(0.0, 0.1))
    found = solve(problem, key=KEY, tolerance=1e-5)
    points = places(500, (0.0, 0.0), (2.0, 0.1))
    x, t = points.T
    exact = np.where(x < 1, 1.0, 2.0) * np.sin(wave * x) * np.exp(-(wave**2) * t)
    assert deviation(found, points, exact) < 1e-6


@pytest.mark.slow
def test_two_unknowns():
    """A bar of two elastic layers pulled across them: the stress is the same in both, the strain is not."""
    moduli = {"soft": Isotropic(young=1.0, poisson=0.0), "rest": Isotropic(young=4.0, poisson=0.0)}
    soft = sdf.Translate(sdf.Box([1.0, 4.0]), jnp.array([-0.5, 0.0]))
    equation = Materials(
        {"soft": soft}, {name: LinearElasticity(own, dimension=2) for name, own in moduli.items()}
    )
    ends = [Dirichlet(end, value, field="ux") for end, value in (("left", 0.0), ("right", 1.0))]
    sides = [Dirichlet("all", 0.0, field="uy", hard=False)]
    found = solve(Problem(sdf.Box([2.0, 1.0]), equation, [*ends, *sides]), key=KEY, cells=64)
    points = places(300, (-1.0, -0.5), (1.0, 0.5))
    x = points[:, 0]
    exact = np.column_stack([np.where(x < 0, 0.8 * (x + 1), 0.8 + 0.2 * x), 0 * x])
    assert deviation(found, points, exact) < 1e-8


@pytest.mark.slow
def test_a_network():
    """One network for all regions: the rows that join them are those of the splines."""
    equation = Materials(
        {"brick": Interval(0.0, 0.4)}, {"brick": HeatEquation(1.0), "rest": HeatEquation(4.0)}
    )
    ends = [Dirichlet("left", 20.0), Dirichlet("right", -5.0)]
    problem = Problem(Interval(0.0, 1.0), equation, ends)
    found = solve(problem, key=KEY, training=Training(points=200, steps=60), tolerance=1e-4)
    points = places(300)
    exact = temperature(points[:, 0], (0.0, 0.4, 1.0), (1.0, 4.0), 0.0)
    assert deviation(found, points, exact) < 1e-3
