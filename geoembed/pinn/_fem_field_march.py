"""Time steps for the finite-element judge: a singly diagonally implicit Runge–Kutta method of order 4."""

import numpy as np
from jaxtyping import Float
from scipy.sparse.linalg import splu

from ._fem_field_form import NoReference
from ._fem_field_system import System

Vector = Float[np.ndarray, " n"]

# L-stable and stiffly accurate, with an error of order 3: Hairer and Wanner, Solving Ordinary Differential
# Equations II, 2nd ed., Springer 1996, table IV.6.5.
_GAMMA = 0.25
_TIMES = (1 / 4, 3 / 4, 11 / 20, 1 / 2, 1.0)
_STAGES = (
    (),
    (1 / 2,),
    (17 / 50, -1 / 25),
    (371 / 1360, -137 / 2720, 15 / 544),
    (25 / 24, -49 / 48, 125 / 16, -85 / 12),
)
_ERROR = (25 / 24 - 59 / 48, -49 / 48 + 17 / 96, 125 / 16 - 225 / 32, 0.0, 1 / 4)

_ITERATIONS = 8
_SETTLED = 0.02  # of the tolerance: the last change of a stage
_SLOW = 0.3  # a larger ratio of two changes asks for new derivatives
_LEAST = 1e-15  # of the time: no shorter step
_MOST_STEPS = 20_000


class March:
    """A solution in time with steps chosen by their error.

    Args:
        system: The equations.
        tolerance: Largest error of one step, relative to the field.
        longest: Longest step.
    """

    def __init__(self, system: System, tolerance: float, longest: float):
        self.system, self.tolerance, self.longest = system, tolerance, longest
        self.steps = 0
        self._factor, self._mass, self._for = None, None, 0.0

    def run(self, begin: float, moments: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k n"]:
        """Returns the field at moments in rising order.

        Raises:
            NoReference: The steps get too short or too many.
        """
        time, field, found = begin, self.system.start(begin), []
        whole = float(moments[-1] - begin)
        step = 1e-4 * whole
        for moment in moments:
            while time < moment:
                left = float(moment - time)
                parts = int(np.ceil(left / min(step, self.longest) * (1 - 1e-9)))
                now = left / max(parts, 1)
                after, error = self._step(time, field, now)
                if after is None or error > 1:
                    step = now * (0.25 if after is None else max(0.2, 0.85 * error**-0.25))
                    if step < _LEAST * whole:
                        raise NoReference("the time steps of the finite elements get too short")
                    continue
                time, field = (float(moment) if parts <= 1 else time + now), after
                self.steps += 1
                if self.steps > _MOST_STEPS:
                    raise NoReference("the finite elements need too many time steps")
                grow = min(3.0, 0.85 * max(error, 1e-6) ** -0.25)
                if grow < 1 or grow > 1.2:
                    step = max(now * grow, step if grow > 1 else 0.0)
            found.append(field)
        return np.array(found)

    def _step(self, time: float, field: Vector, step: float) -> tuple[Vector | None, float]:
        """One step and its error in tolerances; None if a stage does not settle."""
        scale = max(float(np.sqrt(np.mean(field**2))), 1e-3 * float(np.abs(field).max()), 1e-300)
        if abs(self._for - step) > 1e-9 * step:
            self._factor = None
        rates: list[Vector] = []
        stage = field
        for share, weights in zip(_TIMES, _STAGES, strict=True):
            base = field + step * sum(
                (w * k for w, k in zip(weights, rates, strict=True)), np.zeros(len(field))
            )
            solved = self._stage(time + share * step, base, stage, step, scale)
            if solved is None:
                return None, np.inf
            stage = solved
            rates.append((stage - base) / (_GAMMA * step))
        wrong = step * sum((e * k for e, k in zip(_ERROR, rates, strict=True)), np.zeros(len(field)))
        assert self._factor is not None  # a stage has been solved
        assert self._mass is not None
        smooth = self._factor.solve(self._mass @ wrong / (_GAMMA * step))
        return stage, float(np.sqrt(np.mean(smooth**2))) / (self.tolerance * scale)

    def _stage(self, time: float, base: Vector, guess: Vector, step: float, scale: float) -> Vector | None:
        """Solves one stage by Newton's method; old derivatives serve as long as they help."""
        inverse, field, before = 1 / (_GAMMA * step), guess, np.inf
        fresh = False
        for _ in range(_ITERATIONS):
            rate = (field - base) * inverse
            if self._factor is None:
                slopes, self._for, fresh = self.system.slopes(time, field, rate), step, True
                self._factor, self._mass = (
                    splu((slopes.mass * inverse + slopes.stiffness).tocsc()),
                    slopes.mass,
                )
            change = self._factor.solve(self.system.rest(time, field, rate))
            size = float(np.sqrt(np.mean(change**2))) / scale
            if not np.isfinite(size):
                return None
            field = field - change
            if size <= _SETTLED * self.tolerance:
                return field
            if size > _SLOW * before:
                if fresh and size > before:
                    return None
                self._factor, fresh = None, False
            before = size
        return None
