"""The temperature in a part as a function of the point and the time."""

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ._field import SplineDetail, SplineField
from ._grids import spline_field
from ._march_heat import Trajectory, hermite
from ._nested_features import NestedFeatures
from ._problem import Problem


@register
class TransientField(eqx.Module):
    """T(x, t) in a part: the spline field of each moment, and between two moments the cubic with their rates (Hermite).

    T is C¹ in the point and in the time, but for the end of the first step: there the rate jumps.

    Args:
        frames: The values of all moments, then their rates in time: a row of coefficients for each.
        times: The moments, s.

    Raises:
        ValueError: The argument is not one point of three coordinates with its time.
    """

    frames: SplineField
    times: Float[Array | np.ndarray, " n"]

    def __call__(self, x: Float[Array, " d"], t: Float[Array, ""] | float | None = None) -> Float[Array, ""]:
        """Returns the temperature in K; nan outside the time of the problem and farther than a cell outside the part.

        Args:
            x: The point in the part's unit, three coordinates; or four, the last of them the time.
            t: The time in s.
        """
        x = jnp.asarray(x)
        if x.shape != ((4,) if t is None else (3,)) or not jnp.issubdtype(x.dtype, jnp.floating):
            raise ValueError(
                f"a temperature in time takes (x, y, z, t), or (x, y, z) and t, received shape {x.shape}"
            )
        time = x[3] if t is None else jnp.asarray(t, x.dtype)
        times = jnp.asarray(self.times, x.dtype)
        number = len(self.times)
        i = jnp.clip(jnp.searchsorted(times, time, side="right") - 1, 0, number - 2)
        step = times[i + 1] - times[i]
        a, b, c, d = hermite((time - times[i]) / step)
        # The first row is the field itself, so the reference counts once: rates carry it too.
        rows = jnp.stack([i, i + 1, number + i, number + i + 1])
        before, after, first, second = self.frames._value(x[:3], rows)
        reference = self.frames.reference
        value = a * before + b * after + step * (c * (first - reference) + d * (second - reference))
        return jnp.where((time >= times[0]) & (time <= times[-1]), value, jnp.nan)

    def __hash__(self) -> int:
        return hash((len(self.times), self.frames))  # lets `jax.jit(field)` find its cache

    def at(self, t: float) -> SplineField:
        """Returns the temperature at one time in s as a field of the point.

        Raises:
            ValueError: The time is not that of the problem.
        """
        times, number = np.asarray(self.times), len(self.times)
        if not times[0] <= t <= times[-1]:
            raise ValueError(f"{t:g} s is not between {times[0]:g} s and {times[-1]:g} s")
        i = int(np.clip(np.searchsorted(times, t, side="right") - 1, 0, number - 2))
        step = float(times[i + 1] - times[i])
        a, b, c, d = hermite((t - float(times[i])) / step)
        weights = ((i, a), (i + 1, b), (number + i, step * c), (number + i + 1, step * d))

        def mixed(table: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
            return sum((w * table[row] for row, w in weights), np.zeros(table.shape[1], table.dtype))

        return _with(self.frames, mixed)

    @property
    def spacing(self) -> float:
        """Edge length of the largest cells, in the part's unit."""
        return self.frames.spacing

    @property
    def parameters(self) -> int:
        """How many numbers the field of one moment has."""
        return self.frames.parameters


def transient_field(problem: Problem, features: NestedFeatures, found: Trajectory) -> TransientField:
    """Returns the field of a march."""
    columns = [features.splines(c) for c in (*found.values, *found.rates)]
    stacked = [np.stack(part, axis=1) for part in zip(*columns, strict=True)]
    frames = _with(spline_field(problem, features, stacked), np.transpose)
    return TransientField(replace(frames, trained=features.count), np.asarray(found.times))


def _with(field: SplineField, change: Callable[[np.ndarray], np.ndarray]) -> SplineField:
    """The field with other coefficients on all grids."""

    def detail(grid: SplineDetail | None) -> SplineDetail | None:
        if grid is None:
            return None
        own = change(np.asarray(grid.coefficients))
        return SplineDetail(own, grid.cell_features, grid.children, detail(grid.finer))

    coefficients = change(np.asarray(field.coefficients))
    return replace(field, coefficients=coefficients, finer=detail(field.finer))
