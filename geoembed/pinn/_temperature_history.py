"""How the temperature of a part goes in time."""

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float

from ..sdf import evaluate, sample_interior, sample_surface
from ._problem import Problem
from ._result import Result
from ._transient_field import TransientField

_POINTS = 4_096  # inside, on the surface, and at most of the mesh's vertices
_EVEN = 49  # moments evenly in time, beside at most so many of the solver's


@dataclass(frozen=True, eq=False)
class TemperatureHistory:
    """The temperature of a part at some moments.

    Args:
        times: Moments, s.
        lowest: The lowest temperature that was met in the part, K.
        mean: The mean over the volume, K.
        highest: The highest temperature that was met, K.
        coldest: Where the lowest was met, in the part's unit.
        hottest: Where the highest was met.
    """

    times: Float[np.ndarray, " n"]
    lowest: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, " n"]
    highest: Float[np.ndarray, " n"]
    coldest: Float[np.ndarray, "n 3"]
    hottest: Float[np.ndarray, "n 3"]


def temperature_history(
    problem: Problem, result: Result, times: Float[np.ndarray, " n"] | None = None
) -> TemperatureHistory:
    """Returns lowest, mean and highest temperature of a part at some moments.

    The field is looked at at 4096 quasi-random points inside, as many on the surface, and at vertices of the mesh, at
    most 4096 of them: extremes are those of these points. The points are always the same ones.

    Args:
        problem: Heat in a part in time.
        result: Its solution.
        times: Moments, s; by default 49 evenly in time and at most 49 of the solver's, which lie close where much
            happens.

    Raises:
        TypeError: The result is of another equation.
        ValueError: A moment is not within the time of the solution.

    Example:
        >>> history = temperature_history(problem, result)  # doctest: +SKIP
        >>> history.highest.max()  # doctest: +SKIP
        351.7
    """
    field = result.field
    if not isinstance(field, TransientField):
        raise TypeError(f"a history needs heat in a part in time, the result holds a {type(field).__name__}")
    inside = sample_interior(problem.domain, _POINTS, key=jax.random.key(0))
    on_surface = sample_surface(problem.domain, _POINTS, key=jax.random.key(1)).points
    points = np.concatenate([inside.points, on_surface, _thinned(problem.domain.vertices, _POINTS)])
    moments = _moments(np.asarray(field.times)) if times is None else np.asarray(times, np.float64)
    share = inside.weights / inside.weights.sum()
    rows = [_extremes(evaluate(field.at(float(moment)), points), points, share) for moment in moments]
    lowest, mean, highest, coldest, hottest = (np.array(column) for column in zip(*rows, strict=True))
    return TemperatureHistory(moments, lowest, mean, highest, coldest, hottest)


def _moments(times: Float[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
    """Moments evenly in time and those of a march, some left out if they are many."""
    return np.union1d(np.linspace(times[0], times[-1], _EVEN), _thinned(times, _EVEN))


def _thinned(rows: Float[np.ndarray, "n *d"], most: int) -> Float[np.ndarray, "m *d"]:
    """Rows evenly by their number, the first and the last among them."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))]


def _extremes(
    values: Float[np.ndarray, " n"], points: Float[np.ndarray, "n 3"], share: Float[np.ndarray, " m"]
) -> tuple[float, float, float, np.ndarray, np.ndarray]:
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    mean = float(share @ values[: len(share)])
    return float(values[low]), mean, float(values[high]), points[low], points[high]
