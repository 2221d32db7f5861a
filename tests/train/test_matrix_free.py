"""Steps without a Jacobian against numpy, and the approximation that they are preconditioned by."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import MLP
from geoembed.pinn import Dirichlet, Interval, Poisson, Problem, Training, solve
from geoembed.train import LevenbergMarquardt, LMState, Rows, _least_squares
from geoembed.train._least_squares import fits_dense
from geoembed.train._matrix_free import MatrixFree
from geoembed.train._nystrom import nystrom, solved

COUNT, SIZE = 240, 40
SIGNS = np.sign(
    np.random.default_rng(0).normal(size=(COUNT, SIZE))
)  # columns of one length in every choice of rows
SIGNS[:, SIZE // 2 :] = (
    SIGNS[:, : SIZE // 2] * np.where(np.arange(COUNT) < 12, -1.0, 1.0)[:, None]
)  # nearly parallel
TARGET = np.random.default_rng(1).normal(size=COUNT)


def linear(model, item):
    row, target = item
    return (jnp.dot(row, model) - target)[None]


def pair(model, item):
    return jnp.concatenate([linear(model, (item[0][0], item[1][0])), linear(model, (item[0][1], item[1][1]))])


def batches(dtype: Any = np.float64):
    """All rows in two blocks: 100 items of one row and 70 of two."""
    rows, target = SIGNS.astype(dtype), TARGET.astype(dtype)
    halves = Rows((rows[100:].reshape(70, 2, SIZE), target[100:].reshape(70, 2)), np.ones(70, dtype))
    return [Rows((rows[:100], target[:100]), np.ones(100, dtype)), halves]


@pytest.fixture(scope="module")
def data():
    return batches()


@pytest.fixture(scope="module")
def solver():
    """The rows θ·s − y, with a sketch of a quarter of the rows and a preconditioner of few vectors."""
    with jax.enable_x64(True):
        found = LevenbergMarquardt(
            [linear, pair], jnp.zeros(SIZE), mixed=False, chunk=64, method="matrix-free"
        )
        found._free = MatrixFree(found.residuals, rows=60, rank=10, iterations=100, accuracy=1e-10)
        yield found


# --- the approximation


def spectrum(values, dtype=np.float64):
    """Rows B with BᵀB of these eigenvalues, and the eigenvectors."""
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    other = np.linalg.qr(rng.normal(size=(50, 30)))[0]
    return (other * np.sqrt(values)) @ turn.T, rng.normal(size=(12, 30)).astype(dtype)


def test_a_matrix_of_low_rank_is_found_exactly():
    values = np.where(np.arange(30) < 8, 10.0 ** -np.arange(30), 0.0)
    rows, probes = spectrum(values)
    with jax.enable_x64(True):
        near = nystrom(jnp.asarray(rows), jnp.asarray(probes))
        matrix, damping = rows.T @ rows, 1e-5
        side = np.random.default_rng(3).normal(size=30)
        got = solved(near, jnp.array([damping]), jnp.asarray(side)[None])[0]
    np.testing.assert_allclose(near.values[-8:][::-1], values[:8], rtol=1e-6)
    vectors = np.asarray(near.vectors[-8:])
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(8), atol=1e-7)
    np.testing.assert_allclose(got, np.linalg.solve(matrix + damping * np.eye(30), side), rtol=1e-6)


def test_the_approximation_never_exceeds_the_matrix_and_is_near_it(precision):
    """A − Â is positive semi-definite, and not much larger than what no approximation of that rank has."""
    rows, probes = spectrum(2.0 ** -np.arange(30), precision)
    near = nystrom(jnp.asarray(rows.astype(precision)), jnp.asarray(probes))
    assert near.vectors.dtype == precision
    vectors, values = np.asarray(near.vectors, float), np.asarray(near.values, float)
    left = np.linalg.eigvalsh(rows.T @ rows - (vectors.T * values) @ vectors)
    assert left[0] > -50 * np.finfo(precision).eps
    assert 2.0**-13 < left[-1] < 2.0**-8, "the thirteenth eigenvalue is 2⁻¹²"


# --- a step


def exact(damping, theta):
    matrix = SIGNS.T @ SIGNS
    slope = SIGNS.T @ (SIGNS @ theta - TARGET)
    return theta - np.linalg.solve(matrix + damping * np.diag(np.diag(matrix)), slope)


def test_a_step_solves_the_damped_normal_equations(solver, data):
    """Whatever rows the sketch takes, conjugate gradients end at the solution of the whole system."""
    theta = np.random.default_rng(4).normal(size=SIZE)
    here = solver.residuals.evaluated(jnp.asarray(theta), solver.residuals.cut(data))
    for number in (0, 1):
        steps = solver._free.directions(here, [1e-4, 1e-2, 3.0], False, number)
        for step, damping in zip(steps, (1e-4, 1e-2, 3.0), strict=True):
            np.testing.assert_allclose(theta + step, exact(damping, theta), rtol=1e-7, atol=1e-8)


def test_the_best_of_three_is_taken(solver, data):
    """The problem is linear, so that is the least damped."""
    state = solver.step(LMState(jnp.zeros(SIZE), 0.1), data)
    assert state.damping == pytest.approx(0.01)
    assert state.loss == pytest.approx(0.5 * np.sum(TARGET**2))
    np.testing.assert_allclose(state.parameters, exact(0.01, np.zeros(SIZE)), rtol=1e-7, atol=1e-8)


def test_steps_repeat_bit_by_bit(solver, data):
    state = LMState(jnp.full(SIZE, 0.1), 1.0, iteration=5)
    one, two = (solver.step(state, data) for _ in range(2))
    assert np.array_equal(one.parameters, two.parameters)
    later = solver.step(LMState(state.parameters, 1.0, iteration=6), data)
    assert not np.array_equal(one.parameters, later.parameters), "another choice of rows, another rounding"


@pytest.mark.slow
def test_single_precision():
    """All rows are in the sketch: the preconditioner is the whole matrix, and one product is enough."""
    solver = LevenbergMarquardt([linear, pair], jnp.zeros(SIZE, jnp.float32), method="matrix-free")
    state = solver.step(LMState(solver.start().parameters, 0.1), batches(np.float32))
    assert state.parameters.dtype == np.float32
    assert state.damping == pytest.approx(0.01)
    np.testing.assert_allclose(state.parameters, exact(0.01, np.zeros(SIZE)), rtol=2e-3, atol=1e-3)


def test_large_problems_get_no_matrix():
    assert fits_dense(1000, 4000)
    assert fits_dense(20_000, 500)
    assert fits_dense(400, 100_000)
    assert not fits_dense(20_000, 4000)
    assert not fits_dense(5000, 8000)


@pytest.mark.slow
def test_a_field_is_found_without_a_matrix(monkeypatch):
    """−u″ = π² sin πx, as if the network were too large for a matrix."""
    monkeypatch.setattr(_least_squares, "_DENSE", 0.0)
    problem = Problem(
        Interval(0.0, 1.0), Poisson(lambda x: np.pi**2 * jnp.sin(np.pi * x[0])), [Dirichlet("all")]
    )
    network = MLP(1, 1, 6, 1, activation="tanh", key=jax.random.key(1))
    training = Training(points=64, steps=40)
    result = solve(problem, key=jax.random.key(0), tolerance=0.0, network=network, training=training)
    points = np.linspace(0.0, 1.0, 100)[:, None]
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(jax.vmap(result.value))(jnp.asarray(points)))
    np.testing.assert_allclose(found, np.sin(np.pi * points[:, 0]), atol=1e-3)
