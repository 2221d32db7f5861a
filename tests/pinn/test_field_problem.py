"""A problem for any equation: what it refuses, and that the form of the network makes its conditions exact."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf
from geoembed.core import MLP, InputError
from geoembed.pinn import (
    Burgers,
    Dirichlet,
    HeatEquation,
    Initial,
    Interval,
    Neumann,
    Periodic,
    Poisson,
    Problem,
    Robin,
    SteadyHeat,
    Temperature,
    UserEquation,
    Wave,
)
from geoembed.pinn._domains._outline import outline
from geoembed.pinn._rows import form_of
from tests.pinn.parts import box

pytestmark = pytest.mark.usefixtures("compiled_quickly")  # formulas of a few numbers

LINE = Interval(-1.0, 2.0)
SQUARE = sdf.Box((2.0, 1.0))
L_SHAPE = sdf.Polygon([(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)])
TIME = (0.5, 2.0)


def right_side(points):
    return points[:, 0] > 1 - 1e-9


def nowhere(points):
    return points[:, 0] > 7


# --- what is refused


@dataclasses.dataclass(frozen=True)
class Faulty:
    """Arguments of a problem and what its error must say."""

    says: str
    domain: object
    equation: object
    conditions: tuple = ()
    patches: dict = dataclasses.field(default_factory=dict)
    time: tuple | None = None


TWO = UserEquation(lambda u, x: u(x), fields=("u", "v"))
FAULTS = {
    "no time given": Faulty("has a rate in time", LINE, Burgers(0.1)),
    "time of a steady equation": Faulty("has no time", LINE, Poisson(), time=(0.0, 1.0)),
    "time backwards": Faulty("not in order", LINE, Burgers(0.1), time=(1.0, 0.0)),
    "time without end": Faulty("not in order", LINE, Burgers(0.1), time=(0.0, float("inf"))),
    "dimension": Faulty("2 dimensions, Burgers takes 1", SQUARE, Burgers(0.1), time=TIME),
    "piece": Faulty("there are left, right", LINE, Poisson(), (Dirichlet("top"),)),
    "piece of a flux": Faulty("there are left, right", SQUARE, Poisson(), (Neumann("edge 0"),)),
    "field missing": Faulty("UserEquation has u, v", LINE, TWO, (Dirichlet("left"),)),
    "field unknown": Faulty("its field is 'w'", LINE, TWO, (Dirichlet("left", field="w"),)),
    "field of another equation": Faulty("its field is 'T'", LINE, Poisson(), (Neumann("left", field="T"),)),
    "two values": Faulty("has two values", LINE, Poisson(), (Dirichlet("left"), Dirichlet("all", 1.0))),
    "two of one unknown": Faulty(
        "has two values", LINE, TWO, (Dirichlet("left", field="v"), Dirichlet("left", 1.0, field="v"))
    ),
    "rate without value": Faulty("orders [1]", LINE, Wave(1.0), (Initial(order=1),), time=TIME),
    "two initial values": Faulty("orders [0, 0]", LINE, Wave(1.0), (Initial(), Initial(1.0)), time=TIME),
    "initial without time": Faulty("has no time", LINE, Poisson(), (Initial(),)),
    "period of a disc": Faulty("only an Interval or a Box", sdf.Circle(1.0), Poisson(), (Periodic(0),)),
    "period along no axis": Faulty("axes from 0 to 0", LINE, Poisson(), (Periodic(1),)),
    "value on a joined end": Faulty("a period has joined", LINE, Poisson(), (Periodic(0), Dirichlet("left"))),
    "value on no end": Faulty("a period has joined", LINE, Poisson(), (Periodic(0), Dirichlet("all"))),
    "hard on an unknown curve": Faulty("hard=False", sdf.Ellipse((1.0, 0.5)), Poisson(), (Dirichlet("all"),)),
    "hard on a part": Faulty(
        "hard=False", SQUARE, Poisson(), (Dirichlet("mine"),), {"mine": right_side}
    ),
    "empty part": Faulty("no point of the boundary", LINE, Poisson(), (Neumann("mine"),), {"mine": nowhere}),
    "condition of heat in a part": Faulty("Use Dirichlet", LINE, Poisson(), (Temperature("left", 300.0),)),
    "Dirichlet in a part": Faulty("Temperature", box((1, 1, 1)), SteadyHeat(1.0), (Dirichlet("all"),)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_problem_is_refused(name):
    fault = FAULTS[name]
    with pytest.raises(InputError) as caught:
        Problem(fault.domain, fault.equation, fault.conditions, fault.patches, fault.time)
    assert fault.says in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Dirichlet("left", float("nan")),
        lambda: Neumann("left", float("inf")),
        lambda: Robin("left", float("inf")),
        lambda: Robin("left", 1.0, float("nan")),
        lambda: Initial(float("nan")),
        lambda: Initial(order=2),
    ],
)
def test_a_faulty_value_is_refused(make):
    with pytest.raises(InputError):
        make()


# --- conditions that hold exactly, whatever the network


def on_networks(problem, dtype, look, points):
    """What `look(field, x)` returns at many points, for two networks with random weights of order 1."""
    inner = problem.in_fields
    shapings = tuple(inner.shaping(i) for i in range(len(inner.equation.fields)))
    size = inner.coordinates.size, len(shapings)
    network = jax.eval_shape(lambda: MLP(*size, 6, 2, activation="tanh", key=jax.random.key(0)))
    rng = np.random.default_rng(0)
    networks = jax.tree.map(lambda w: jnp.asarray(rng.normal(scale=0.8, size=(2, *w.shape)), dtype), network)

    def at(network, x):
        return look(form_of(inner, shapings, inner.coordinates)(network), x)

    found = jax.jit(jax.vmap(jax.vmap(at, (None, 0)), (0, None)))(networks, points.astype(dtype))
    assert all(leaf.dtype == dtype for leaf in jax.tree.leaves(found))
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), found)


def value(field, x):
    return field(x)


def jet(field, x):
    """The value and the first derivatives."""
    return field(x), jax.jacfwd(lambda y: field(y))(x)


def sides(problem, dtype, count=24):
    """For each piece its points, at times of the problem's, in a dtype."""
    rng = np.random.default_rng(0)
    for piece in outline(problem.domain):
        points, _ = piece.sample(count, rng)
        if problem.time is not None:
            points = np.column_stack([points, np.linspace(*problem.time, len(points))])
        yield piece.name, points.astype(dtype)


