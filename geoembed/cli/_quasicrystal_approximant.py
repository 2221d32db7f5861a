"""`geoembed quasicrystal approximant`: one cell of a periodic approximant in files."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..core import InputError
from ..quasicrystal import (
    Approximant,
    Model,
    Zonotope,
    approximant,
    icosahedral_periods,
    in_shadow,
    minimum_distance,
    shadow_radius,
    symmetric_shift,
)
from ._quasicrystal_arguments import check_files, model_named, numbers, positive, symbols_of
from ._quasicrystal_files import write_table

_MOST = 200_000  # sites of a cell
_OPEN = 1 + 1e-6  # by how much the window is smaller that leaves the sites on its rim out


def write_approximant(
    name: str,
    period: str,
    files: list[Path],
    cell: float | None,
    scale: float,
    element: str,
    *,
    shift: str | None,
    symmetric: bool,
    open_window: bool,
    with_group: bool,
) -> dict[str, Any]:
    """Makes an approximant, writes the files, and returns the report.

    Raises:
        InputError: An argument cannot be used.
    """
    with jax.enable_x64(True):
        model = model_named(name, 1.0, "P", None)
        parallel, perp = (np.asarray(part, np.float64) for part in model.lattice.projections())
        _require_tiling(name, model)
    check_files(
        files, (".cif", ".extxyz", ".xyz", ".vtu", ".csv") if len(parallel) == 3 else (".csv", ".vtu")
    )
    periods = read_periods(name, period, *parallel.shape)
    _refuse_too_many(model, periods @ parallel.T, period)
    if shift is not None and symmetric:
        raise InputError("--shift, --symmetric", "", "both are given", "Give one of them")
    moved = None if shift is None else numbers("--shift", shift, len(perp))
    order = None
    if symmetric:
        moved, order = _symmetric(parallel, perp, periods, period, open_window)
    found = approximant(parallel, perp, periods, shift=moved)
    if open_window:
        strained = perp + found.phason_strain @ parallel
        found = approximant(
            parallel,
            perp,
            periods,
            shift=moved,
            window=lambda points: in_shadow(strained, points * _OPEN),
            window_radius=shadow_radius(strained),
        )
    if cell is not None:
        scale = positive("--cell", cell) / float(np.linalg.norm(found.cell[0]))
    positive("--scale", scale)
    report = {
        "model": name,
        "sites": len(found.positions),
        "cell": (found.cell * scale).tolist(),
        "translations_in_cell": found.lattice_points,
        "scale": scale,
        "edge": scale * float(np.linalg.norm(parallel, axis=0).min()),
        "smallest_distance": scale * minimum_distance(found.cell, found.positions),
        "phason_strain": float(np.linalg.norm(found.phason_strain, ord=2)),
    }
    if order is not None:
        report["point_group_order"] = order
    symbols = symbols_of(element, np.zeros(len(found.positions), int))
    if with_group:
        report["space_group"] = _group(found, symbols, scale)
    _write(files, found, symbols, scale)
    return report | {"files": [str(file) for file in files]}


def read_periods(name: str, text: str, d: int, size: int) -> np.ndarray:
    """Lattice vectors from p/q, or from numbers with commas and semicolons.

    Raises:
        InputError: They are not d integer vectors of the lattice.
    """
    if ";" not in text and "," not in text and d > 1:
        parts = text.split("/")
        hint = "Give p/q such as 2/1, or lattice vectors: " + ";".join(",".join("0" * size) for _ in range(d))
        if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
            raise InputError("PERIODS", text, "this is neither p/q nor lattice vectors", hint)
        if name != "icosahedral":
            raise InputError(
                "PERIODS", text, f"p/q means nothing for {name}", hint.replace("p/q such as 2/1, or ", "")
            )
        p, q = (int(part) for part in parts)
        if p < 1 or q < 1:
            raise InputError(
                "PERIODS", text, "p and q are positive", "Give consecutive Fibonacci numbers: 3/2"
            )
        return icosahedral_periods(p, q)
    rows = [numbers("PERIODS", row, size) for row in text.split(";")]
    if len(rows) != d:
        raise InputError(
            "PERIODS",
            text,
            f"there are {len(rows)} lattice vectors, {d} are needed",
            "Part them by semicolons",
        )
    values = np.array(rows)
    if np.any(values != np.rint(values)):
        raise InputError(
            "PERIODS", text, "a component is no whole number", "Periods are vectors of the lattice"
        )
    return values.astype(np.int64)


def _symmetric(
    parallel: np.ndarray, perp: np.ndarray, periods: np.ndarray, text: str, open_window: bool
) -> tuple[np.ndarray, int]:
    try:
        return symmetric_shift(parallel, perp, periods, open_window=open_window)
    except InputError as error:
        raise InputError("--symmetric", text, error.reason, "Add --open to leave these sites out") from None


def _require_tiling(name: str, model: Model) -> None:
    """The window of `approximant` is the shadow of the unit cube: that of some models, not of all."""
    window = model.surfaces[0].window
    cube = isinstance(window, Zonotope) and window.generators.shape == model.lattice.perpendicular.T.shape
    if len(model.surfaces) > 1 or not cube:
        raise InputError(
            "MODEL",
            name,
            "its window is not the shadow of the unit cube, which approximants here have",
            "Choose fibonacci, ammann_beenker or icosahedral, or call geoembed.quasicrystal.approximant with a window",
        )


def _refuse_too_many(model: Model, cell: np.ndarray, text: str) -> None:
    with jax.enable_x64(True):
        expected = abs(np.linalg.det(cell)) * float(model.density())
    if expected > _MOST:
        reason = f"the cell would have about {expected:.1g} sites, {_MOST:.0e} are the most"
        raise InputError("PERIODS", text, reason, "Take shorter periods, or cut the quasicrystal itself")


def _group(found: Approximant, symbols: list[str], scale: float) -> dict[str, Any]:
    if found.cell.shape != (3, 3):
        raise InputError("--space-group", "", "only structures in space have one", "Leave it out")
    from ..interop.ase import approximant_to_atoms, space_group

    group = space_group(approximant_to_atoms(found, symbols, scale=scale), tolerance=1e-4 * scale)
    return group._asdict()


def _write(files: list[Path], found: Approximant, symbols: list[str], scale: float) -> None:
    columns = {"perp": found.perp, "lattice": found.indices}
    for file in files:
        match file.suffix.lower():
            case ".csv":
                write_table(file, {"xyz": found.positions * scale, "fraction": found.fractional, **columns})
            case ".vtu":
                from ..interop import write_sites_vtu

                write_sites_vtu(file, found.positions * scale, columns)
            case ending:
                from ..interop.ase import approximant_to_atoms

                atoms = approximant_to_atoms(found, symbols, scale=scale)
                atoms.write(file, format="cif" if ending == ".cif" else "extxyz")
