"""`geoembed quasicrystal cut`: the sites of a quasicrystal in files."""

import math
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..core import InputError
from ..plot import chain_figure, sites_figure, tiling_figure
from ..plot._bonds import bonds_of_length
from ..quasicrystal import Cut, Model
from ..quasicrystal import cut as cut_of
from ._quasicrystal_arguments import check_files, model_named, positive, symbols_of, tile_edge, views
from ._quasicrystal_files import SITE_FILES, write_sites

_MOST = 5_000_000  # sites: a table of them has a gigabyte


def write_cut(
    name: str,
    files: list[Path],
    radius: float | None,
    box: float | None,
    scale: float,
    centering: str,
    shift: str | None,
    element: str,
    axis: int,
) -> dict[str, Any]:
    """Cuts in float64, writes the files, and returns the report.

    Raises:
        InputError: An argument cannot be used.
    """
    check_files(files, (*SITE_FILES, ".png"))
    with jax.enable_x64(True):
        model = model_named(name, scale, centering, shift)
        size = _size(model, radius, box)
        found = cut_of(model, radius=radius, box=box)
        if len(found) == 0:
            option = "--radius" if radius is not None else "--box"
            raise InputError(option, f"{radius or box:g}", "there is no site in it", "Take a larger one")
        points = np.asarray(found.points)
        columns = {
            "perp": np.asarray(found.perp),
            "lattice": np.asarray(found.indices),
            "species": np.asarray(found.species),
        }
        symbols = symbols_of(element, columns["species"])
        write_sites(files, points, columns, symbols, _bonds(files, points, model))
        pictures = [file for file in files if file.suffix.lower() == ".png"]
        if pictures:
            figure = _figure(model, found, axis)
            for file in pictures:
                figure.savefig(file)
        kinds, counts = np.unique(columns["species"], return_counts=True)
        return {
            "model": name,
            "sites": len(found),
            "by_kind": dict(zip(map(str, kinds.tolist()), counts.tolist(), strict=True)),
            "density": len(found) / size,
            "density_of_the_quasicrystal": float(model.density()),
            "singular": found.singular,
            "files": [str(file) for file in files],
        }


def _size(model: Model, radius: float | None, box: float | None) -> float:
    """The volume of the region, after a look at how many sites it would hold."""
    d = model.lattice.dimensions[0]
    if (radius is None) == (box is None):
        given = "both are given" if radius is not None else "neither is given"
        raise InputError("--radius, --box", "", given, "Give one of them")
    if radius is not None:
        option, half = "--radius", positive("--radius", radius)
        volume = {1: 2.0, 2: math.pi, 3: 4 * math.pi / 3}[d] * half**d
    else:
        option, half = "--box", positive("--box", box or 0.0)
        volume = (2 * half) ** d
    expected = float(model.density()) * volume
    if expected > _MOST:
        most = half * (_MOST / expected) ** (1 / d)
        reason = f"that would be {expected:.2g} sites, {_MOST:.0e} are the most that files are written of"
        raise InputError(
            option, f"{half:g}", reason, f"Take at most {most:.3g}, or geoembed.quasicrystal.cut"
        )
    return volume


def _bonds(files: list[Path], points: np.ndarray, model: Model) -> np.ndarray | None:
    if all(file.suffix.lower() != ".vtu" for file in files) or model.lattice.dimensions[0] == 1:
        return None
    return bonds_of_length(points, tile_edge(model))


def _figure(model: Model, found: Cut, axis: int) -> Any:
    d = model.lattice.dimensions[0]
    if d == 1:
        if len(found) < 2:
            raise InputError("--radius, --box", "", "there is only one site to draw", "Take a larger one")
        return chain_figure(model, found)
    if d == 2:
        return tiling_figure(found, edge=tile_edge(model))
    view, perp_view = views(model, axis)
    return sites_figure(found, view=view, perp_view=perp_view, title=f"Sites along a {axis}-fold axis")
