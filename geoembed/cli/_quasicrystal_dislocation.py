"""`geoembed quasicrystal dislocation`: the sites around a straight dislocation in files."""

import math
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import InputError
from ..plot import dislocation_figure
from ..plot._bonds import bonds_of_indices
from ..quasicrystal import (
    Model,
    StraightDislocation,
    Winding,
    dislocated,
    elastic_invariants,
    elastic_tensor,
    is_translation,
    lattice_point_group,
    stability_margin,
    straight_dislocation,
    winding,
)
from ._quasicrystal_arguments import check_files, model_named, numbers, positive, symbols_of, tile_edge
from ._quasicrystal_files import SITE_FILES, write_sites

_MOST = 200_000  # sites; each is the root of an equation


def write_dislocation(
    name: str,
    files: list[Path],
    burgers: str,
    line: str | None,
    radius: float,
    core: float,
    branch: float,
    constants: dict[str, str | None],
    scale: float,
    shift: str | None,
    element: str,
) -> dict[str, Any]:
    """Displaces the lattice, cuts it, writes the files, and returns the report.

    Raises:
        InputError: An argument cannot be used.
    """
    check_files(files, (*SITE_FILES, ".png"))
    with jax.enable_x64(True):
        model = model_named(name, scale, "P", shift)
        parallel, perp = (np.asarray(part, np.float64) for part in model.lattice.projections())
        _require(name, model, positive("--radius", radius), positive("--core", core))
        vector = numbers("--burgers", burgers, parallel.shape[1])
        if not np.any(vector):
            raise InputError("--burgers", burgers, "it is 0", "Give a lattice vector")
        both = jnp.asarray(np.concatenate([parallel @ vector, perp @ vector]))
        direction = _line(line, len(parallel))
        field, energy = _field(parallel, perp, both, direction, constants, scale)
        found = dislocated(model, field, radius=radius, core=core, branch=math.radians(branch))
        columns = {"perp": found.perp, "lattice": found.indices, "angle": found.angle}
        if len(model.surfaces) > 1:
            columns["species"] = found.species
        symbols = symbols_of(element, found.species)
        edge, whole = tile_edge(model), is_translation(model, vector)
        jump = vector.astype(int) if whole else np.zeros(len(vector), int)
        bonds = bonds_of_indices(found.points, found.indices, 1.35 * edge, jump)
        write_sites(files, found.points, columns, symbols, bonds)
        pictures = [file for file in files if file.suffix.lower() == ".png"]
        if pictures:
            views = np.asarray(field.axes, np.float64), np.eye(2, len(perp))
            figure = dislocation_figure(found, perp, vector, edge=edge, view=views[0], perp_view=views[1])
            for file in pictures:
                figure.savefig(file)
        return {
            "model": name,
            "sites": len(found.points),
            "burgers_physical": (parallel @ vector).tolist(),
            "burgers_perpendicular": (perp @ vector).tolist(),
            "of_the_lattice": whole,
            "note": None if whole else "no translation of all its windows: there is a fault on the cut",
            "displacement": "elastic" if energy is not None else "b angle / 2 pi",
            "energy_factor": energy,
            "files": [str(file) for file in files],
        }


def _require(name: str, model: Model, radius: float, core: float) -> None:
    d = model.lattice.dimensions[0]
    if d == 1:
        hint = "Choose penrose, ammann_beenker, dodecagonal or icosahedral"
        raise InputError("MODEL", name, "a chain has no lines", hint)
    if core >= radius:
        raise InputError(
            "--core", f"{core:g}", f"the core fills the ball of {radius:g}", "Take a larger --radius"
        )
    expected = float(model.density()) * (math.pi * radius**2 if d == 2 else 4 / 3 * math.pi * radius**3)
    if expected > _MOST:
        reason = f"that would be {expected:.1g} sites, {_MOST:.0e} are the most"
        raise InputError("--radius", f"{radius:g}", reason, "Take a smaller one")


def _line(text: str | None, d: int) -> jax.Array | None:
    if d == 2:
        if text is not None:
            raise InputError("--line", text, "in the plane a dislocation is a point", "Leave --line out")
        return None
    if text is None:
        raise InputError("--line", "", "it is missing", "Give the direction of the dislocation: --line 0,0,1")
    direction = numbers("--line", text, 3)
    if not np.any(direction):
        raise InputError("--line", text, "it is 0", "Give a direction")
    return jnp.asarray(direction)


def _field(
    parallel: np.ndarray,
    perp: np.ndarray,
    burgers: jax.Array,
    line: jax.Array | None,
    constants: dict[str, str | None],
    scale: float,
) -> tuple[Winding | StraightDislocation, float | None]:
    """The displacement, and the energy over ln(R/r) where it is an elastic one."""
    if all(text is None for text in constants.values()):
        return winding(burgers, line), None
    invariants = elastic_invariants(lattice_point_group(parallel, perp))
    values = []
    for kind, block in zip(constants, invariants, strict=True):
        text, count = constants[kind], len(block.components)
        if text is None and kind != "coupling" and count:
            raise InputError(
                f"--{kind}",
                "",
                "it is missing",
                f"Give {count} constants: the components {_named(block.components)}",
            )
        given = np.zeros(count) if text is None else numbers(f"--{kind}", text)
        if len(given) != count:
            raise InputError(
                f"--{kind}",
                str(text),
                f"there are {len(given)} constants, the point group has {count}",
                f"Give the components {_named(block.components)}" if count else f"Leave --{kind} out",
            )
        values.append(jnp.asarray(given))
    stiffness = elastic_tensor(invariants, *values)
    margin = float(stability_margin(stiffness))
    if margin <= 0:
        raise InputError(
            "--phonon, --phason, --coupling",
            "",
            f"the elastic tensor is not stable: its smallest eigenvalue is {margin:.3g}",
            "Take larger phonon and phason constants or a smaller coupling",
        )
    # the constants are those of a phason displacement in Å, the perpendicular coordinates are in units of the scale
    unit = jnp.asarray(np.repeat([1.0, scale], [len(parallel), len(perp)]))
    stiffness = stiffness * unit[:, None, None, None] * unit[None, None, :, None]
    field = jax.jit(straight_dislocation)(stiffness, burgers, line)
    return field, float(field.energy_factor())


def _named(components: tuple[tuple[int, int, int, int], ...]) -> str:
    """Components of the elastic tensor, counted from 1 as in books."""
    return ", ".join("C" + "".join(str(i + 1) for i in component) for component in components)
