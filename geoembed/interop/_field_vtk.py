"""Files for ParaView: the field of an equation in the plane or in space, steady or as a series of moments."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import meshio
import numpy as np
from jaxtyping import Bool, Float, Int

from ..pinn import Problem, Result, TransientField
from ..pinn._regions import in_box
from ..sdf import evaluate
from ._hexahedra import fitted_hexahedra
from ._vtk import heat_grid

_PLANE, _SPACE = 128, 40  # cells along the longest side
_STEPS = 3  # of Newton's method from a node to the boundary
_NEAR = 1e-4  # cells between two points whose distances give a slope
_FARTHEST = 1.5  # cells by which a node is moved at most
_VECTORS = {("u", "v", "p"): "velocity", ("ux", "uy"): "displacement", ("ux", "uy", "uz"): "displacement"}
_QUAD = ((0, 0), (1, 0), (1, 1), (0, 1))
_HEXAHEDRON = tuple((*corner, up) for up in (0, 1) for corner in _QUAD)


class Grid(NamedTuple):
    """Cells that fill a domain.

    Args:
        points: The nodes.
        cells: The numbers of the corners of each cell, in the order of VTK.
    """

    points: Float[np.ndarray, "n d"]
    cells: Int[np.ndarray, "c k"]


def write_field_vtu(path: str | Path, problem: Problem, result: Result, *, cells: int | None = None) -> None:
    """Writes the field of an equation in the plane or in space as an unstructured grid for ParaView.

    The grid is squares or cubes whose middle lies in the domain, with the nodes of the outermost moved to the boundary:
    sharp corners of the domain are cut off by up to a cell unless the grid meets them, and corners of a few cells at a
    curved surface are flat. It is made for looking at, not for computing on. Point data: each unknown by
    its name, and `velocity` or `displacement` as a vector.

    For a transient field see `write_field_series`.

    Args:
        path: Where, ending in .vtu.
        problem: The problem, of any equation but `SteadyHeat`: see `write_vtu`.
        result: Its solution.
        cells: Cells along the longest side; 128 by default, 40 in space.

    Raises:
        ValueError: The domain has one dimension, or the problem has time.

    Example:
        >>> write_field_vtu("field.vtu", problem, result)  # doctest: +SKIP
    """
    if problem.time is not None:
        raise ValueError("a problem with time needs a series: use write_field_series")
    grid = fitted_cells(problem, cells)
    _write(Path(path), grid, _at(problem, result, grid.points, None), problem)


def write_field_series(
    path: str | Path, problem: Problem, result: Result, *, cells: int | None = None, moments: int = 11
) -> None:
    """Writes a transient field as a series for ParaView; see `write_field_vtu`, and `write_vtu` for heat in a part.

    Args:
        path: Where, ending in .pvd. The files of the moments go to a folder beside it, named like it.
        problem: The problem.
        result: Its solution.
        cells: Cells along the longest side; in a part the grid is that of `write_vtu`.
        moments: How many moments, evenly over the time of the problem, or up to where the solution was stopped.

    Raises:
        ValueError: The problem has no time, or its domain one dimension.

    Example:
        >>> write_field_series("field.pvd", problem, result)  # doctest: +SKIP
    """
    if problem.time is None:
        raise ValueError("a series needs a problem with time: use write_field_vtu")
    path = Path(path)
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    field, (begin, end) = result.field, problem.time
    if isinstance(field, TransientField):
        end = min(end, float(field.times[-1]))  # a march that was stopped
    times, entries = np.linspace(begin, end, moments).tolist(), []
    write = _part_writer(problem, result) if problem.transient else _cell_writer(problem, result, cells)
    for number, moment in enumerate(times):
        file = folder / f"{path.stem}_{number:04d}.vtu"
        write(file, moment)
        entries.append(f'    <DataSet timestep="{moment:.12g}" part="0" file="{folder.name}/{file.name}"/>\n')
    path.write_text(
        '<?xml version="1.0"?>\n<VTKFile type="Collection" version="0.1">\n  <Collection>\n'
        + "".join(entries)
        + "  </Collection>\n</VTKFile>\n",
        encoding="utf-8",
    )


def _part_writer(problem: Problem, result: Result) -> Callable[[Path, float], None]:
    field = result.field
    if not isinstance(field, TransientField):
        raise TypeError(f"heat in time has a TransientField, the result holds a {type(field).__name__}")
    mesh = fitted_hexahedra(problem.domain, field.frames)

    def write(file: Path, moment: float) -> None:
        meshio.write(file, heat_grid(problem, field.at(moment), mesh), file_format="vtu")

    return write


def _cell_writer(problem: Problem, result: Result, cells: int | None) -> Callable[[Path, float], None]:
    grid = fitted_cells(problem, cells)
    return lambda file, moment: _write(file, grid, _at(problem, result, grid.points, moment), problem)


def fitted_cells(problem: Problem, cells: int | None = None) -> Grid:
    """Returns the squares or cubes whose middle lies in the domain, the outermost nodes moved to its boundary.

    Args:
        problem: The problem.
        cells: Cells along the longest side.

    Raises:
        ValueError: The domain has one dimension.
    """
    domain = problem.in_fields.domain
    if domain.dimension == 1:
        raise ValueError("a domain in one dimension has no cells for ParaView: its values are in the table")
    sides = domain.upper - domain.lower
    count = cells or (_SPACE if domain.dimension == 3 else _PLANE)
    counts = np.maximum(np.round(count * sides / sides.max()).astype(int), 1)
    spacing = sides / counts
    indices = np.stack(np.meshgrid(*(np.arange(n) for n in counts), indexing="ij"), axis=-1)
    middles = domain.lower + spacing * (indices + 0.5)
    kept = domain.contains(middles.reshape(-1, domain.dimension)).reshape(counts)
    corners = _HEXAHEDRON if domain.dimension == 3 else _QUAD
    nodes = indices[kept][:, None] + np.array(corners)[None]
    flat = np.ravel_multi_index(tuple(np.moveaxis(nodes, -1, 0)), tuple(counts + 1))
    used, numbers = np.unique(flat, return_inverse=True)
    places = np.stack(np.unravel_index(used, tuple(counts + 1)), axis=-1)
    points = domain.lower + spacing * places
    outer = _outermost(kept).ravel()[used]
    points[outer] = _on_boundary(problem, points[outer], float(spacing.max()))
    return Grid(points, numbers.reshape(flat.shape))


def _outermost(kept: Bool[np.ndarray, "*cells"]) -> Bool[np.ndarray, "*nodes"]:
    """Which nodes touch a cell that is not kept, or none at all on one side."""
    around = np.pad(kept, 1)
    count = sum(
        around[
            tuple(slice(shift, shift + n + 1) for shift, n in zip(shifts, kept.shape, strict=True))
        ].astype(int)
        for shifts in product((0, 1), repeat=kept.ndim)
    )
    return np.asarray(count) < 2**kept.ndim


def _on_boundary(
    problem: Problem, points: Float[np.ndarray, "n d"], spacing: float
) -> Float[np.ndarray, "n d"]:
    """Points moved to the boundary; those that would move far, or nowhere, stay."""
    moved = points
    for _ in range(_STEPS):
        distance, slope = _jet(problem, moved, _NEAR * spacing)
        length = np.maximum(np.sum(slope**2, axis=1, keepdims=True), 1e-12)
        moved = moved - distance[:, None] * slope / length
    far = ~(np.linalg.norm(moved - points, axis=1) <= _FARTHEST * spacing)
    return np.where(far[:, None], points, moved)


def _jet(
    problem: Problem, points: Float[np.ndarray, "n d"], step: float
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n d"]]:
    """The signed distance and its slope, from differences."""
    distance = problem.in_fields.domain.distance
    sides = [
        distance(points + sign * step * axis) for axis in np.eye(points.shape[1]) for sign in (-1.0, 1.0)
    ]
    slopes = [(high - low) / (2 * step) for low, high in zip(sides[::2], sides[1::2], strict=True)]
    return distance(points), np.stack(slopes, axis=1)


def _at(
    problem: Problem, result: Result, points: np.ndarray, moment: float | None
) -> Float[np.ndarray, "n m"]:
    places = in_box(points, problem.in_fields.domain, problem.in_fields.regions)
    if moment is not None:
        places = np.column_stack([places, np.full(len(places), moment)])
    return evaluate(result.field, places).reshape(len(points), -1)


def _write(path: Path, grid: Grid, values: Float[np.ndarray, "n m"], problem: Problem) -> None:
    meshio.write(path, _mesh(grid, dict(_data(problem, values))), file_format="vtu")


def _data(problem: Problem, values: Float[np.ndarray, "n m"]) -> Iterator[tuple[str, np.ndarray]]:
    fields = tuple(problem.equation.fields)
    for number, name in enumerate(fields):
        yield name, values[:, number]
    if fields in _VECTORS:
        components = values[:, [i for i, name in enumerate(fields) if name != "p"]]
        yield _VECTORS[fields], _in_space(components)


def _mesh(grid: Grid, data: dict[str, np.ndarray]) -> meshio.Mesh:
    kind = "hexahedron" if grid.cells.shape[1] == 8 else "quad"
    return meshio.Mesh(_in_space(grid.points), [(kind, grid.cells.astype(np.int32))], point_data=data)


def _in_space(vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 3"]:
    """Vectors with a third component, which ParaView asks for."""
    return np.pad(vectors, ((0, 0), (0, 3 - vectors.shape[1])))