def interior(problem, dtype, count=24):
    rng = np.random.default_rng(1)
    lower, _ = problem.in_fields.domain.bounds
    points = problem.in_fields.domain.fill(rng.uniform(0.02, 0.98, (8 * count, len(lower))))[:count]
    if problem.time is not None:
        points = np.column_stack([points, rng.uniform(*problem.time, len(points))])
    return points.astype(dtype)


def warm(x):
    return 1.0 + jnp.sin(2 * x[0]) * x[1]


def tide(x):
    """On the left end of the line, where x = -1, and on the right one, where x = 2; time is the second coordinate."""
    return x[0] * jnp.cos(3 * x[1])


def heated(domain, conditions):
    return Problem(domain, HeatEquation(1.0, capacity=1.0), conditions, time=TIME)


def constant(number):
    return lambda x: jnp.full((), number, x.dtype)


def growing(x):
    return x[0] * x[2]


def falling(x):
    return -x[2]


START = Initial(lambda x: 0.5 * x[0])  # where `growing` and `falling` start
SLOW = ("disc in time",)  # the L in time stands for it

# a problem and what its field is on the pieces where it is given; the others are free
HELD = {
    "interval": lambda: (
        Problem(LINE, Poisson(), [Dirichlet("left", 3.0), Dirichlet("right", -2.0)]),
        {"left": constant(3.0), "right": constant(-2.0)},
    ),
    "one end": lambda: (
        Problem(LINE, Poisson(), [Dirichlet("right", lambda x: x[0] ** 2)]),
        {"right": constant(4.0)},
    ),
    "turned rectangle": lambda: (
        Problem(SQUARE.rotate(0.4), Poisson(), [Dirichlet("left", warm), Dirichlet("top"), Dirichlet("right", 0.5)]),
        {"left": warm, "top": constant(0.0), "right": constant(0.5)},
    ),
    "L in time": lambda: (
        heated(
            L_SHAPE,
            [START, Dirichlet("edge 2", growing), Dirichlet("edge 3"), Dirichlet("edge 5", falling)],
        ),
        {"edge 2": growing, "edge 3": constant(0.0), "edge 5": falling},
    ),
    "disc in time": lambda: (
        heated(sdf.Circle(0.5), [Initial(warm), Dirichlet("rim", warm)]),
        {"rim": warm},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in HELD]
)
def test_values_on_the_boundary_hold_exactly(name, precision):
    problem, held = HELD[name]()
    exact = 2e-5 if precision == np.float32 else 1e-12
    pieces = dict(sides(problem, precision))
    points = np.concatenate([*pieces.values(), interior(problem, precision)])
    *on_pieces, inside = np.split(on_networks(problem, precision, value, points), len(pieces) + 1, axis=1)
    for piece, (one, other) in zip(pieces, on_pieces, strict=True):
        if piece in held:
            expected = np.array(jax.vmap(held[piece])(pieces[piece]), np.float64)
            np.testing.assert_allclose(one, expected, atol=exact)
            np.testing.assert_allclose(other, expected, atol=exact)
        else:
            assert np.max(np.abs(one - other)) > 0.05, f"{piece} is free"
    assert np.min(np.abs(inside[0] - inside[1])) > 1e-6, "the inside is free"
    assert np.max(np.abs(inside[0] - inside[1])) > 0.05


