"""BFGS from a Gauss–Newton matrix."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

from geoembed.train import LevenbergMarquardt, QuasiNewton, Rows
from geoembed.train._quasi_newton import _updated

TRUTH = np.array([2.0, -1.0, 0.5])
PLACES = np.linspace(0, 2, 40)


def rows(model, x):
    return jnp.atleast_1d(model[0] * jnp.exp(model[1] * x) + model[2] * jnp.sin(3 * x) - _truth(x, jnp))


def _truth(x, xp):
    return TRUTH[0] * xp.exp(TRUTH[1] * x) + TRUTH[2] * xp.sin(3 * x) + 0.1 * xp.cos(9 * x)


def residuals(theta):
    wave = theta[0] * np.exp(theta[1] * PLACES) + theta[2] * np.sin(3 * PLACES)
    return (wave - _truth(PLACES, np)) / 2


def slopes(theta):
    decay = np.exp(theta[1] * PLACES)
    return np.stack([decay, theta[0] * PLACES * decay, np.sin(3 * PLACES)], axis=1) / 2


@pytest.fixture(scope="module")
def fit():
    """A solver of 40 rows in pieces of 16, each weighted by one half, and the batch."""
    with jax.enable_x64(True):
        solver = LevenbergMarquardt([rows], jnp.array([1.0, 0.0, 0.0]), mixed=False, chunk=16)
        yield solver, [Rows(PLACES, np.full(40, 0.5))]


def test_loss_gradient_and_inverse_against_numpy(fit):
    solver, batches = fit
    theta = np.array([1.5, -0.3, 0.2])
    loss, gradient = solver.residuals.loss_and_gradient(jnp.asarray(theta), batches)
    r, jacobian = residuals(theta), slopes(theta)
    assert loss == pytest.approx(0.5 * r @ r, rel=1e-12)
    np.testing.assert_allclose(gradient, jacobian.T @ r, rtol=1e-11)
    matrix = jacobian.T @ jacobian
    expected = np.linalg.inv(matrix + 1e-3 * np.diag(np.diag(matrix)))
    np.testing.assert_allclose(
        solver.residuals.inverse(jnp.asarray(theta), batches, 1e-3), expected, rtol=1e-9
    )
    lengths = np.sqrt(np.mean(np.sum(jacobian**2, axis=1)))
    assert solver.residuals.row_size(jnp.asarray(theta), batches[0]) == pytest.approx(lengths, rel=1e-12)


def test_it_finds_what_scipy_finds_and_never_climbs(fit):
    solver, batches = fit
    newton = QuasiNewton(solver)
    state = newton.start(solver.step(solver.start(), batches), batches)
    losses = [state.loss]
    for _ in range(40):
        state = newton.step(state, batches)
        losses.append(state.loss)
    expected = optimize.least_squares(residuals, [1.0, 0.0, 0.0], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    np.testing.assert_allclose(state.parameters, expected.x, atol=1e-7)
    assert state.loss == pytest.approx(expected.cost, rel=1e-12)
    assert all(later <= before for before, later in itertools.pairwise(losses))
    assert state.iteration == 41


def test_an_update_satisfies_the_secant_equation_and_stays_symmetric():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(5, 5))
    with jax.enable_x64(True):
        inverse, move = jnp.asarray(root @ root.T), jnp.asarray(rng.normal(size=5))
        bend = 0.3 * move + 0.1 * jnp.asarray(rng.normal(size=5))
        assert float(move @ bend) > 0
        found = np.asarray(_updated(inverse, move, bend))
        np.testing.assert_allclose(found @ np.asarray(bend), move, rtol=1e-12)
        np.testing.assert_allclose(found, found.T, atol=1e-12)
        assert np.linalg.eigvalsh(found).min() > 0
        np.testing.assert_array_equal(_updated(inverse, move, -bend), inverse)


def test_rows_that_change_are_evaluated_anew(fit):
    solver, batches = fit
    newton = QuasiNewton(solver)
    state = newton.step(newton.start(solver.step(solver.start(), batches), batches), batches)
    fewer = [Rows(PLACES[:20], np.full(20, 0.5))]
    fresh = QuasiNewton(solver)
    one, other = newton.step(state, fewer), fresh.step(state, fewer)
    np.testing.assert_array_equal(one.parameters, other.parameters)
    assert one.loss < solver.loss(jnp.asarray(state.parameters), fewer)


def test_where_no_step_helps_the_matrix_is_made_anew(fit):
    solver, batches = fit
    newton = QuasiNewton(solver)
    state = newton.start(solver.step(solver.start(), batches), batches)
    wrong = type(state)(state.parameters, -np.asarray(state.inverse), state.loss, state.iteration)
    after = newton.step(wrong, batches)
    assert (after.stalled, after.iteration) == (1, state.iteration + 1)
    np.testing.assert_array_equal(after.parameters, state.parameters)
    assert np.linalg.eigvalsh(np.asarray(after.inverse)).min() > 0
    assert newton.step(after, batches).loss < after.loss
