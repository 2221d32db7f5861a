"""Certificates of equations: finite elements against closed forms, and what the verdicts say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf
from geoembed.core import InputError
from geoembed.pinn import (
    AdvectionDiffusion,
    AllenCahn,
    Burgers,
    Dirichlet,
    FieldDependent,
    HeatEquation,
    Helmholtz,
    Initial,
    Interval,
    KdV,
    Neumann,
    Periodic,
    Poisson,
    Problem,
    Robin,
    certify,
    field_reference,
    judge_field,
)
from geoembed.pinn._domains._domain import domain_of
from geoembed.pinn._fem_field_form import weak_form
from geoembed.pinn._fem_field_mesh import plane_mesh
from tests.drawn_field import drawn

pytest.importorskip("skfem")
pytestmark = pytest.mark.fem

UNIT = Interval(0.0, 1.0)


def wavy(x):
    """A smooth field of all coordinates, in which no derivative vanishes."""
    return jnp.sin(1.3 * x[0] + 0.4) * jnp.cos(0.7 * x[1] - 0.2) + 0.3 * x[-1] * x[0] ** 2 + 0.1 * x[1] ** 3


MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])


def bent(x, u):
    return 1.0 + 0.2 * jnp.sin(x[0]) + 0.1 * u**2


EQUATIONS = [
    Poisson(lambda x: x[0], FieldDependent(bent), 0.7),
    Poisson(FieldDependent(lambda x, u: -jnp.sinh(u)), MATRIX),
    Helmholtz(3.0, 0.4),
    HeatEquation(FieldDependent(bent), lambda x: x[1], FieldDependent(bent)),
    AdvectionDiffusion(np.array([1.0, -2.0]), MATRIX, lambda x: x[0]),
    AdvectionDiffusion(0.5, 0.1, transient=False),
    AllenCahn(FieldDependent(bent), 2.0),
    Burgers(lambda x: 1.0 + 0.3 * x[0]),
]


@pytest.mark.parametrize(
    "equation",
    [pytest.param(e, marks=[] if isinstance(e, AllenCahn) else pytest.mark.slow) for e in EQUATIONS],
    ids=lambda e: type(e).__name__,
)
def test_a_weak_form_by_parts_is_the_equation(equation):
    """bulk − ∇·spread is the residual, and the natural flux is that of the equation."""
    form, space = weak_form(equation), equation.dimensions[-1] if len(equation.dimensions) == 1 else 2

    def terms(y):
        slope = jax.grad(wavy)(y)
        return form.terms(y, wavy(y), slope[:space], slope[-1] if equation.transient else jnp.zeros(()))

    @jax.jit
    def both(x, normal):
        strong = terms(x)[0] - jnp.trace(jax.jacfwd(lambda y: terms(y)[1])(x)[:, :space])
        natural = form.natural * jnp.sum(terms(x)[1] * normal)
        return jnp.stack([strong, natural]), jnp.stack(
            [equation.residual(wavy, x)[0], equation.flux(wavy, x, normal)[0]]
        )

    with jax.enable_x64(True):
        x = jnp.array([0.3, -0.4, 0.6])[: space + equation.transient]
        found, expected = both(x, jnp.array([0.6, 0.8]) if space == 2 else jnp.array([-1.0]))
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert abs(float(expected[0])) > 0.05


def rod(x):
    return np.sin(np.pi * x[:, 0]) * np.exp(-(np.pi**2) * x[:, 1])


@pytest.fixture(scope="module")
def heated():
    """The reference of a rod whose temperature is a decaying wave."""
    conditions = [Initial(lambda x: jnp.sin(jnp.pi * x[0])), Dirichlet("all")]
    return field_reference(
        Problem(UNIT, HeatEquation(1.0, capacity=1.0), conditions, time=(0.0, 0.2)), seed=3
    )


def test_a_rod_agrees_with_its_closed_form(heated):
    assert heated.error(rod) < 1e-7
    assert heated.points.shape == (12_000, 2)
    assert heated.steps[1] > 1.5 * heated.steps[0]
    assert heated.dofs[1] > 1.5 * heated.dofs[0]


def test_the_verdict_depends_on_the_bar_and_on_the_meshes(heated):
    passed = judge_field(heated, rod)
    assert (passed.status, passed.method, passed.certified) == ("certified", "finite elements", True)
    failed = judge_field(heated, lambda x: 1.002 * rod(x))
    assert failed.status == "failed"
    assert failed.relative_error == pytest.approx(2e-3, rel=1e-2)
    assert "above the bar 0.001" in failed.text
    assert judge_field(heated, lambda x: 1.002 * rod(x), bar=3e-3).certified
    assert judge_field(heated, rod, bar=heated.agreement).status == "uncertified"
    assert judge_field(heated, lambda x: np.nan * rod(x)).as_dict()["relative_error"] is None
    with pytest.raises(ValueError, match="shape"):
        judge_field(heated, lambda x: x)


@pytest.mark.slow
def test_a_front_with_values_that_change_in_time():
    """Burgers' shock that travels with speed c, u = c − a tanh(a (x − ct)/2ν)."""

    def front(x):
        return 0.5 - 0.8 * jnp.tanh(0.8 * (x[0] - 0.3 - 0.5 * x[-1]) / 0.1)

    slope = jax.grad(front)
    ends = [Dirichlet("left", front), Neumann("right", lambda x: 0.05 * slope(x)[0])]
    problem = Problem(UNIT, Burgers(0.05), [Initial(front), *ends], time=(0.0, 0.5))
    exact = field_reference(problem).error(lambda x: 0.5 - 0.8 * np.tanh(8 * (x[:, 0] - 0.3 - 0.5 * x[:, 1])))
    assert exact < 1e-5


