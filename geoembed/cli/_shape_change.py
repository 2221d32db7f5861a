"""How a temperature changes with the shape of a part: computed, and in words."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..core import InputError
from ..pinn import MeanTemperature, PeakTemperature, Problem, patch_velocity, shape_gradient
from ._places import Places
from ._shape_config import ShapeTable

_WIDTH = 0.05  # of the spread of the temperature

Velocities = dict[str, Float[np.ndarray, "v 3"]]


def velocities(table: ShapeTable, problem: Problem, file: Path) -> Velocities:
    """The velocity of the vertices for each motion, before anything is solved.

    Args:
        table: The table.
        problem: The problem.
        file: The configuration file.

    Raises:
        InputError: The heat problem has no shape gradient, or a patch cannot be moved.
    """
    places, found = Places(file), {}
    if problem.nonlinear:
        reason = "radiation and a conductivity that depends on the temperature have no shape gradient"
        raise places.wrong(
            ("shape",), reason, "Give a constant conductivity and convection, or remove [shape]"
        )
    if table.over is not None and not np.any(problem.resolved.mask(table.over)):
        raise places.wrong(("shape", "over"), f"the patch {table.over!r} has no face", "Name another patch")
    for number, move in enumerate(table.moves):
        place, name = ("shape", "moves", number), move.name or move.patch
        if name in found:
            raise places.wrong(
                place, f"there are two motions named {name!r}", "Give one of them another name"
            )
        try:
            found[name] = patch_velocity(problem, move.patch, move.direction)
        except InputError as error:
            key = "direction" if error.file == "direction" else "patch"
            raise places.wrong((*place, key), f"{error.where} {error.reason}", error.hint) from error
    return found


def shape_change(
    table: ShapeTable, problem: Problem, moved: Velocities, spread: float, key: PRNGKeyArray
) -> dict[str, Any]:
    """The derivatives for report.json.

    Args:
        table: The table.
        problem: The problem.
        moved: The velocity of the vertices for each motion.
        spread: Of the temperature on the surface, K.
        key: A random key: places the grid.
    """
    width = table.width or max(_WIDTH * spread, 1e-6)
    peak = table.functional == "peak"
    functional = PeakTemperature(table.over, width=width) if peak else MeanTemperature(table.over)
    found = shape_gradient(lambda _: problem, None, functional, key=key, cells=table.cells, form=table.form)
    return {
        "functional": table.functional,
        "over": table.over or "the volume",
        "width_K": width if peak else None,
        "value_K": found.value,
        "per": problem.domain.unit,
        "moves": {name: found.along(velocity) for name, velocity in moved.items()},
        "linear_systems_solved": found.converged,
    }


def shape_lines(shape: dict[str, Any]) -> list[str]:
    """The derivatives in a few lines for a person."""
    head = f"  {_what(shape) + ':':<22}{shape['value_K']:.2f} K; when a patch moves:"
    return [
        head,
        *(f"    {name + ':':<20}{change:+.4g} K/{shape['per']}" for name, change in shape["moves"].items()),
    ]


def shape_section(shape: dict[str, Any]) -> str:
    """The derivatives as a section of the page."""
    width = "" if shape["width_K"] is None else f", width {shape['width_K']:.3g} K"
    rows = "\n".join(f"| `{name}` | {change:+.4g} |" for name, change in shape["moves"].items())
    text = (
        f"## If the shape changes\n\nThe {_what(shape)} ({shape['value_K']:.2f} K{width}) changes when a patch is"
        f" moved:\n\n| motion | K/{shape['per']} |\n|---|---|\n{rows}\n\nOn a grid of its own; another seed or more"
        " cells in `[shape]` say how good these figures are."
    )
    warning = "\n\n**A linear system was not solved to its tolerance.**"
    return text if shape["linear_systems_solved"] else text + warning


def _what(shape: dict[str, Any]) -> str:
    return f"{shape['functional']} over {shape['over']}"
