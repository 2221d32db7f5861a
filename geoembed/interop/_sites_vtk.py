"""Sites of quasicrystals, and the bonds between them, for ParaView."""

from collections.abc import Mapping
from pathlib import Path

import meshio
import numpy as np
from jaxtyping import Float, Int, Shaped


def write_sites_vtu(
    path: str | Path,
    points: Float[np.ndarray, "n d"],
    columns: Mapping[str, Shaped[np.ndarray, "n ..."]],
    bonds: Int[np.ndarray, "m 2"] | None = None,
) -> None:
    """Writes sites as points and bonds as lines: "Point Gaussian" and "Tube" show them in ParaView.

    Args:
        path: Where, ending in .vtu.
        points: Their places; what is missing to three coordinates is 0.
        columns: Point data: one number or one row for each site.
        bonds: Which sites are joined; none by default.

    Example:
        >>> write_sites_vtu("cut.vtu", points, {"species": species})  # doctest: +SKIP
    """
    places = np.pad(np.asarray(points, np.float64), ((0, 0), (0, 3 - points.shape[1])))
    cells = [("vertex", np.arange(len(points), dtype=np.int32)[:, None])]
    if bonds is not None and len(bonds):
        cells.append(("line", np.asarray(bonds, np.int32)))
    data = {name: _rows(column) for name, column in columns.items()}
    meshio.write(path, meshio.Mesh(places, cells, point_data=data), file_format="vtu")


def _rows(column: np.ndarray) -> np.ndarray:
    """Two components get a third, as ParaView wants it of vectors."""
    column = np.asarray(column)
    return np.pad(column, ((0, 0), (0, 1))) if column.ndim == 2 and column.shape[1] == 2 else column
