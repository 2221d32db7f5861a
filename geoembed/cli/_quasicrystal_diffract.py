"""`geoembed quasicrystal diffract`: Bragg reflections in files."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..core import InputError
from ..plot import diffraction_figure
from ..quasicrystal import Bragg, Model, bragg, cahn_indices
from ._quasicrystal_arguments import check_files, model_named, positive, views
from ._quasicrystal_files import write_table

_Q = {1: 25.0, 2: 16.0, 3: 33.0}  # rad: the default of the largest wave vector times the scale
_MOST = 1_000_000  # reflections before the weak ones are left out


def write_reflections(
    name: str,
    files: list[Path],
    q_max: float,
    q_perp_max: float,
    least: float,
    scale: float,
    centering: str,
    axis: int,
) -> dict[str, Any]:
    """Lists reflections in float64, writes the files, and returns the report.

    Raises:
        InputError: An argument cannot be used.
    """
    check_files(files, (".csv", ".png"))
    with jax.enable_x64(True):
        model = model_named(name, scale, centering, None)
        d = model.lattice.dimensions[0]
        if d == 1 and any(file.suffix.lower() == ".png" for file in files):
            raise InputError(name, "", "reflections on a line have no picture of spots", "Write a .csv file")
        if not 0 <= least < 1:
            raise InputError(
                "--least", f"{least:g}", "it is no share of an intensity", "Give 0 or more, below 1"
            )
        largest = positive("--q-max", q_max) if q_max else _Q[d] / scale
        _refuse_too_many(model, largest, positive("--q-perp-max", q_perp_max))
        found = bragg(model, q_max=largest, q_perp_max=q_perp_max, least=least)
        view, _ = views(model, axis)
        for file in files:
            if file.suffix.lower() == ".csv":
                write_table(file, _columns(found, model))
            else:
                title = f"Diffraction along a {axis}-fold axis" if d == 3 else "Diffraction pattern"
                diffraction_figure(_turned(found, view), least=least, title=title).savefig(file)
        return {
            "model": name,
            "reflections": len(found),
            "q_max": largest,
            "q_perp_max": q_perp_max,
            "strongest": _strongest(found),
            "files": [str(file) for file in files],
        }


def _refuse_too_many(model: Model, q_max: float, q_perp_max: float) -> None:
    """The reflections are the points of a lattice in a ball of each space: their number is known before."""
    d, m = model.lattice.dimensions
    ball = {1: 2.0, 2: np.pi, 3: 4 * np.pi / 3}
    volume = ball[d] * q_max**d * ball[m] * q_perp_max**m
    expected = volume * float(model.lattice.cell_volume()) / (2 * np.pi) ** (d + m)
    if expected > _MOST:
        reason = f"that would be about {expected:.1g} reflections to look at"
        raise InputError("--q-max, --q-perp-max", f"{q_max:g}, {q_perp_max:g}", reason, "Take smaller ones")


def _strongest(found: Bragg) -> dict[str, Any] | None:
    """The strongest reflection after Q = 0."""
    if len(found) < 2:
        return None
    return {
        "h": np.asarray(found.indices)[1].tolist(),
        "q": float(np.linalg.norm(np.asarray(found.q)[1])),
        "intensity": float(found.intensities[1]),
    }


def _columns(found: Bragg, model: Model) -> dict[str, np.ndarray]:
    columns = {
        "h": np.asarray(found.indices),
        "q": np.asarray(found.q),
        "q_perp": np.asarray(found.q_perp),
        "intensity": np.asarray(found.intensities),
        "real": np.asarray(found.factors.real),
        "imaginary": np.asarray(found.factors.imag),
    }
    whole = np.all(columns["h"] == np.rint(columns["h"]))
    if model.lattice.name == "icosahedral" and whole:
        n, m = cahn_indices(jnp.asarray(columns["h"].astype(int)))
        columns |= {"cahn_N": np.asarray(n), "cahn_M": np.asarray(m)}
    return columns


def _turned(found: Bragg, view: np.ndarray) -> Bragg:
    """Reflections in axes of which the first two span the picture."""
    if view.shape[1] != 3:
        return found
    axes = np.concatenate([view, np.cross(view[0], view[1])[None]])
    return eqx.tree_at(lambda b: b.q, found, found.q @ jnp.asarray(axes.T))
