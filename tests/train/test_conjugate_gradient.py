"""Conjugate gradients against numpy's direct solution."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg

from geoembed.train import CGState, ConjugateGradient

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def system():
    rows = RNG.normal(size=(80, 40)) * RNG.uniform(0.01, 100, 40)[None]  # a diagonal over eight decades
    matrix = rows.T @ rows
    return sparse.csr_array(matrix), RNG.normal(size=40)


def test_it_finds_the_solution(system):
    matrix, rhs = system
    solver = ConjugateGradient(matrix, rhs)
    state = solver.advance(solver.start(np.zeros(40)), 120)
    np.testing.assert_allclose(state.x, np.linalg.solve(matrix.toarray(), rhs), rtol=1e-6, atol=1e-12)
    assert solver.relative_residual(state) < 1e-8
    np.testing.assert_allclose(state.residual, rhs - matrix @ state.x, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 5, 12])
def test_its_iterates_are_those_of_scipy(system, steps):
    matrix, rhs = system
    inverse = sparse.diags_array(1 / matrix.diagonal())
    expected, _ = linalg.cg(matrix, rhs, rtol=0.0, maxiter=steps, M=inverse)
    solver = ConjugateGradient(matrix, rhs)
    np.testing.assert_allclose(solver.advance(solver.start(np.zeros(40)), steps).x, expected, rtol=1e-6)


def test_the_energy_falls_with_every_step(system):
    matrix, rhs = system
    solver = ConjugateGradient(matrix, rhs)
    state, energies = solver.start(RNG.normal(size=40)), []
    for _ in range(40):
        state = solver.advance(state, 1)
        energies.append(0.5 * state.x @ (matrix @ state.x) - rhs @ state.x)
    assert np.all(np.diff(energies) <= 1e-12 * abs(energies[-1]))
    assert state.iteration == 40


def test_saved_steps_equal_uninterrupted_ones_bit_by_bit(system):
    solver = ConjugateGradient(*system)
    whole = solver.advance(solver.start(np.zeros(40)), 30)
    half = solver.advance(solver.start(np.zeros(40)), 13)
    copy = CGState(
        **{
            name: np.copy(value) if isinstance(value, np.ndarray) else value
            for name, value in vars(half).items()
        }
    )
    resumed = ConjugateGradient(*system).advance(copy, 17)
    for name, value in vars(whole).items():
        assert np.array_equal(value, getattr(resumed, name)), name


def test_states_are_not_changed_by_later_steps(system):
    solver = ConjugateGradient(*system)
    state = solver.start(np.zeros(40))
    before = state.residual.copy()
    solver.advance(state, 5)
    assert np.array_equal(state.x, np.zeros(40))
    assert np.array_equal(state.residual, before)


def test_the_solution_as_first_guess_needs_no_step():
    matrix = sparse.csr_array(np.diag([1.0, 2.0, 4.0]))
    solver = ConjugateGradient(matrix, np.array([1.0, 2.0, 4.0]))
    state = solver.advance(solver.start(np.ones(3)), 10)
    assert state.iteration == 0
    assert np.array_equal(state.x, np.ones(3))
    assert solver.relative_residual(state) == 0


def test_no_load_gives_zero():
    solver = ConjugateGradient(sparse.csr_array(np.eye(3)), np.zeros(3))
    state = solver.advance(solver.start(np.zeros(3)), 10)
    assert np.array_equal(state.x, np.zeros(3))
    assert solver.relative_residual(state) == 0


def test_a_singular_matrix_with_a_load_in_its_range():
    """Feature 2 has no diagonal, and 0 and 1 are known by their difference only."""
    matrix = sparse.csr_array(np.array([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    solver = ConjugateGradient(matrix, np.array([1.0, -1.0, 0.0]))
    state = solver.advance(solver.start(np.zeros(3)), 10)
    np.testing.assert_allclose(matrix @ state.x, [1.0, -1.0, 0.0], atol=1e-14)
    assert np.isfinite(state.x).all()
