"""What an equation asks of the domain and the time of a problem."""

import numpy as np

from ..core import InputError
from ._domains._domain import Domain, even_points
from ._equations._equation import Equation
from ._field_conditions import Integral
from ._regions import Regions

_SEAM_POINTS = 256
_BESIDE = 1e-7  # of the size of the domain: where the regions at its ends are looked at


def check_time(equation: Equation, time: tuple[float, float] | None) -> None:
    """Refuses a problem with time for a steady equation, and the reverse."""
    if equation.transient != (time is not None):
        name = type(equation).__name__
        reason = "has a rate in time" if equation.transient else "has no time"
        hint = "Give time=(first, last)" if equation.transient else "Leave time= away"
        raise InputError("problem", "time", f"{name} {reason}, received time={time}", hint)
    if time is not None and not (len(time) == 2 and np.all(np.isfinite(time)) and time[0] < time[1]):
        raise InputError("problem", "time", f"{time} is not in order", "Give time=(first, last)")


def check_dimension(equation: Equation, domain: Domain) -> None:
    """Refuses a domain of another dimension than the equation takes."""
    if domain.dimension not in equation.dimensions:
        allowed = " or ".join(map(str, equation.dimensions))
        raise InputError(
            "problem",
            "domain",
            f"it has {domain.dimension} dimensions, {type(equation).__name__} takes {allowed}",
            "Choose another domain or equation",
        )


def check_seams(periodic: tuple[bool, ...], domain: Domain, regions: Regions | None) -> None:
    """Refuses a period that joins two regions: every region's function has the period, so nothing would join those."""
    if regions is None:
        return
    unit = even_points(_SEAM_POINTS, domain.dimension, np.random.default_rng(0))
    for axis in np.flatnonzero(periodic[: domain.dimension]).tolist():
        ends = []
        for end in (_BESIDE, 1 - _BESIDE):
            unit[:, axis] = end
            ends.append(regions.numbers(domain.lower + (domain.upper - domain.lower) * unit))
        if np.any(ends[0] != ends[1]):
            raise InputError(
                "conditions",
                f"periodic axis {axis}",
                "the regions at its two ends differ",
                "Shift the domain, so that the same region is at both ends",
            )


def check_integrals(
    integrals: tuple[Integral, ...], time: tuple[float, float] | None, regions: Regions | None
) -> None:
    """Refuses integrals in several materials, and at a moment that the problem does not have."""
    if integrals and regions is not None:
        reason = "the solver has no integrals over several materials"
        raise InputError("conditions", "Integral", reason, "Give one equation whose coefficients vary")
    for moment in (condition.moment for condition in integrals if condition.moment is not None):
        if time is None or not time[0] <= moment <= time[1]:
            reason = f"its moment {moment} is outside the time of the problem, {time}"
            hint = (
                "Leave moment= away" if time is None else "Give a moment between the first and the last one"
            )
            raise InputError("conditions", "Integral", reason, hint)
