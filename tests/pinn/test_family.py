"""One field over a family: closed forms of members it never saw, gradients in the parameters, what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed.core import InputError, register
from geoembed.pinn import (
    Convection,
    Dirichlet,
    Family,
    HeatFlux,
    Interval,
    Member,
    Poisson,
    Problem,
    SteadyHeat,
    Training,
    member_error,
    solve,
    solve_member,
    train_family,
)
from geoembed.pinn._family import exponents, parameter_basis
from tests.pinn.parts import ENDS, box

LOWER, UPPER = (1.0, 0.5), (2.0, 1.5)


def make(parameters):
    """A rod of some length, heated evenly, cold at both ends; see `exact`."""
    length, source = (float(value) for value in parameters)
    return Problem(Interval(0.0, length), Poisson(source), [Dirichlet("all")])


@register(name="test.rod_coordinates")
def coordinates(x, parameters):
    return x / parameters[0]


RODS = Family(make, coordinates, LOWER, UPPER)


def exact(x, length, source):
    """−u″ = source, u = 0 at 0 and at length."""
    return 0.5 * source * x * (length - x)


def rod(length, source, count=20):
    x = np.linspace(0, length, count)
    return Member(np.array([length, source]), x[:, None], exact(x, length, source))


@pytest.fixture(scope="module")
def rods():
    members = [rod(length, source) for length in (1.0, 1.33, 1.67, 2.0) for source in (0.5, 0.83, 1.17, 1.5)]
    held_out = [rod(1.2, 0.7), rod(1.8, 1.2)]
    return train_family(
        RODS, members, held_out=held_out, key=jax.random.key(0), degree=3, width=6, depth=1, steps=120
    )


@pytest.mark.slow
def test_unseen_members_match_the_closed_form(rods):
    for unseen in (rod(1.1, 1.4), rod(1.5, 0.6), rod(1.9, 0.9)):
        assert member_error(rods.field, unseen) < 1e-2


def test_held_out_errors_are_those_of_the_members(rods):
    """Recomputed with numpy from values of the field."""
    assert rods.status in ("stalled", "step limit")
    x = np.linspace(0, 1.2, 20)
    with jax.enable_x64(True):
        found = np.asarray(jax.vmap(rods.field, (0, None))(jnp.asarray(x[:, None]), jnp.array([1.2, 0.7])))
    true = exact(x, 1.2, 0.7)
    expected = np.linalg.norm(found - true) / np.linalg.norm(true - true.mean())
    assert rods.held_out_errors[0] == pytest.approx(expected, rel=1e-6)
    assert len(rods.errors) == 16
    lowest = min(step.held_out for step in rods.history)
    assert lowest == pytest.approx(np.sqrt(np.mean(np.square(rods.held_out_errors))), rel=1e-6)


def test_gradient_in_the_parameters(rods):
    """∂u/∂length = source x / 2 and ∂u/∂source = x (length − x)/2 at a fixed point."""
    slope = jax.jit(jax.grad(rods.field, 1))(jnp.array([0.6]), jnp.array([1.5, 1.0]))
    np.testing.assert_allclose(np.asarray(slope), [0.3, 0.27], rtol=3e-2)


def test_a_member_is_the_field_in_the_dtype_of_the_point(rods, precision):
    x, parameters = jnp.array([0.4], precision), np.array([1.4, 1.1])
    of_member = rods.field.member(parameters)(x)
    assert of_member.dtype == precision
    np.testing.assert_allclose(of_member, rods.field(x, parameters), rtol=1e-6)


def test_saved_and_loaded(rods, tmp_path):
    geoembed.save(tmp_path / "field", rods)
    again = geoembed.load(tmp_path / "field")
    x, parameters = jnp.array([0.4]), jnp.array([1.4, 1.1])
    assert float(again.field(x, parameters)) == float(rods.field(x, parameters))
    assert again.held_out_errors == rods.held_out_errors


@pytest.mark.slow
def test_solved_member_is_a_sample_of_its_solution():
    def quick(problem, key):
        return solve(problem, key=key, training=Training(points=64, steps=30))

    member = solve_member(RODS, [1.5, 1.0], key=jax.random.key(0), points=50, solver=quick)
    assert member.points.shape == (50, 1)
    np.testing.assert_allclose(member.values, exact(member.points[:, 0], 1.5, 1.0), atol=1e-3)


@pytest.mark.slow
def test_family_of_bars():
    """Bars of some length: a flux into one end, convection at the other, T = ambient + q/h + q (length − x)/k."""

    def bar(parameters):
        part = box((float(parameters[0]), 0.03, 0.03))
        return Problem(
            part, SteadyHeat(2.0), [HeatFlux("left", 100.0), Convection("right", 50.0, 300.0)], ENDS
        )

    def along(x, parameters):
        return x[:1] / parameters

    def coarse(problem, key):
        return solve(problem, key=key, cells=600, first_cells=600)

    family = Family(bar, along, (0.08,), (0.12,))
    known = [
        solve_member(family, [length], key=jax.random.key(i), points=300, solver=coarse)
        for i, length in enumerate((0.08, 0.095, 0.105, 0.12, 0.1))
    ]
    assert all(member.even == 200 for member in known)
    found = train_family(
        family, known[:4], held_out=known[4:], key=jax.random.key(1), degree=2, width=6, depth=1, steps=80
    )
    x = np.linspace(0, 0.11, 40)
    points = np.stack([x, np.full(40, 0.015), np.full(40, 0.015)], axis=1)
    unseen = Member(np.array([0.11]), points, 302.0 + 50.0 * (0.11 - x))
    assert member_error(found.field, unseen) < 1e-2


@pytest.mark.parametrize("degree", [1, 4])
def test_polynomials_are_those_of_legendre(degree):
    """Against numpy, in two parameters, also outside the limits."""
    with jax.enable_x64(True):
        found = np.asarray(parameter_basis(jnp.array([1.8, 0.1]), LOWER, UPPER, degree))
    t = [2 * (1.8 - 1.0) - 1, 2 * (0.1 - 0.5) - 1]
    one = [np.polynomial.legendre.legvander(np.array([value]), degree)[0] for value in t]
    expected = [one[0][i] * one[1][j] for i, j in exponents(2, degree)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert len(found) == (degree + 1) * (degree + 2) // 2


@pytest.mark.parametrize("limits", [((1.0,), (1.0,)), ((1.0,), (2.0, 3.0)), ((0.0,), (np.inf,))])
def test_limits_must_increase(limits):
    with pytest.raises(InputError, match="no limits"):
        Family(make, coordinates, *limits)


def test_refuses_what_it_cannot_train_on():
    one = rod(1.0, 1.0)
    with pytest.raises(InputError, match="1 to train on"):
        train_family(RODS, [one], held_out=[one], key=jax.random.key(0))
    with pytest.raises(InputError, match="0 to hold out"):
        train_family(RODS, [one] * 10, held_out=[], key=jax.random.key(0))
    few = [rod(length, source) for length in (1.0, 1.5, 2.0) for source in (0.5, 0.8, 1.2, 1.5)]
    with pytest.raises(InputError, match="do not tell the polynomials of degree 3 apart"):
        train_family(RODS, few, held_out=[one], key=jax.random.key(0))
    short = Member(np.array([1.0]), one.points, one.values)
    with pytest.raises(InputError, match="the family has 2"):
        train_family(RODS, [one] * 10, held_out=[short], key=jax.random.key(0))
    with pytest.raises(InputError, match="constant or not finite"):
        Member(one.parameters, one.points, np.ones(20))
    with pytest.raises(ValueError, match="20 points have 19 values"):
        Member(one.parameters, one.points, one.values[1:])


def test_a_diverged_member_is_refused():
    def diverging(problem, key):
        return type("Diverged", (), {"status": "diverged"})()

    with pytest.raises(InputError, match="diverged"):
        solve_member(RODS, [1.5, 1.0], key=jax.random.key(0), solver=diverging)


def test_parameters_are_counted(rods):
    with pytest.raises(ValueError, match="has 2 parameters"):
        rods.field(jnp.zeros(1), jnp.array([1.0]))
