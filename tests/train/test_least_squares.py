"""Levenberg–Marquardt against numpy and scipy, and what a step promises."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from jax.flatten_util import ravel_pytree

from geoembed.core import MLP
from geoembed.train import LevenbergMarquardt, LMState, Rows

SIZE = 7
MATRIX = np.random.default_rng(0).normal(size=(30, SIZE)) * np.geomspace(
    1e-2, 1e2, SIZE
)  # columns of many sizes
TARGET = np.random.default_rng(1).normal(size=30)
WEIGHTS = np.linspace(0.5, 2.0, 30)


def linear(model, item):
    row, target = item
    return (jnp.dot(row, model) - target)[None]


def curved(model, item):
    """Two rows an item, with θ in the exponent."""
    x, y = item
    return jnp.stack([model[0] * jnp.exp(model[1] * x) + model[2] * x - y, 0.1 * model[1] * model[2] * x])


def batch(count=30, dtype=np.float64):
    return Rows((MATRIX[:count].astype(dtype), TARGET[:count].astype(dtype)), WEIGHTS[:count].astype(dtype))


def curve(count=40, dtype=np.float64):
    x = np.linspace(0.0, 1.0, count)
    y = 2.0 * np.exp(-1.5 * x) + 0.3 * x + 0.01 * np.random.default_rng(2).normal(size=count)
    return Rows((x.astype(dtype), y.astype(dtype)), np.ones(count, dtype))


@pytest.fixture
def x64():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def fit(x64):
    """The curve, with starts of θ and the solver in float64."""
    return LevenbergMarquardt([curved], jnp.array([1.0, 0.0, 0.0]), mixed=False, chunk=16), [curve()]


def iterate(solver, batches, steps, damping=1e-2):
    states = [LMState(solver.start().parameters, damping)]
    for _ in range(steps):
        states.append(solver.step(states[-1], batches))
    return states


# --- one step


def best_of_three(theta, count, damping):
    """The step of the method from dense normal equations: (JᵀJ + λ diag JᵀJ) δ = −Jᵀr."""
    jacobian = WEIGHTS[:count, None] * MATRIX[:count]
    residual = WEIGHTS[:count] * (MATRIX[:count] @ theta - TARGET[:count])
    normal, found = jacobian.T @ jacobian, []
    for share in (0.1, 1.0, 10.0):
        damped = normal + share * damping * np.diag(np.diag(normal))
        moved = theta + np.linalg.solve(damped, -jacobian.T @ residual)
        left = WEIGHTS[:count] * (MATRIX[:count] @ moved - TARGET[:count])
        found.append((0.5 * np.sum(left**2), share * damping, moved))
    return min(found, key=lambda trial: trial[0])


@pytest.mark.parametrize("count", [30, 5], ids=["more rows than numbers", "fewer"])
@pytest.mark.parametrize("damping", [1e-3, 3.0])
def test_a_step_solves_the_damped_normal_equations(x64, count, damping):
    theta = np.random.default_rng(3).normal(size=SIZE) / np.geomspace(1e-2, 1e2, SIZE)
    solver = LevenbergMarquardt([linear], jnp.asarray(theta), mixed=False, chunk=8)
    state = solver.step(LMState(theta, damping), [batch(count)])
    loss, taken, moved = best_of_three(theta, count, damping)
    scale = np.geomspace(1e-2, 1e2, SIZE)  # of the columns: θ is as large as 1/scale
    np.testing.assert_allclose(scale * np.asarray(state.parameters), scale * moved, rtol=1e-9, atol=1e-9)
    assert state.damping == pytest.approx(taken)
    assert solver.loss(state.parameters, [batch(count)]) == pytest.approx(loss, rel=1e-9)
    start = WEIGHTS[:count] * (MATRIX[:count] @ theta - TARGET[:count])
    assert state.loss == pytest.approx(0.5 * np.sum(start**2))
    assert (state.iteration, state.stalled) == (1, 0)


def test_few_rows_and_the_same_with_empty_ones_move_alike(x64):
    """With fewer rows than trained numbers another system is solved; rows of weight 0 change nothing but that."""
    few = batch(5)
    many = Rows(batch(12).items, np.where(np.arange(12) < 5, WEIGHTS[:12], 0.0))
    solver = LevenbergMarquardt([linear], jnp.ones(SIZE), mixed=False)
    start = LMState(jnp.ones(SIZE), 0.1)
    dual, primal = solver.step(start, [few]), solver.step(start, [many])
    np.testing.assert_allclose(dual.parameters, primal.parameters, rtol=1e-8)
    assert dual.damping == primal.damping


def test_several_blocks_are_one_problem(x64):
    """Items of one block split into two give the same step, each with its own function and weights."""
    first, second = (
        Rows((MATRIX[part], TARGET[part]), WEIGHTS[part]) for part in (slice(0, 11), slice(11, 30))
    )
    one = LevenbergMarquardt([linear], jnp.ones(SIZE), mixed=False)
    two = LevenbergMarquardt([linear, linear], jnp.ones(SIZE), mixed=False, chunk=4)
    states = one.step(one.start(), [batch()]), two.step(two.start(), [first, second])
    np.testing.assert_allclose(states[0].parameters, states[1].parameters, rtol=1e-9)
    assert states[0].loss == pytest.approx(states[1].loss)


@pytest.mark.parametrize("chunk", [7, 64])
def test_chunks_do_not_matter(fit, chunk):
    """40 items: 7 leaves a part of the last chunk empty, 64 takes all at once."""
    solver, data = fit
    other = LevenbergMarquardt([curved], jnp.array([1.0, 0.0, 0.0]), mixed=False, chunk=chunk)
    expected, got = iterate(solver, data, 3), iterate(other, data, 3)
    for a, b in zip(expected[1:], got[1:], strict=True):
        np.testing.assert_allclose(a.parameters, b.parameters, rtol=1e-9)
        assert a.loss == pytest.approx(b.loss, rel=1e-12)
    theta = expected[-1].parameters
    assert other.rows(theta, data[0]).shape == (40, 2)
    np.testing.assert_allclose(other.rows(theta, data[0]), solver.rows(theta, data[0]), rtol=1e-12)


def test_rows_and_loss_are_those_of_the_function(fit):
    solver, data = fit
    theta = np.array([1.2, -0.7, 0.4])
    x, y = data[0].items
    expected = np.stack([1.2 * np.exp(-0.7 * x) + 0.4 * x - y, -0.028 * x], axis=1)
    np.testing.assert_allclose(solver.rows(jnp.asarray(theta), data[0]), expected, rtol=1e-12, atol=1e-15)
    assert solver.loss(jnp.asarray(theta), data) == pytest.approx(0.5 * np.sum(expected**2))


# --- many steps


def test_a_linear_problem_is_solved_in_a_few_steps(x64):
    """To what normal equations can know: κ² ε of the solution, with the condition number κ."""
    solver = LevenbergMarquardt([linear], jnp.zeros(SIZE))
    *_, last = iterate(solver, [batch()], 8)
    matrix = WEIGHTS[:, None] * MATRIX
    exact = np.linalg.lstsq(matrix, WEIGHTS * TARGET, rcond=None)[0]
    known = 4 * np.linalg.cond(matrix) ** 2 * np.finfo(np.float64).eps
    assert known < 3e-7
    assert np.linalg.norm(last.parameters - exact) < known * np.linalg.norm(exact)


@pytest.mark.parametrize("mixed", [True, False])
def test_a_curve_is_fitted_as_scipy_fits_it(fit, mixed):
    solver, data = fit
    if mixed:
        solver = LevenbergMarquardt([curved], jnp.array([1.0, 0.0, 0.0]), mixed=True)
    x, y = data[0].items

    def residual(p):
        return np.concatenate([p[0] * np.exp(p[1] * x) + p[2] * x - y, 0.1 * p[1] * p[2] * x])

    expected = scipy.optimize.least_squares(residual, [1.0, 0.0, 0.0], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    states = iterate(solver, data, 25)
    np.testing.assert_allclose(states[-1].parameters, expected.x, rtol=1e-6)
    assert solver.loss(states[-1].parameters, data) == pytest.approx(expected.cost, rel=1e-12)


def test_the_loss_never_rises_on_the_same_rows(fit):
    """Also from a damping at which the first steps overshoot."""
    solver, data = fit
    states = iterate(solver, data, 20, damping=1e-12)
    losses = [solver.loss(state.parameters, data) for state in states]
    assert all(after <= before for before, after in itertools.pairwise(losses))
    assert losses[-1] < 1e-2 * losses[0]
    assert [state.iteration for state in states] == list(range(21))
    for before, after in itertools.pairwise(states):
        moved = not np.array_equal(before.parameters, after.parameters)
        assert after.stalled == (0 if moved else before.stalled + 1)
        assert moved or after.damping > before.damping or after.damping == 1e8


def test_steps_into_the_undefined_are_rejected(x64):
    """√θ is not a number for θ < 0, where an undamped step from 1 lands."""

    def root(model, item):
        return (jnp.sqrt(model[0]) + item)[None]

    solver = LevenbergMarquardt([root], jnp.ones(1), mixed=False)
    data = [Rows(np.full(3, 4.0), np.ones(3))]
    states = iterate(solver, data, 12, damping=1e-8)
    assert np.array_equal(states[1].parameters, np.ones(1)), "θ = 1 + 2 (-5)"
    assert states[1].damping > states[0].damping
    losses = [solver.loss(state.parameters, data) for state in states]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < losses[0]
    assert solver.loss(jnp.array([-1.0]), data) == math.inf


# --- dtypes and models


def test_the_dtype_is_that_of_the_model(precision):
    network = MLP(2, 1, 4, 1, activation="tanh", key=jax.random.key(0))

    def rows(model, x):
        return model(x) - jnp.sin(3 * x[:1])

    points = np.random.default_rng(4).uniform(-1, 1, (50, 2)).astype(precision)
    solver = LevenbergMarquardt([rows], network)
    states = iterate(solver, [Rows(points, np.ones(50, precision))], 4)
    assert all(state.parameters.dtype == precision for state in states)
    assert solver.size == 17
    model = solver.model(states[-1])
    assert type(model) is MLP
    assert {leaf.dtype for leaf in jax.tree.leaves(model)} == {precision}
    assert states[-1].loss < 0.5 * states[1].loss
    np.testing.assert_array_equal(ravel_pytree(network)[0], states[0].parameters)


def test_what_is_no_parameter_stays(x64):
    model = {"trained": jnp.array([2.0]), "table": np.array([3.0]), "name": "cubic", "count": jnp.array(4)}

    def rows(model, x):
        assert model["name"] == "cubic"
        return model["trained"] * jnp.asarray(model["table"]) - x[None]

    solver = LevenbergMarquardt([rows], model, mixed=False)
    assert solver.size == 1
    *_, last = iterate(solver, [Rows(np.array([12.0]), np.ones(1))], 15)
    after = solver.model(last)
    np.testing.assert_allclose(after["trained"], [4.0], rtol=1e-9)
    assert np.array_equal(after["table"], [3.0])
    assert (after["name"], after["count"]) == ("cubic", 4)


def test_a_model_without_parameters_is_refused():
    with pytest.raises(ValueError, match="no trained numbers"):
        LevenbergMarquardt([linear], {"table": np.ones(3), "count": 4})