def test_the_first_moment_holds_exactly_and_so_do_moving_ends(precision):
    """A wave between ends that move: u₀ and u₁ are those of x cos 3t at the ends, and other functions between them."""
    start = TIME[0]

    def first(x):
        return x[0] * jnp.cos(3 * start) + (x[0] + 1) * (2 - x[0])

    def rate(x):
        return -3 * x[0] * jnp.sin(3 * start) + jnp.sin(np.pi * (x[0] + 1) / 3)

    ends = [Dirichlet("left", tide), Dirichlet("right", tide)]
    problem = Problem(LINE, Wave(1.0), [Initial(first), Initial(rate, order=1), *ends], time=TIME)
    exact = 1e-5 if precision == np.float32 else 1e-12
    before = np.column_stack([np.linspace(-1, 2, 24), np.full(24, start)]).astype(precision)
    sets = [before, *(points for _, points in sides(problem, precision)), interior(problem, precision)]
    values, slopes = on_networks(problem, precision, jet, np.concatenate(sets))
    at_start, left, right, inside = np.split(values, 4, axis=1)
    for found in range(2):
        np.testing.assert_allclose(at_start[found], jax.vmap(first)(before), atol=exact)
        np.testing.assert_allclose(slopes[found, :24, 1], jax.vmap(rate)(before), atol=10 * exact)
        np.testing.assert_allclose(left[found], jax.vmap(tide)(sets[1]), atol=exact)
        np.testing.assert_allclose(right[found], jax.vmap(tide)(sets[2]), atol=exact)
    assert np.max(np.abs(inside[0] - inside[1])) > 0.05, "the rest is free"


