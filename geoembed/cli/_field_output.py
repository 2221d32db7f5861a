"""The files of an equation in a domain: pictures, values, ParaView."""

import csv
from pathlib import Path

import numpy as np

from ..pinn import Problem, Result
from ..plot import FieldGrid
from ._field_config import FieldConfig


def write_field_files(
    out: Path, config: FieldConfig, problem: Problem, result: Result, grid: FieldGrid
) -> list[str]:
    """Writes the files and returns their names.

    Args:
        out: The folder.
        config: The configuration.
        problem: The problem.
        result: Its solution.
        grid: The field on a grid.
    """
    from ..interop import write_field_series, write_field_vtu
    from ..plot import convergence_figure, save_field

    save_field(out / "field.png", problem, result)
    convergence_figure(result, tolerance=config.solve.tolerance).savefig(out / "convergence.png")
    names = ["field.png", "convergence.png", write_values(out, grid, config.output.table)]
    cells, moments = config.output.cells, config.output.moments
    if len(grid.axes) > 1 and problem.time is None:
        write_field_vtu(out / "field.vtu", problem, result, cells=cells)
        names.append("field.vtu")
    elif len(grid.axes) > 1:
        write_field_series(out / "field.pvd", problem, result, cells=cells, moments=moments)
        names.append("field.pvd")
    return [*names, "log.jsonl", "report.json", "solution/"]


def write_values(out: Path, grid: FieldGrid, table: str) -> str:
    """Writes the field on a grid as field.npz or field.csv and returns the name.

    The first holds the coordinates x, y, z, the moments t, and each unknown by its name with the axes (t, x, y, z), nan
    outside the domain. The second has a row for each node inside, at each moment.
    """
    axes = dict(zip("xyz", grid.axes, strict=False))
    if table == "npz":
        times = {} if grid.moments is None else {"t": grid.moments}
        values = grid.values if grid.moments is not None else grid.values[0]
        unknowns = {name: values[..., i] for i, name in enumerate(grid.fields)}
        np.savez_compressed(out / "field.npz", **axes, **times, **unknowns)
        return "field.npz"
    nodes = np.stack(np.meshgrid(*grid.axes, indexing="ij"), axis=-1)[grid.inside]
    with (out / "field.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*axes, *([] if grid.moments is None else ["t"]), *grid.fields])
        for number, values in enumerate(grid.values):
            time = np.full((len(nodes), 0 if grid.moments is None else 1), 0.0)
            if grid.moments is not None:
                time[:] = grid.moments[number]
            writer.writerows(np.concatenate([nodes, time, values[grid.inside]], axis=1).tolist())
    return "field.csv"
