"""Marching a linear system M dc/dt + A c = b(t) in time, with steps chosen from an estimate of the error."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..train import ConjugateGradient
from ._held_inverse import HeldInverse

# A stiffly accurate, L-stable, singly diagonally implicit method of order 4 with an embedded one of order 3:
# E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, table IV.6.5.
GAMMA = 1 / 4
NODES = (1 / 4, 3 / 4, 11 / 20, 1 / 2, 1.0)
STAGES = (
    (),
    (1 / 2,),
    (17 / 50, -1 / 25),
    (371 / 1360, -137 / 2720, 15 / 544),
    (25 / 24, -49 / 48, 125 / 16, -85 / 12),
)
_EMBEDDED = (59 / 48, -17 / 96, 225 / 32, -85 / 12, 0.0)
ERROR = tuple(a - b for a, b in zip((*STAGES[4], GAMMA), _EMBEDDED, strict=True))

_FIRST = 1e-3  # of the whole time: the first step that is tried
_LEAST = 1e-12  # of the whole time: a shorter step is none
_SAFETY, _SHORTER, _LONGER = 0.9, 0.2, 4.0
_INNER = 0.02  # share of the tolerance of a step that the linear solver may spend in a stage
_ALIKE = 1.5  # ratio of two steps up to which one inverse serves both
_CHUNK, _MOST_ITERATIONS = 5, 5000  # of conjugate gradients
_FLOOR = 0.1  # of the span of the given temperatures: the least size that errors are relative to


@dataclass
class Trajectory:
    """What a march leaves behind: c and dc/dt at each time."""

    times: list[float] = field(default_factory=list)
    values: list[Float[np.ndarray, " d"]] = field(default_factory=list)
    rates: list[Float[np.ndarray, " d"]] = field(default_factory=list)
    rejected: int = 0
    iterations: int = 0

    def add(self, time: float, value: np.ndarray, rate: np.ndarray) -> None:
        """Appends a moment."""
        self.times.append(time)
        self.values.append(value)
        self.rates.append(rate)

    def at(self, time: float) -> Float[np.ndarray, " d"]:
        """Returns c at a time: cubic between two moments, with their values and rates (Hermite)."""
        i = int(np.clip(np.searchsorted(self.times, time) - 1, 0, len(self.times) - 2))
        step = self.times[i + 1] - self.times[i]
        a, b, c, d = hermite((time - self.times[i]) / step)
        along = step * (c * self.rates[i] + d * self.rates[i + 1])
        return a * self.values[i] + b * self.values[i + 1] + along

    def integral(self) -> Float[np.ndarray, " d"]:
        """Returns ∫ c dt."""
        total = np.zeros_like(self.values[0])
        for i, step in enumerate(np.diff(self.times)):
            total += 0.5 * step * (self.values[i] + self.values[i + 1])
            total += step**2 / 12 * (self.rates[i] - self.rates[i + 1])
        return total


def hermite(s: Any) -> tuple[Any, Any, Any, Any]:
    """The cubic weights of the values at 0 and 1 and of the slopes there."""
    return (1 + 2 * s) * (1 - s) ** 2, s * s * (3 - 2 * s), s * (1 - s) ** 2, s * s * (s - 1)


class March:
    """Solves M dc/dt + A c = b(t).

    In each stage M + γ Δt A is inverted by conjugate gradients. The difference from the embedded method estimates the
    error of a step.

    Args:
        mass: M, symmetric positive definite.
        stiffness: A, symmetric positive semi-definite.
        load: b of the time.
        one: The coefficients of the field 1.
        tolerance: The error of a step that is allowed, root of the mean square over the part, relative to how far the
            field has been from the mean it began with.
        floor: The size that stands for a smaller one there.
        held: Which coefficients a contact of great stiffness holds; their block is factorised. None: no one.

    References:
        E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, sections IV.6, IV.8.
    """

    def __init__(
        self,
        mass: sparse.csr_array,
        stiffness: sparse.csr_array,
        load: Callable[[float], Float[np.ndarray, " d"]],
        one: Float[np.ndarray, " d"],
        tolerance: float,
        floor: float,
        held: Int[np.ndarray, " k"] | None = None,
    ):
        self.mass, self.stiffness, self.load, self.tolerance = mass, stiffness, load, tolerance
        self.one, self.volume, self.size = one, float(one @ (mass @ one)), _FLOOR * floor
        self.found = Trajectory()
        self.held = np.zeros(0, np.int64) if held is None else held
        self.inverse: HeldInverse | None = None
        self.inverse_step: float | None = None
        self.step = 0.0

    def go_on(self, found: Trajectory, step: float, inverse_step: float | None) -> None:
        """Puts the march where another one stood.

        Args:
            found: Its moments.
            step: The step that it would have tried next.
            inverse_step: The step of the approximate inverse that it used; None if it had none.
        """
        self.found, self.step = found, step
        if inverse_step is not None:
            self._factorise(
                sparse.csr_array(self.mass + (GAMMA * inverse_step) * self.stiffness), inverse_step
            )

    def run(
        self,
        start: Float[np.ndarray, " d"],
        begin: float,
        end: float,
        report: Callable[[float], bool] = lambda time: False,
    ) -> bool:
        """Marches from `begin`, or from where `go_on` has put it, to `end`; `report` is told each new time and may stop
        it. False: stopped before.
        """
        if not self.found.times:
            self.found.add(begin, start, np.zeros_like(start))
            self.step = _FIRST * (end - begin)
        level = float(self.one @ (self.mass @ self.found.values[0])) / self.volume
        self.mean = level * self.one
        self.size = max(self.size, *(self._norm(value - self.mean) for value in self.found.values), 1e-300)
        time, value, rate = self.found.times[-1], self.found.values[-1], self.found.rates[-1]
        step, first = self.step, len(self.found.times) == 1
        while time < end:
            step = min(step, end - time)
            if end - time - step < 0.1 * step:
                step = end - time
            after, after_rate, error = self._step(time, value, rate, step)
            if not error <= 1:
                self.found.rejected += 1
                step *= max(_SHORTER, _SAFETY * error**-0.25) if np.isfinite(error) else _SHORTER
                if step < _LEAST * (end - begin):
                    raise FloatingPointError("the steps in time get too short")
                continue
            if first:  # b may not fit the field at the first moment: no rate, a quadratic instead
                self.found.rates[0] = 2 * (after - value) / step - after_rate
            time, value, rate, first = time + step, after, after_rate, False
            if end - time < _LEAST * (end - begin):
                time = end
            self.size = max(self.size, self._norm(value - self.mean))
            self.found.add(time, value, rate)
            step *= min(_LONGER, _SAFETY * max(error, 1e-12) ** -0.25)
            self.step = step
            if report(time) and time < end:
                return False
        return True

    def _norm(self, value: Float[np.ndarray, " d"]) -> float:
        return float(np.sqrt(max(value @ (self.mass @ value), 0.0) / self.volume))

    def _step(
        self, time: float, value: np.ndarray, rate: np.ndarray, step: float
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """The field and its rate a step later, and the error in tolerances."""
        matrix = sparse.csr_array(self.mass + (GAMMA * step) * self.stiffness)
        small = _INNER * self.tolerance * self.size * np.sqrt(self.volume)
        gains: list[np.ndarray] = []
        pulls: list[np.ndarray] = []
        self._factorise(matrix, step)
        held, guess = self.stiffness @ value, step * rate
        for node, weights in zip(NODES, STAGES, strict=True):
            pull = held + sum((a * p for a, p in zip(weights, pulls, strict=True)), np.zeros_like(held))
            right = step * (self.load(time + node * step) - pull)
            guess = self._solved(matrix, right, guess, small)
            gains.append(guess)
            pulls.append(self.stiffness @ guess)
        after = value + sum(a * g for a, g in zip((*STAGES[4], GAMMA), gains, strict=True))
        # Not smoothed by the inverse of the stages: what follows the surroundings at once would go unseen.
        wrong = sum((e * g for e, g in zip(ERROR, gains, strict=True)), np.zeros_like(value))
        return after, gains[-1] / step, self._norm(wrong) / (self.tolerance * self.size)

    def _factorise(self, matrix: sparse.csr_array, step: float) -> None:
        """Renews the inverse where the step has changed much."""
        if not len(self.held):
            return
        if self.inverse_step is None or not 1 / _ALIKE < step / self.inverse_step < _ALIKE:
            self.inverse, self.inverse_step = HeldInverse(matrix, self.held), step

    def _solved(
        self, matrix: sparse.csr_array, right: np.ndarray, guess: np.ndarray, small: float
    ) -> np.ndarray:
        answer, iterations = solved(matrix, right, guess, small, self.inverse)
        self.found.iterations += iterations
        return answer


def solved(
    matrix: sparse.csr_array,
    right: Float[np.ndarray, " d"],
    guess: Float[np.ndarray, " d"],
    small: float,
    inverse: HeldInverse | None = None,
) -> tuple[Float[np.ndarray, " d"], int]:
    """Solves a positive definite system B x = b by conjugate gradients; returns x and the steps that it took.

    It stops when a few steps have changed x by less than `small` in the norm √(xᵀ B x): as the steps are orthogonal in
    it, that is by how much the error has fallen.

    References:
        Z. Strakoš, P. Tichý, Electron. Trans. Numer. Anal. 13 (2002) 56.
    """
    solver = ConjugateGradient(matrix, right, inverse)
    state = solver.start(guess)
    while state.iteration < _MOST_ITERATIONS:
        before, state = state, solver.advance(state, _CHUNK)
        change = (state.x - before.x) @ (before.residual - state.residual)
        if not change > small**2:
            break
    return state.x, state.iteration
