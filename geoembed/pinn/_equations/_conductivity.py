"""A conductivity that depends on the temperature."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core import InputError, register

_MOST = 100_000  # entries of a table


@register
@dataclass(frozen=True)
class ConductivityTable:
    """k(T) of a material, linear between the entries of a table and constant beyond its ends.

    Args:
        temperatures: K, ascending.
        values: k there, W/(m K), positive.

    Raises:
        InputError: The temperatures do not ascend, a number is not finite, or a conductivity is not positive.

    Example:
        >>> steel = ConductivityTable((300.0, 800.0), (15.0, 23.0))
        >>> float(steel(550.0))
        19.0
    """

    temperatures: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("temperatures", "values"):
            numbers = np.asarray(getattr(self, name), np.float64)
            if numbers.ndim != 1 or not 1 <= len(numbers) <= _MOST or not np.all(np.isfinite(numbers)):
                raise _wrong(f"{name} are no list of finite numbers")
            object.__setattr__(self, name, tuple(numbers.tolist()))
        if len(self.temperatures) != len(self.values):
            raise _wrong(f"{len(self.temperatures)} temperatures and {len(self.values)} values")
        if not np.all(np.diff(self.temperatures) > 0) or self.temperatures[0] < 0:
            raise _wrong("the temperatures do not ascend from 0 K or above")
        if not min(self.values) > 0:
            raise _wrong(f"{min(self.values):g} is not a positive conductivity")

    @classmethod
    def of(
        cls, function: Callable[[Any], Any], lowest: float, highest: float, pieces: int = 1000
    ) -> "ConductivityTable":
        """Tabulates a function of the temperature; the error of linear interpolation is k″ (ΔT)²/8.

        Args:
            function: k(T), W/(m K), of an array of temperatures in K.
            lowest: First temperature, K.
            highest: Last temperature, K.
            pieces: Number of intervals.
        """
        temperatures = np.linspace(lowest, highest, pieces + 1)
        values = np.broadcast_to(np.asarray(function(temperatures), np.float64), temperatures.shape)
        return cls(tuple(temperatures.tolist()), tuple(values.tolist()))

    def __call__(self, temperature: Any) -> Any:
        """Returns k, W/(m K), at temperatures in K (numpy)."""
        return np.interp(temperature, self.temperatures, self.values)

    @property
    def mean(self) -> float:
        """The mean of the entries: the unit in which the conductivity is of order one."""
        return float(np.mean(self.values))


def _wrong(reason: str) -> InputError:
    return InputError(
        "equation", "conductivity", reason, "Give ascending temperatures in K, and k > 0 in W/(m K) for each"
    )