def test_a_wave_carried_around_a_period():
    conditions = [Initial(lambda x: jnp.sin(2 * jnp.pi * x[0])), Periodic(0)]
    problem = Problem(UNIT, AdvectionDiffusion(1.5, 0.01), conditions, time=(0.0, 1.0))
    reference = field_reference(problem)
    assert reference.error(
        lambda x: np.sin(2 * np.pi * (x[:, 0] - 1.5 * x[:, 1])) * np.exp(-0.04 * np.pi**2 * x[:, 1])
    ) < 1e-5  # fmt: skip


def test_a_ring_with_convection_outside():
    ring = sdf.Circle(1.0) - sdf.Circle(0.5)
    conditions = [Dirichlet("hole 0 rim", 1.0), Robin("rim", -2.0, 0.0)]
    reference = field_reference(Problem(ring, HeatEquation(1.0), conditions))  # the heat that leaves is 2 T
    slope = 1 / (0.5 + np.log(2))
    assert reference.error(lambda x: 1 - slope * np.log(np.linalg.norm(x, axis=1) / 0.5)) < 1e-5


@pytest.mark.slow
def test_an_outline_known_by_its_distance_only_is_meshed():
    """A disc and a bar through it: their area, with corners that open inwards and outwards."""
    skfem = pytest.importorskip("skfem")
    domain = domain_of(sdf.Circle(0.7) | sdf.Box((2.0, 0.5)))
    mesh = plane_mesh(domain, 800, lambda x: np.zeros(len(x)), False)
    area = float(skfem.CellBasis(mesh, skfem.ElementTriP2()).dx.sum())
    both = 2 * (0.25 * np.sqrt(0.49 - 0.0625) + 0.49 * np.arcsin(0.25 / 0.7))
    assert area == pytest.approx(0.49 * np.pi + 1 - both, rel=1e-5)


def test_without_finite_elements_the_evidence_is_told():
    start = [Initial(lambda x: jnp.cos(jnp.pi * x[0])), Periodic(0)]
    problem = Problem(Interval(-1.0, 1.0), KdV(), start, time=(0.0, 1.0))
    result = drawn(problem, lambda z: z[:1])
    found = certify(problem, result, others=[result])
    assert (found.status, found.method, found.relative_error) == ("uncertified", "estimate", None)
    for words in (
        "no finite elements for KdV",
        "estimates an error of 1.2e-02",
        "is 3.4e-02",
        "differ by 0.0e+00",
    ):
        assert words in found.text


