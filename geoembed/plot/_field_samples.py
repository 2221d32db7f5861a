"""The values of a field at many points: on a grid of the domain, and at the pixels of a picture."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..pinn import Problem, Result
from ..pinn._regions import in_box
from ..sdf import evaluate

_ON = 1e-9  # of the domain's size: nearer to the boundary than this counts as inside
_LINE, _SPACE = 128, 40  # cells along the longest side, up to two dimensions and in space


@dataclass(frozen=True)
class FieldGrid:
    """A field at the nodes of a grid over the box around its domain.

    Args:
        axes: The coordinates of the nodes along each axis.
        moments: The moments; None for a steady field.
        distance: The signed distance at the nodes, negative inside.
        values: The values, first by moment (one for a steady field), last by unknown; nan outside the domain.
        fields: The names of the unknowns.
    """

    axes: tuple[Float[np.ndarray, " _"], ...]
    moments: Float[np.ndarray, " k"] | None
    distance: Float[np.ndarray, "*nodes"]
    values: Float[np.ndarray, "k *nodes m"]
    fields: tuple[str, ...]

    @property
    def inside(self) -> Bool[np.ndarray, "*nodes"]:
        """Which nodes lie in the domain or on its boundary."""
        return np.isfinite(self.values[0, ..., 0])


def field_grid(problem: Problem, result: Result, *, cells: int | None = None, moments: int = 11) -> FieldGrid:
    """Evaluates a field on a grid. Other equations than `SteadyHeat` only.

    Args:
        problem: The problem.
        result: Its solution.
        cells: Cells along the longest side; 128 by default, 40 in space.
        moments: How many moments, evenly over the time of the problem.

    Returns:
        The grid.
    """
    lower, upper = problem.in_fields.domain.bounds
    sides = upper - lower
    cells = cells or (_SPACE if len(sides) == 3 else _LINE)
    counts = np.maximum(np.round(cells * sides / sides.max()).astype(int), 1) + 1
    axes = tuple(np.linspace(low, high, n) for low, high, n in zip(lower, upper, counts, strict=True))
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    points = nodes.reshape(-1, len(axes))
    distance = problem.in_fields.domain.distance(points)
    times = None if problem.time is None else np.linspace(*problem.time, moments)
    inside = distance <= _ON * float(sides.max())
    values = np.full((1 if times is None else moments, len(points), len(problem.equation.fields)), np.nan)
    values[:, inside] = values_at(problem, result, points[inside], times)
    shape = nodes.shape[:-1]
    return FieldGrid(
        axes,
        times,
        distance.reshape(shape),
        values.reshape(len(values), *shape, -1),
        tuple(problem.equation.fields),
    )


def values_at(
    problem: Problem,
    result: Result,
    points: Float[np.ndarray, "n d"],
    moments: Float[np.ndarray, " k"] | None,
) -> Float[np.ndarray, "k n m"]:
    """The values of a field at some points at some moments; in the box around the domain where a point is outside.

    Args:
        problem: The problem.
        result: Its solution.
        points: The points, in space.
        moments: The moments; None for a steady field, whose values have one first row.
    """
    places = in_box(points, problem.in_fields.domain, problem.in_fields.regions)
    if moments is not None:
        times = np.repeat(moments, len(places))[:, None]
        places = np.concatenate([np.tile(places, (len(moments), 1)), times], axis=1)
    found = evaluate(result.field, places)
    return found.reshape(1 if moments is None else len(moments), len(points), len(problem.equation.fields))


@dataclass(frozen=True)
class Plane:
    """The pixels of a picture of a domain in the plane, or of a plane section of one in space.

    Args:
        across: Pixel centres to the right.
        up: Pixel centres upwards.
        points: The pixel centres as points of the domain.
        distance: The signed distance there.
        axes: The numbers of the coordinates to the right and upwards.
        cut: The number of the third coordinate and its value; None in the plane.
        regions: The signed distance of every region but the rest at the pixels, where there are any.
    """

    across: Float[np.ndarray, " w"]
    up: Float[np.ndarray, " h"]
    points: Float[np.ndarray, "h w d"]
    distance: Float[np.ndarray, "h w"]
    axes: tuple[int, int]
    cut: tuple[int, float] | None = None
    regions: tuple[Float[np.ndarray, "h w"], ...] = ()

    @property
    def pixel(self) -> float:
        """The side of a pixel."""
        return float(self.across[1] - self.across[0])

    def pictures(
        self, problem: Problem, result: Result, moments: Float[np.ndarray, " k"] | None
    ) -> Float[np.ndarray, "k h w m"]:
        """The field at the pixels that the domain touches, nan elsewhere."""
        shown = self.distance <= self.pixel
        found = values_at(problem, result, self.points[shown], moments)
        whole = np.full((found.shape[0], *shown.shape, found.shape[-1]), np.nan)
        whole[:, shown] = found
        return whole


def planes(problem: Problem, pixels: int) -> list[Plane]:
    """The picture of a domain in the plane, or the three sections through the middle of one in space.

    Args:
        problem: The problem.
        pixels: Pixels along the longest side.
    """
    domain = problem.in_fields.domain
    if domain.dimension == 2:
        return [_plane(problem, (0, 1), None, pixels)]
    middle = 0.5 * (domain.lower + domain.upper)
    return [
        _plane(problem, axes, (cut, float(middle[cut])), pixels)
        for axes, cut in (((0, 1), 2), ((0, 2), 1), ((1, 2), 0))
    ]


def _plane(problem: Problem, axes: tuple[int, int], cut: tuple[int, float] | None, pixels: int) -> Plane:
    domain = problem.in_fields.domain
    lower, upper = domain.lower[list(axes)], domain.upper[list(axes)]
    pixel = float(np.max(upper - lower)) / pixels
    across, up = (
        low + pixel * (np.arange(int(np.ceil((high - low) / pixel)) + 2) - 0.5)  # a pixel beyond each side
        for low, high in zip(lower, upper, strict=True)
    )
    points = np.empty((len(up), len(across), domain.dimension))
    points[..., axes[0]], points[..., axes[1]] = np.meshgrid(across, up)
    if cut is not None:
        points[..., cut[0]] = cut[1]
    distance = domain.distance(points.reshape(-1, domain.dimension)).reshape(points.shape[:-1])
    return Plane(across, up, points, distance, axes, cut, _regions(problem, points))


def _regions(problem: Problem, points: Float[np.ndarray, "h w d"]) -> tuple[Float[np.ndarray, "h w"], ...]:
    """The signed distance of every region: of a shape less those before it."""
    regions, found = problem.in_fields.regions, []
    before = np.full(points.shape[:-1], np.inf)
    for shape in () if regions is None else regions.shapes:
        own = evaluate(shape, points.reshape(-1, points.shape[-1])).reshape(before.shape)
        found.append(np.maximum(own, -before))
        before = np.minimum(before, own)
    return tuple(found)
