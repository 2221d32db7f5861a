"""Steps without a Jacobian against numpy, and the approximation that they are preconditioned by."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import MLP
from geoembed.train import LevenbergMarquardt, LMState, Rows
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


def batch(part=slice(None)):
    return Rows((SIGNS[part], TARGET[part]), np.ones(COUNT)[part])


@pytest.fixture(scope="module")
def solver():
    """The rows θ·s − y, with a sketch of a quarter of the rows and a preconditioner of few vectors."""
    with jax.enable_x64(True):
        found = LevenbergMarquardt([linear], jnp.zeros(SIZE), mixed=False, chunk=64, method="matrix-free")
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


def exact(damping, theta, rows=slice(None)):
    matrix = SIGNS[rows].T @ SIGNS[rows]
    slope = SIGNS[rows].T @ (SIGNS[rows] @ theta - TARGET[rows])
    return theta - np.linalg.solve(matrix + damping * np.diag(np.diag(matrix)), slope)


def test_a_step_solves_the_damped_normal_equations(solver):
    """Whatever rows the sketch takes, conjugate gradients end at the solution of the whole system."""
    theta = np.random.default_rng(4).normal(size=SIZE)
    here = solver.residuals.evaluated(jnp.asarray(theta), solver.residuals.cut([batch()]))
    for number in (0, 1):
        steps = solver._free.directions(here, [1e-4, 1e-2, 3.0], False, number)
        for step, damping in zip(steps, (1e-4, 1e-2, 3.0), strict=True):
            np.testing.assert_allclose(theta + step, exact(damping, theta), rtol=1e-7, atol=1e-8)


def test_the_best_of_three_is_taken(solver):
    """The problem is linear, so that is the least damped."""
    state = solver.step(LMState(jnp.zeros(SIZE), 0.1), [batch()])
    assert state.damping == pytest.approx(0.01)
    assert state.loss == pytest.approx(0.5 * np.sum(TARGET**2))
    np.testing.assert_allclose(state.parameters, exact(0.01, np.zeros(SIZE)), rtol=1e-7, atol=1e-8)


def test_steps_repeat_bit_by_bit(solver):
    state = LMState(jnp.full(SIZE, 0.1), 1e-3, iteration=5)
    one, two = (solver.step(state, [batch()]) for _ in range(2))
    assert np.array_equal(one.parameters, two.parameters)
    later = solver.step(LMState(state.parameters, 1e-3, iteration=6), [batch()])
    assert not np.array_equal(one.parameters, later.parameters), "another choice of rows, another rounding"


def test_several_blocks_are_one_problem():
    """One block of all rows; and two blocks, the second with two rows an item."""

    def pair(model, item):
        return jnp.concatenate(
            [linear(model, (item[0][0], item[1][0])), linear(model, (item[0][1], item[1][1]))]
        )

    halves = Rows((SIGNS[100:].reshape(70, 2, SIZE), TARGET[100:].reshape(70, 2)), np.ones(70))
    with jax.enable_x64(True):
        split = LevenbergMarquardt([linear, pair], jnp.zeros(SIZE), mixed=False, method="matrix-free")
        state = split.step(LMState(jnp.zeros(SIZE), 0.1), [batch(slice(0, 100)), halves])
    moved = exact(0.01, np.zeros(SIZE))
    np.testing.assert_allclose(state.parameters, moved, rtol=1e-6, atol=1e-8)


def test_single_precision():
    """All rows are in the sketch and it has full rank: the step is that of the matrix, to the rounding."""
    network = MLP(2, 1, 4, 1, activation="tanh", key=jax.random.key(0))

    def rows(model, x):
        return model(x) - jnp.sin(3 * x[:1])

    points = np.random.default_rng(4).uniform(-1, 1, (50, 2)).astype(np.float32)
    data = [Rows(points, np.ones(50, np.float32))]
    free, dense = (
        LevenbergMarquardt([rows], network, mixed=False, method=method) for method in ("matrix-free", "dense")
    )
    start = LMState(free.start().parameters, 1.0)
    got, expected = free.step(start, data), dense.step(start, data)
    assert got.parameters.dtype == np.float32
    assert got.damping == expected.damping
    np.testing.assert_allclose(got.parameters, expected.parameters, rtol=2e-2, atol=2e-3)
    assert free.loss(jnp.asarray(got.parameters), data) < 0.7 * got.loss


def test_large_problems_get_no_matrix():
    assert fits_dense(1000, 4000)
    assert fits_dense(20_000, 500)
    assert fits_dense(400, 100_000)
    assert not fits_dense(20_000, 4000)
    assert not fits_dense(5000, 8000)