def test_a_wrong_field_fails():
    problem = Problem(UNIT, Poisson(2.0), [Dirichlet("all")])
    found = certify(problem, drawn(problem, lambda z: z[:1]))
    assert found.status == "failed"
    assert found.estimated_error == 0.012
    assert found.held_out_residual == 0.034


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Problem(UNIT, Poisson(0.0), [Neumann("all")]), "up to a constant"),
        (Problem(UNIT, Poisson(0.0), [Dirichlet("left")]), "no condition"),
        (Problem(sdf.Box((1.0, 1.0, 1.0)), Poisson(1.0), [Dirichlet("all")]), "not for space"),
    ],
)
def test_what_cannot_be_judged_says_why(problem, words):
    with pytest.raises(ValueError, match=words):
        field_reference(problem)


def test_initial_and_boundary_values_must_agree():
    def problem(value, *, hard=True):
        conditions = [Initial(1.0), Dirichlet("left", value, hard=hard), Dirichlet("right", 1.0)]
        return Problem(UNIT, HeatEquation(1.0, capacity=1.0), conditions, time=(2.0, 3.0))

    with pytest.raises(
        InputError, match=r"'left': at \(0\) and the first moment 2 .* 0.5, .* is 1: .*hard=False"
    ):
        problem(0.5)
    with pytest.raises(InputError, match="no field has both"):
        problem(lambda x: x[-1])
    problem(0.5, hard=False)
    problem(lambda x: x[-1] - 1.0)


@pytest.mark.slow
def test_in_the_plane():
    def truth(x):
        return np.sin(np.pi * x[:, 0]) * np.sin(np.pi * x[:, 1])

    def source(x):
        return (2 * jnp.pi**2 - 36) * jnp.sin(jnp.pi * x[0]) * jnp.sin(jnp.pi * x[1])

    box = sdf.Box((2.0, 2.0))
    assert field_reference(Problem(box, Helmholtz(6.0, source), [Dirichlet("all")])).error(truth) < 1e-4
    start = Initial(lambda x: jnp.sin(jnp.pi * x[0]) * jnp.sin(jnp.pi * x[1]))
    equation = HeatEquation(1 / np.pi**2, capacity=1.0)
    for conditions in ([start, Dirichlet("all")], [start, Periodic(0), Periodic(1)]):
        reference = field_reference(Problem(box, equation, conditions, time=(0.0, 0.5)))
        assert reference.error(lambda x: truth(x) * np.exp(-2 * x[:, 2])) < 1e-4


@pytest.mark.slow
def test_allen_and_cahn_and_a_corner():
    """A front that stands still; and r^(2/3) sin(2θ/3) at the corner of the L-shape."""
    width = np.sqrt(2 * 1e-3)
    start = Initial(lambda x: jnp.tanh(x[0] / width))
    ends = [Dirichlet("left", -1.0), Dirichlet("right", 1.0)]
    problem = Problem(Interval(-1.0, 1.0), AllenCahn(1e-3, 1.0), [start, *ends], time=(0.0, 1.0))
    assert field_reference(problem).error(lambda x: np.tanh(x[:, 0] / width)) < 1e-6

    def corner(x):
        angle = jnp.mod(jnp.arctan2(x[1], x[0]) - jnp.pi / 2, 2 * jnp.pi)
        return jnp.maximum(x[0] ** 2 + x[1] ** 2, 1e-300) ** (1 / 3) * jnp.sin(2 / 3 * angle)

    shape = sdf.Polygon(((-1.0, -1.0), (1.0, -1.0), (1.0, 0.0), (0.0, 0.0), (0.0, 1.0), (-1.0, 1.0)))
    reference = field_reference(Problem(shape, Poisson(), [Dirichlet("all", corner, hard=False)]))
    assert reference.error(lambda x: np.asarray(jax.vmap(corner)(x))) < 2e-4
