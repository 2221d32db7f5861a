"""What is shown of a solved part."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..core._prefix import scaled
from ..pinn import Problem, Result, TransientField
from ..sdf import evaluate, value_and_gradient


@dataclass(frozen=True)
class Quantity:
    """A number at each point of a part.

    Args:
        at: Its values at many points in the part's unit, SI units.
        unit: The SI unit.
        name: What it is.
        singular: Whether it is infinite at edges, so that its largest values are those of a grid.
    """

    at: Callable[[Float[np.ndarray, "n 3"]], Float[np.ndarray, " n"]]
    unit: str
    name: str
    singular: bool = False

    def scale(self, values: Float[np.ndarray, " n"]) -> tuple[float, str]:
        """Returns by what values are divided to read well, and the label with that unit."""
        known = values[np.isfinite(values)]
        if self.unit == "K" or not len(known):
            return 1.0, f"{self.name} / {self.unit}"
        high = float(np.quantile(known, 0.995))
        number, unit = scaled(high, self.unit)
        return high / number if number else 1.0, f"{self.name} / {unit}"


def quantities(problem: Problem, result: Result) -> tuple[Quantity, ...]:
    """The temperature, in time that of the last moment; or the size of the displacement and the von Mises stress."""
    if not problem.elastic:
        field = result.field
        at_end = field.at(float(field.times[-1])) if isinstance(field, TransientField) else field
        return (Quantity(lambda points: value_and_gradient(at_end, points)[0], "K", "Temperature"),)
    return (
        Quantity(lambda points: np.linalg.norm(evaluate(result.value, points), axis=1), "m", "Displacement"),
        Quantity(lambda points: evaluate(result.von_mises, points), "Pa", "Von Mises stress", singular=True),
    )
