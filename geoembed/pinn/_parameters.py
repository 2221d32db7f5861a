"""The unknown numbers of a problem as coordinates of a search."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from ..core import InputError
from ._conditions import Condition, Convection, HeatFlux, Temperature
from ._equations._steady_heat import SteadyHeat
from ._heat_terms import heat_conditions, numbers_of
from ._problem import Problem
from ._radiation import Radiation


class Parameters:
    """Coordinates u of the unknown numbers v; u = 0 is the first guess.

    What must be positive (conductivity, h) is v = v₀ exp(u). Anything else is v = v₀ + scale · u, with the value that
    would make the temperatures differ by `span` as the scale.

    Args:
        problem: The problem; its values of the unknown numbers are the first guess.
        names: The unknown numbers, see `identify`.
        span: How much temperatures differ, K.
    """

    def __init__(self, problem: Problem, names: Sequence[str], span: float):
        self.problem, self.names = problem, tuple(names)
        numbers = numbers_of(problem)
        self.guess = np.array([numbers[name] for name in self.names])
        self.positive: Bool[np.ndarray, " p"] = np.array([is_positive(name) for name in self.names])
        self.scale = np.array([_scale(problem, name, span) for name in self.names])

    def values(self, u: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        """Returns the numbers, SI units."""
        return np.where(self.positive, self.guess * np.exp(u * self.positive), self.guess + self.scale * u)

    def slopes(self, u: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        """Returns dv/du."""
        return np.where(self.positive, self.values(u), self.scale)

    def coordinates(self, values: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        """Returns u of some numbers."""
        ratio = np.where(self.positive, values / np.where(self.positive, self.guess, 1.0), 1.0)
        return np.where(self.positive, np.log(ratio), (values - self.guess) / self.scale)

    def numbers(self, u: Float[np.ndarray, " p"]) -> dict[str, float]:
        """Returns all numbers of the problem for `HeatTerms`: temperatures are above the reference."""
        numbers = self._known | dict(zip(self.names, self.values(u).tolist(), strict=True))
        level = self.problem.scales.reference
        return {name: v - level if _is_temperature(name) else v for name, v in numbers.items()}

    @cached_property
    def _known(self) -> dict[str, float]:
        return numbers_of(self.problem)

    def applied(self, u: Float[np.ndarray, " p"]) -> Problem:
        """Returns the problem with these numbers."""
        new = dict(zip(self.names, self.values(u).tolist(), strict=True))
        equation = {name: new[name] for name in ("conductivity", "source") if name in new}
        conditions = [_with(condition, new) for condition in heat_conditions(self.problem)]
        changed = replace(self.problem.equation, **equation)
        return replace(self.problem, equation=changed, conditions=conditions)

    def prior(
        self, known: Mapping[str, tuple[float, float]]
    ) -> tuple[Float[np.ndarray, "r p"], Float[np.ndarray, " r"]]:
        """Returns rows and right-hand sides with rows · u − right-hand side standard normal."""
        rows, right = np.zeros((len(known), len(self.names))), np.zeros(len(known))
        for row, (name, (value, spread)) in enumerate(known.items()):
            column = self._column(name, value, spread)
            guess = self.guess[column]
            unit = spread / value if self.positive[column] else spread / self.scale[column]
            at = np.log(value / guess) if self.positive[column] else (value - guess) / self.scale[column]
            rows[row, column], right[row] = 1 / unit, at / unit
        return rows, right

    def _column(self, name: str, value: float, spread: float) -> int:
        if name not in self.names:
            raise InputError("known", name, "is not among the unknown numbers", f"Choose of {self.names}")
        column = self.names.index(name)
        lowest = 0.0 if self.positive[column] else -np.inf
        if not (lowest < value < np.inf and 0 < spread < np.inf):
            raise InputError("known", name, f"({value}, {spread}) is no value with a standard deviation",
                             "Give both in SI units")  # fmt: skip
        return column


def check_names(problem: Problem, names: Sequence[str]) -> None:
    """Refuses unknowns that the problem does not have, and first guesses that cannot be."""
    if not isinstance(problem.equation, SteadyHeat):
        name = type(problem.equation).__name__
        raise InputError("problem", "equation", f"is {name}", "Sensors are for SteadyHeat in a mesh")
    numbers = numbers_of(problem)
    if not names:
        raise InputError("unknown", "", "nothing is unknown", f"Choose of {', '.join(numbers)}")
    for name in names:
        if name not in numbers:
            close = difflib.get_close_matches(name, numbers, n=1)
            guess = f"Did you mean {close[0]!r}? The" if close else "The"
            hint = f"{guess} numbers of the problem are {', '.join(numbers)}"
            raise InputError("unknown", repr(name), "the problem has no such number", hint)
        if list(names).count(name) > 1:
            raise InputError("unknown", repr(name), "is there twice", "Name it once")
        if is_positive(name) and not numbers[name] > 0:
            hint = "Give a first guess in the problem"
            raise InputError(
                "unknown", repr(name), f"its first guess {numbers[name]:g} is not positive", hint
            )


def is_positive(name: str) -> bool:
    """Whether a number must be positive, so that its logarithm is searched."""
    return name == "conductivity" or name.endswith(".h")


def _is_temperature(name: str) -> bool:
    return name.endswith((".ambient", ".temperature"))


def _scale(problem: Problem, name: str, span: float) -> float:
    size, k = problem.scales.metres, problem.equation.conductivity
    if name == "source":
        return k * span / size**2
    return k * span / size if name.endswith(".flux") else span


def _with(condition: Condition, new: Mapping[str, float]) -> Condition:
    """A condition with those of its numbers that are in `new`."""
    here = {
        name.rpartition(".")[2]: v for name, v in new.items() if name.rpartition(".")[0] == condition.patch
    }
    match condition:
        case Temperature():
            return replace(condition, value=here.get("temperature", condition.value))
        case HeatFlux():
            return replace(condition, value=here.get("flux", condition.value))
        case Convection():
            return replace(
                condition, h=here.get("h", condition.h), ambient=here.get("ambient", condition.ambient)
            )
        case Radiation():
            return condition  # `numbers_of` refuses what radiates: an emissivity of 0 is left
