"""What a problem of heat in a part in time must have."""

from typing import Any

import numpy as np
from jaxtyping import Float

from ..core import InputError
from ..sdf import evaluate
from ._conditions import at_time, value_at
from ._field_conditions import Initial
from ._radiation import Radiation
from ._scales import MOMENTS


def check_transient(problem: Any) -> None:
    """Refuses a `Problem` of `TransientHeat` without a time or a first temperature, and wrong functions of the time."""
    if problem.time is None or not -np.inf < problem.time[0] < problem.time[1] < np.inf:
        raise InputError(
            "problem", "time", f"{problem.time} is no time", "Give time=(first, last) in s, first < last"
        )
    starts = [condition for condition in problem.conditions if isinstance(condition, Initial)]
    if len(starts) != 1 or starts[0].order != 0 or starts[0].field is not None:
        raise InputError(
            "conditions",
            "Initial",
            f"there are {len(starts)} of them, or not of the temperature",
            "Give one Initial(temperature)",
        )
    value = starts[0].value
    if not callable(value) and not (isinstance(value, int | float) and 0 <= value < np.inf):
        raise InputError("conditions", "Initial", f"{value!r} is no temperature", "Give it in K")
    if any(isinstance(condition, Radiation) for condition in problem.conditions):
        raise InputError(
            "conditions",
            "Radiation",
            "is for SteadyHeat: in time the surface of a part does not radiate yet",
            "Use Convection with the coefficient of radiation at a mean temperature",
        )
    for time in np.linspace(problem.time[0], problem.time[1], MOMENTS).tolist():
        for condition in problem.heat_conditions:
            at_time(condition, time)
        if not np.isfinite(value_at(problem.equation.source, time)):
            raise InputError("equation", "source", f"is not finite at {time:g} s", "Give q in W/m³")


def check_first(value: Any, places: Float[np.ndarray, "n 3"], begin: float) -> None:
    """Refuses a function that returns no temperature at some places at the first moment."""
    if not callable(value):
        return
    found = np.asarray(evaluate(value, np.pad(places, ((0, 0), (0, 1)), constant_values=begin)))
    if found.shape != (len(places),):
        reason = f"is a function that returns shape {found.shape[1:]} at one point"
        raise InputError("conditions", "Initial", reason, "Return one number, in K")
    wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if len(wrong):
        at = ", ".join(f"{x:.6g}" for x in places[wrong[0]])
        raise InputError(
            "conditions", "Initial", f"{found[wrong[0]]:g} at ({at}) is no temperature", "Give it in K"
        )
