"""Sites of quasicrystals as tables, atoms and ParaView files."""

import csv
from pathlib import Path

import numpy as np

from ..interop import write_sites_vtu

SITE_FILES = (".csv", ".extxyz", ".xyz", ".vtu")


def write_sites(
    files: list[Path],
    points: np.ndarray,
    columns: dict[str, np.ndarray],
    symbols: list[str],
    bonds: np.ndarray | None = None,
) -> None:
    """Writes sites to every file whose ending is one of `SITE_FILES`; others are left alone.

    Args:
        files: The files.
        points: Å, one to three coordinates.
        columns: What else is known of each site: [n] or [n, k].
        symbols: The elements.
        bonds: Pairs of sites, for ParaView.
    """
    for file in files:
        match file.suffix.lower():
            case ".csv":
                write_table(file, {"xyz": points, **columns})
            case ".extxyz" | ".xyz":
                from ..interop.ase import sites_to_atoms

                sites_to_atoms(points, symbols, columns).write(file, format="extxyz")
            case ".vtu":
                write_sites_vtu(file, points, columns, bonds)


def write_table(file: Path, columns: dict[str, np.ndarray]) -> None:
    """Writes columns with a headline; of several components each has its own name.

    Floats are written so that reading them gives the same number.
    """
    names, parts = [], []
    for name, values in columns.items():
        if values.ndim == 1:
            names.append(name)
            parts.append(values[:, None])
            continue
        letters = "xyz" if name == "xyz" else [f"{name}_{i}" for i in range(1, values.shape[1] + 1)]
        names += list(letters[: values.shape[1]])
        parts.append(values)
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(names)
        for rows in zip(*(part.tolist() for part in parts), strict=True):
            writer.writerow([value for row in rows for value in row])
