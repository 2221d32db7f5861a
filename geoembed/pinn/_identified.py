"""What `identify` returns."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import special

from ..core import InputError
from ._problem import Problem

_CONSISTENT = 1e-3  # probability below which (or above one minus which) residuals do not fit the stated noise
_SHARE = 1e-2  # of a direction that no sensor sees, from which on a number takes part in it


@dataclass(frozen=True, eq=False)
class Identified:
    """Numbers that were recovered from sensors, with what the sensors say about their uncertainty.

    The uncertainty is that of a linear model at the estimate: in ln v of what must be positive (conductivity, h), in v
    of anything else. It holds for noise that is small enough for the model to be straight over the interval. It has two
    parts: the noise of the sensors, and `bias`, the estimated effect of the grid.

    Args:
        names: The unknown numbers.
        values: Their estimates, SI units.
        positive: Whether each must be positive.
        covariance: Of ln v, or of v, in the directions that the sensors determine.
        bias: Estimated shift of ln v, or v, by the error of the grid; it is part of `covariance`.
        blind: Rows: orthonormal directions of scaled ln v or v that the sensors do not determine.
        residuals: Readings minus temperatures of the model, K.
        sigma: Standard deviation of the noise of each sensor, K: as given, or estimated from the residuals.
        noise_given: Whether the noise was given.
        chi_square: Σ (residual/sigma)², of readings and known values: about `degrees` if model and stated noise are
            right.
        degrees: Readings and known values minus numbers that they determine.
        model_error: Estimated error of the grid in the temperatures at the sensors, root mean square, K.
        status: "converged": the error of the grid is small against the uncertainty. "cell limit": it is not, within
            the cells that were allowed; `covariance` holds it. "diverged": the search found no minimum.
        cells: Cells of the last grid.
        history: One record for each grid.
        seconds: Wall time.
        problem: The problem with the estimates; `solve` finds its temperature.
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, " p"]
    positive: tuple[bool, ...]
    covariance: Float[np.ndarray, "p p"]
    bias: Float[np.ndarray, " p"]
    blind: Float[np.ndarray, "b p"]
    residuals: Float[np.ndarray, " n"]
    sigma: Float[np.ndarray, " n"]
    noise_given: bool
    chi_square: float
    degrees: int
    model_error: float
    status: str
    cells: int
    history: tuple[dict[str, Any], ...]
    seconds: float
    problem: Problem

    def __getitem__(self, name: str) -> float:
        """Returns the estimate of one number."""
        return float(self.values[self._number(name)])

    @property
    def identified(self) -> dict[str, bool]:
        """Whether the sensors determine each number."""
        hidden = np.abs(self.blind).max(axis=0, initial=0.0) > _SHARE
        return dict(zip(self.names, (~hidden).tolist(), strict=True))

    @property
    def not_identified(self) -> tuple[str, ...]:
        """What the sensors do not determine, in words: one entry for each direction."""
        return tuple(_in_words(self.names, self.positive, row) for row in self.blind)

    def std(self, name: str) -> float:
        """Returns the standard deviation: relative for a number that must be positive, in SI units else; inf where
        the sensors do not determine it.
        """
        return self._spread(self._row({name: 1.0}))

    def interval(self, name: str, level: float = 0.9) -> tuple[float, float]:
        """Returns the interval that covers the true number with a probability.

        Args:
            name: The number.
            level: The probability.

        Returns:
            Its ends, SI units. (0, inf) or (−inf, inf) where the sensors do not determine the number.
        """
        number = self._number(name)
        half = self._half_width(self._row({name: 1.0}), level)
        value = float(self.values[number])
        if not self.positive[number]:
            return value - half, value + half
        return (0.0, math.inf) if math.isinf(half) else (value * math.exp(-half), value * math.exp(half))

    def combination(
        self, powers: Mapping[str, float], level: float = 0.9
    ) -> tuple[float, tuple[float, float]]:
        """Returns a product of powers of positive numbers and its interval, for instance h/k as {h: 1, k: −1}.

        Args:
            powers: The power of each number.
            level: The probability with which the interval covers the truth.

        Returns:
            The estimate, and the ends of its interval; (0, inf) where the sensors do not determine it.

        Raises:
            InputError: A number is none of the unknown ones, or need not be positive.
        """
        row = self._row(powers)
        for name in powers:
            if not self.positive[self._number(name)]:
                raise InputError("combination", name, "may be negative", "Take powers of conductivity and h")
        half = self._half_width(row, level)
        value = math.exp(sum(p * math.log(self[name]) for name, p in powers.items()))
        return value, (
            (0.0, math.inf) if math.isinf(half) else (value * math.exp(-half), value * math.exp(half))
        )

    @property
    def correlation(self) -> Float[np.ndarray, "p p"]:
        """Correlations of the numbers; nan for those that the sensors do not determine."""
        spread = np.sqrt(np.diag(self.covariance))
        spread = np.where(list(self.identified.values()), spread, np.nan)
        return self.covariance / (spread[:, None] * spread[None, :])

    @property
    def p_value(self) -> float | None:
        """Probability of a larger `chi_square`. Near 0: the model is wrong, or the noise larger than stated. Near 1:
        it is smaller. None if the noise was estimated, or nothing is left to judge by.
        """
        if not self.noise_given or self.degrees < 1:
            return None
        return float(special.chdtrc(self.degrees, self.chi_square))

    @property
    def consistent(self) -> bool | None:
        """Whether the residuals fit the stated noise; None where `p_value` is."""
        p = self.p_value
        return None if p is None else _CONSISTENT < p < 1 - _CONSISTENT

    def report(self, level: float = 0.9) -> dict[str, Any]:
        """Returns numbers, strings and lists for JSON; None stands for a number that is not finite."""
        numbers = {}
        for name, value in zip(self.names, self.values.tolist(), strict=True):
            ends = [end if math.isfinite(end) else None for end in self.interval(name, level)]
            numbers[name] = {"value": value, "interval": ends, "identified": self.identified[name]}
        return {
            "status": self.status,
            "level": level,
            "numbers": numbers,
            "not_identified": list(self.not_identified),
            "sigma_K": float(np.sqrt(np.mean(self.sigma**2))),
            "noise_given": self.noise_given,
            "residual_K": float(np.sqrt(np.mean(self.residuals**2))),
            "chi_square": self.chi_square,
            "degrees": self.degrees,
            "p_value": self.p_value,
            "model_error_K": self.model_error if math.isfinite(self.model_error) else None,
            "cells": self.cells,
            "seconds": self.seconds,
        }

    def _number(self, name: str) -> int:
        if name not in self.names:
            raise InputError("unknown", repr(name), "is none of the numbers", f"Choose of {self.names}")
        return self.names.index(name)

    def _row(self, powers: Mapping[str, float]) -> Float[np.ndarray, " p"]:
        row = np.zeros(len(self.names))
        for name, power in powers.items():
            row[self._number(name)] = power
        return row

    def _spread(self, row: Float[np.ndarray, " p"]) -> float:
        hidden = np.abs(self.blind @ row).max(initial=0.0) > _SHARE * np.linalg.norm(row)
        return math.inf if hidden else float(np.sqrt(row @ self.covariance @ row))

    def _half_width(self, row: Float[np.ndarray, " p"], level: float) -> float:
        if not 0 < level < 1:
            raise InputError(
                "interval", "level", f"{level} is not between 0 and 1", "Choose for instance 0.9"
            )
        share = 0.5 + 0.5 * level
        reach = special.ndtri(share) if self.noise_given else special.stdtrit(max(self.degrees, 1), share)
        return float(reach) * self._spread(row)


def _in_words(names: tuple[str, ...], positive: tuple[bool, ...], row: Float[np.ndarray, " p"]) -> str:
    """A direction as the change that no sensor sees."""
    row = row / row[np.argmax(np.abs(row))]
    some = [number for number in range(len(names)) if abs(row[number]) > _SHARE]
    if not all(positive[number] for number in some):
        return "a common change of " + ", ".join(names[number] for number in some)
    powers = ["t" if round(row[n], 2) == 1 else f"t^{row[n]:.2g}" for n in some]
    return " and ".join(f"{names[n]} times {power}" for n, power in zip(some, powers, strict=True))