def test_two_unknowns_have_their_own_conditions(precision):
    conditions = [
        Dirichlet("left", 1.0, field="v"),
        Dirichlet("right", 2.0, field="u"),
        Neumann("left", field="u"),
    ]
    problem = Problem(LINE, TWO, conditions)
    assert problem.in_fields.soft == (conditions[2],)
    found = on_networks(problem, precision, value, np.array([[-1.0], [2.0]]))
    np.testing.assert_allclose(found[:, 0, 1], 1.0, atol=1e-6)
    np.testing.assert_allclose(found[:, 1, 0], 2.0, atol=1e-6)
    assert np.min(np.abs(found[0] - found[1])[[0, 1], [0, 1]]) > 1e-3, "u is free on the left, v on the right"


def bend(x):
    return jnp.sin(np.pi * x[0]) * jnp.cos(2 * np.pi * x[1])


PERIODIC = {
    "interval in time": lambda: (
        Problem(Interval(-1.0, 1.0), Burgers(0.1), [Periodic(0), Initial(lambda x: jnp.sin(np.pi * x[0]))], time=TIME),
        [0],
    ),
    "strip between two values": lambda: (
        Problem(SQUARE, Poisson(), [Periodic(0), Dirichlet("bottom", 1.0), Dirichlet("top", bend)]),
        [0],
    ),
    "torus": lambda: (Problem(SQUARE, Poisson(), [Periodic(0), Periodic(1)]), [0, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", PERIODIC)
def test_both_ends_of_a_period_agree_with_their_derivatives(name, precision):
    problem, axes = PERIODIC[name]()
    exact = 2e-4 if precision == np.float32 else 1e-11
    lower, upper = problem.in_fields.coordinates.lower, problem.in_fields.coordinates.upper
    near = [lower + np.linspace(0.05, 0.95, 9)[:, None] * (upper - lower) for _ in axes]
    for points, axis in zip(near, axes, strict=True):
        points[:, axis] = lower[axis]
    far = [points + np.eye(2)[axis] * (upper - lower) for points, axis in zip(near, axes, strict=True)]
    for found in on_networks(problem, precision, jet, np.concatenate([*near, *far])):
        before, after = np.split(found, 2, axis=1)
        np.testing.assert_allclose(after, before, atol=exact)
        assert np.ptp(before) > 1e-2
    assert not {"left", "right"} & {piece.name for piece in problem.in_fields.outline}


# --- conditions that become rows


def test_soft_conditions_are_those_that_no_form_holds():
    conditions = [
        Dirichlet("left"),
        Dirichlet("right", 1.0, hard=False),
        Neumann("top"),
        Robin("mine", 2.0),
    ]
    problem = Problem(SQUARE, Poisson(), conditions, {"mine": right_side}).in_fields
    assert problem.soft == tuple(conditions[1:])
    assert [piece.name for piece in problem.pieces("mine")] == ["mine"], "only one side has points in it"


def test_a_soft_value_on_a_part_of_the_boundary_is_welcome():
    part = Dirichlet("mine", 2.0, hard=False)
    problem = Problem(L_SHAPE, Poisson(), [Dirichlet("edge 5"), part], {"mine": right_side}).in_fields
    assert problem.soft == (part,)
    assert [piece.name for piece in problem.pieces("mine")] == ["mine"]


def test_the_network_sees_corners_and_circles():
    """An L with values all around has one corner of 270° and five right angles; a period makes a circle."""
    corner = Problem(L_SHAPE, Poisson(), [Dirichlet("all")]).in_fields
    assert corner.coordinates.size == 2 + 2 + 5
    assert len(corner.corners) == 1
    assert Problem(L_SHAPE, Poisson(), [Neumann("all")]).in_fields.coordinates.size == 2
    ring = Problem(SQUARE, Poisson(), [Periodic(0), Dirichlet("top")]).in_fields
    assert ring.coordinates.size == 3


def test_a_value_that_is_no_number_is_named():
    problem = Problem(LINE, Poisson(), [Dirichlet("all", lambda x: x)])
    with pytest.raises(ValueError, match="one number at every point"):
        on_networks(problem, np.dtype(np.float32), value, np.zeros((1, 1)))
