"""Temperatures for many values of the numbers of a problem: a Galerkin model on the solutions found so far."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from scipy import linalg

from ..train import ConjugateGradient
from ._heat_terms import HeatTerms, Term, weighted_sum
from ._held_inverse import HeldInverse

_TOLERANCE = 1e-8  # of the residual of a solution, relative to the load
_CHUNK, _MOST_STEPS = 25, 4000
_NEW = 1e-9  # share of a vector outside the basis below which it adds nothing but rounding

Numbers = Mapping[str, float]


class ReducedHeat:
    """The energy of `HeatTerms` minimised over the span of a few fields: solutions and their derivatives.

    The temperature is a smooth function of conductivity and heat transfer coefficients, and the minimiser over the
    span is as close to it as the span allows. A few solutions make it as good as the grid; what a solution costs
    then is a system of a dozen equations.

    Args:
        terms: The energy.

    References:
        A. Quarteroni, A. Manzoni, F. Negri, Reduced Basis Methods for Partial Differential Equations (2016), ch. 3.
    """

    def __init__(self, terms: HeatTerms):
        self.terms = terms
        self.basis: Float[np.ndarray, "d m"] = np.zeros((terms.features.count, 0))
        self._matrices: list[Term] = []
        self._loads: list[Term] = []
        self.add([terms.features.constant])

    def add(self, fields: Sequence[Float[np.ndarray, " d"]]) -> None:
        """Adds fields to the span."""
        for field in fields:
            size = np.linalg.norm(field)
            for _ in range(2):  # once more takes off what rounding left
                field = field - self.basis @ (self.basis.T @ field)
            left = np.linalg.norm(field)
            if left > _NEW * size:
                self.basis = np.concatenate([self.basis, (field / left)[:, None]], axis=1)
        v = self.basis
        self._matrices = [Term(t.constant, t.factors, v.T @ (t.array @ v)) for t in self.terms.matrices]
        self._loads = [Term(t.constant, t.factors, v.T @ t.array) for t in self.terms.loads]

    def solve(
        self, numbers: Numbers, names: Sequence[str]
    ) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m p"]]:
        """Returns the minimiser over the span and its derivative in some numbers, exact within the span.

        A c = b gives A ∂c = ∂b − ∂A c.
        """
        zero = np.zeros(self.basis.shape[1])
        factor = linalg.cho_factor(weighted_sum(self._matrices, numbers))
        state = linalg.cho_solve(factor, weighted_sum(self._loads, numbers, empty=zero))
        change = [
            weighted_sum(self._loads, numbers, name, empty=zero)
            - weighted_sum(self._matrices, numbers, name, empty=np.diag(zero)) @ state
            for name in names
        ]
        return state, linalg.cho_solve(factor, np.stack(change, axis=1))

    def full(self, numbers: Numbers) -> tuple[Float[np.ndarray, " d"], "FullSolver"]:
        """Returns the minimiser over all features, and the solver for its derivatives."""
        solver = FullSolver(self, numbers)
        return solver.state, solver


class FullSolver:
    """The system of all features at some values, solved by conjugate gradients from what the span gives.

    Args:
        reduced: The span.
        numbers: The values.
    """

    def __init__(self, reduced: ReducedHeat, numbers: Numbers):
        self.reduced, self.numbers = reduced, numbers
        terms = reduced.terms
        self.matrix = weighted_sum(terms.matrices, numbers)
        self.inverse = HeldInverse(self.matrix, terms.held)
        self._zero = np.zeros(terms.features.count)
        load = weighted_sum(terms.loads, numbers, empty=self._zero)
        start, _ = reduced.solve(numbers, ["conductivity"])
        self.state, self.steps = self._solve(load, reduced.basis @ start)

    def derivatives(self, names: Sequence[str]) -> list[Float[np.ndarray, " d"]]:
        """Returns the derivatives of the minimiser in some numbers."""
        terms, guess = self.reduced.terms, self.reduced.solve(self.numbers, names)[1]
        found = []
        for name, start in zip(names, guess.T, strict=True):
            right = weighted_sum(terms.loads, self.numbers, name, empty=self._zero)
            for term in terms.matrices:
                coefficient = term.coefficient(self.numbers, name)
                if coefficient != 0.0:
                    right = right - coefficient * (term.array @ self.state)
            solution, steps = self._solve(right, self.reduced.basis @ start)
            self.steps += steps
            found.append(solution)
        return found

    def _solve(
        self, right: Float[np.ndarray, " d"], start: Float[np.ndarray, " d"]
    ) -> tuple[Float[np.ndarray, " d"], int]:
        solver = ConjugateGradient(self.matrix, right, self.inverse)
        state = solver.start(start)
        while solver.relative_residual(state) > _TOLERANCE and state.iteration < _MOST_STEPS:
            before = state.iteration
            state = solver.advance(state, _CHUNK)
            if state.iteration == before:
                break
        return state.x, state.iteration
