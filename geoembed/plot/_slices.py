"""Three plane sections of a solved part."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..pinn import Problem, Result, TransientField
from ..sdf import MeshSDF
from ._colour import colour_bar, colour_scale, description, part_titles
from ._quantities import Quantity, quantities
from ._section import Section, middle_section, section
from ._slice import Slice, sample_slice, slice_panel
from ._style import LABEL, WARNING

_WIDTH, _DPI = 13.0, 120  # inches, dots per inch
_HEAD, _FOOT = 1.05, 0.65  # inches above and below the rows
_PIXELS = 300  # of the longer side of a slice
_OFF = 1e-7  # of the part's length: planes are moved by this, off faces that lie in them


def slices_figure(problem: Problem, result: Result, places: Mapping[str, float] | None = None) -> Figure:
    """Draws a part on three planes: across x, y and z.

    A row shows the temperature, of heat in time that of the last moment; or one the size of the displacement and one
    the von Mises stress, whose scale ends where 99.5 % of its values lie below: it is infinite at re-entrant edges.
    White lines are isolines at the ticks of the colour bar, which a row shares.

    Args:
        problem: The problem: heat in a part, or an elastic part.
        result: Its solution.
        places: Where planes cut, in the part's unit: {"x": 10.0}. The others cut near the middle, where the area is
            largest.

    Returns:
        A figure on an Agg canvas of its own; pyplot is not touched. Its axes are named "x 0", "y 0", "z 0", "x 1", …

    Raises:
        ValueError: A place is not of x, y or z.

    Example:
        >>> slices_figure(problem, result, {"z": 5.0}).savefig("slices.png")  # doctest: +SKIP
    """
    cuts = _cuts(problem.domain, dict(places or {}))
    shown = quantities(problem, result)
    height = _HEAD + _FOOT + len(shown) * _row_height(problem.domain, cuts)
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(shown), 3, left=0.06, right=0.9, top=1 - _HEAD / height, bottom=_FOOT / height,
        hspace=0.35, wspace=0.28,
    )  # fmt: skip
    for row, quantity in enumerate(shown):
        pieces = [sample_slice(problem.domain, cut, quantity.at, _PIXELS) for cut in cuts]
        _draw_row(figure, [grid[row, column] for column in range(3)], problem.domain, pieces, quantity, row)
    field = result.field
    at_end = f", at {float(field.times[-1]):.4g} s" if isinstance(field, TransientField) else ""
    part_titles(figure, problem, result, description(problem) + at_end)
    return figure


def save_slices(
    path: str | Path, problem: Problem, result: Result, places: Mapping[str, float] | None = None
) -> None:
    """Writes `slices_figure` to a file.

    Args:
        path: Where; its ending chooses the format (.png, .pdf, .svg, ...).
        problem: The problem.
        result: Its solution.
        places: As in `slices_figure`.
    """
    slices_figure(problem, result, places).savefig(path)


def _cuts(domain: MeshSDF, places: dict[str, float]) -> list[Section]:
    unknown = set(places) - set("xyz")
    if unknown:
        raise ValueError(f"planes are across x, y and z, received {sorted(unknown)}: name one of the three")
    off = _OFF * float(np.max(domain.bounds[1] - domain.bounds[0]))
    return [
        section(domain, axis, places[name] + off) if name in places else middle_section(domain, (axis,))
        for axis, name in enumerate("xyz")
    ]


def _row_height(domain: MeshSDF, cuts: list[Section]) -> float:
    """Inches of a row, for the highest of its pictures."""
    sides = domain.bounds[1] - domain.bounds[0]
    tall = max(float(sides[cut.across[1]] / sides[cut.across[0]]) for cut in cuts)
    return float(np.clip(0.25 * _WIDTH * tall + 0.75, 1.9, 4.2))


def _draw_row(
    figure: Figure, places: list, domain: MeshSDF, pieces: list[Slice], quantity: Quantity, row: int
) -> None:
    values = np.concatenate([piece.inside for piece in pieces])
    unit, label = quantity.scale(values)
    colours, levels = colour_scale(values / unit, singular=quantity.singular)
    for place, piece in zip(places, pieces, strict=True):
        axes = figure.add_subplot(place, label=f"{'xyz'[piece.cut.axis]} {row}")
        in_unit = Slice(piece.cut, piece.across, piece.up, piece.distance, piece.values / unit)
        slice_panel(axes, domain, in_unit, colours, levels)
        if not len(piece.inside):
            axes.text(
                0.5, 0.5, "nothing is cut here", transform=axes.transAxes, ha="center", va="center",
                fontsize=LABEL, color=WARNING,
            )  # fmt: skip
    box = places[-1].get_position(figure)
    bar = figure.add_axes((0.925, box.y0, 0.014, box.height), label=f"colour bar {row}")
    colour_bar(figure, bar, colours, levels, label, singular=quantity.singular)
