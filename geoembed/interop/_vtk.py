"""Files for ParaView: the volume of a part that conducts heat or is elastic, and its surface."""

from pathlib import Path

import meshio
import numpy as np

from ..pinn import Problem, Result, SplineField
from ..sdf import value_and_gradient
from ..sdf._subdivide import subdivide
from ._elastic_data import elastic_points, stress_of
from ._hexahedra import Hexahedra, fitted_hexahedra

_EDGE = 2.0  # of the field's cells: the longest edges of triangles in the surface file
_MOST_TRIANGLES = 2_000_000


def write_vtu(path: str | Path, problem: Problem, result: Result) -> None:
    """Writes the temperature or the displacement inside a part as an unstructured grid for ParaView.

    For heat in time see `write_field_series`.

    The grid is hexahedra: the cells of the field that have a corner inside the part, with their outer corners
    moved to the surface. Use it for cuts, isosurfaces and streamlines. It is made for looking at, not for
    computing on: cells at the surface can be thin, a few at concave edges fold, and walls or gaps thinner
    than a cell are not resolved. Where that would falsify the volume by more than 2 %, cells are split into
    2³ or 3³. For the exact surface with its patches, load the file of `write_surface_vtu` beside it.

    Coordinates are in the part's unit. Point data:

    - `temperature`: K, the field's value at the point.
    - `signed_distance`: in the part's unit, negative inside, 0 on the surface.

    Cell data:

    - `heat_flux`: −K ∇T at the middle of the cell, W/m²; three components.

    Of an elastic part the point data are `displacement` in m with three components, `von_mises` in Pa and
    `signed_distance`, the cell data `stress` at the middle of the cell in Pa: xx, yy, zz, xy, yz, xz, tension positive.
    To see the deformation in ParaView use "Warp By Vector" with a scale factor; 1000 shows a mesh in mm to scale.

    Args:
        path: Where, usually ending in .vtu.
        problem: The problem.
        result: Its solution.

    Example:
        >>> write_vtu("temperature.vtu", problem, result)  # doctest: +SKIP
    """
    mesh = fitted_hexahedra(problem.domain, _field(result))
    if problem.elastic:
        data = elastic_points(result, mesh.points) | {"signed_distance": mesh.distance}
        stress = stress_of(result, mesh.points[mesh.cells].mean(axis=1))
        cells = [("hexahedron", mesh.cells.astype(np.int32))]
        grid = meshio.Mesh(mesh.points, cells, point_data=data, cell_data={"stress": [stress]})
        meshio.write(path, grid, file_format="vtu")
        return
    meshio.write(path, heat_grid(problem, _field(result), mesh), file_format="vtu")


def heat_grid(problem: Problem, field: SplineField, mesh: Hexahedra) -> meshio.Mesh:
    """Returns the temperature of a part, or that at one moment, on hexahedra; see `write_vtu`."""
    temperature, _ = value_and_gradient(field, mesh.points)
    _, flux = _value_and_flux(problem, field, mesh.points[mesh.cells].mean(axis=1))
    return meshio.Mesh(
        mesh.points,
        [("hexahedron", mesh.cells.astype(np.int32))],
        point_data={"temperature": temperature, "signed_distance": mesh.distance},
        cell_data={"heat_flux": [flux]},
    )


def write_surface_vtu(path: str | Path, problem: Problem, result: Result) -> None:
    """Writes the temperature or the displacement on a part's surface as an unstructured grid for ParaView.

    The grid is the part's own triangles, split until no edge is longer than two cells of the field, so that
    the colours follow the field also on large triangles. The shape is exactly that of the part.

    Coordinates are in the part's unit. Point data:

    - `temperature`: K, the field's value at the point.

    Cell data:

    - `patch`: the number of the patch in `problem.resolved.names`, from 0 in the order in which the patches
      were given; "rest" is the last.
    - `face`: the number of the triangle of the part that this is a piece of.
    - `heat_flux`: −K ∇T at the middle of the triangle, W/m²; three components.
    - `outward_heat_flux`: W/m², positive where heat leaves the part: what the condition on the face says,
      h (T − ambient) − flux, and −k ∂T/∂n where the face is held at a temperature. The latter is singular at
      the rim of the patch; for the heat through all of it take `result.heat`, not a sum of this.

    Of an elastic part the point data are `displacement` in m with three components and `von_mises` in Pa, the cell data
    `patch`, `face` and `stress` as in `write_vtu`.

    Args:
        path: Where, usually ending in .vtu.
        problem: The problem.
        result: Its solution.

    Example:
        >>> write_surface_vtu("surface.vtu", problem, result)  # doctest: +SKIP
    """
    domain = problem.domain
    points, faces, home = subdivide(
        domain.vertices, domain.faces, _EDGE * _field(result).spacing, most=_MOST_TRIANGLES
    )
    home_of = {
        "patch": [problem.resolved.face_patch[home].astype(np.int32)],
        "face": [home.astype(np.int32)],
    }
    if problem.elastic:
        stress = stress_of(result, points[faces].mean(axis=1))
        cells = [("triangle", faces.astype(np.int32))]
        told = elastic_points(result, points)
        grid = meshio.Mesh(points, cells, point_data=told, cell_data=home_of | {"stress": [stress]})
        meshio.write(path, grid, file_format="vtu")
        return
    temperature, _ = value_and_gradient(result.field, points)
    at_middle, flux = _value_and_flux(problem, _field(result), points[faces].mean(axis=1))
    table = problem.face_conditions
    told = -table.inflow(home, at_middle)
    outward = np.where(table.held[home], np.sum(flux * domain.normals[home], axis=1), told)
    grid = meshio.Mesh(
        points,
        [("triangle", faces.astype(np.int32))],
        point_data={"temperature": temperature},
        cell_data=home_of | {"heat_flux": [flux], "outward_heat_flux": [outward]},
    )
    meshio.write(path, grid, file_format="vtu")


def _field(result: Result) -> SplineField:
    """The field of a part; refuses the solution of another equation."""
    if result.elasticity is not None and isinstance(result.field, SplineField):
        return result.field
    return result.temperature


def _value_and_flux(
    problem: Problem, field: SplineField, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """T in K and −K ∇T in W/m²; the field's gradient is per unit of the part."""
    value, gradient = value_and_gradient(field, points)
    return value, -problem.conduction.heat(points, value, gradient) / problem.domain.metres_per_unit
