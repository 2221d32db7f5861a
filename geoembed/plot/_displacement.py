"""The picture of a solved elastic part: its deformed surface, coloured by displacement and by stress."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..pinn import Problem, Result
from ..sdf import evaluate
from ..sdf._subdivide import subdivide
from ._colour import colour_bar, colour_scale, description, part_titles
from ._quantities import Quantity, quantities
from ._skin import Skin
from ._style import INK, LABEL
from ._surface import paint, surface_panel

_SIZE, _DPI = (14.0, 6.4), 130  # inches, dots per inch
_EDGE, _MOST = 1 / 80, 150_000  # longest edges of triangles, of the part's length; triangles
_SEEN = 0.08  # of the part's length: how far the largest displacement is drawn


def displacement_figure(problem: Problem, result: Result) -> Figure:
    """Draws an elastic part with its deformation enlarged: coloured by the size of the displacement, and by stress.

    The enlargement is a round number that makes the largest displacement about 8 % of the part's length, and is
    written above the pictures. Colours are linear between points of the surface that are at most 1/80 of the part's
    length apart. The scale of the von Mises stress ends where 99.5 % of the surface lie below: at re-entrant edges and
    at the rims of held patches the exact stress is infinite.

    Args:
        problem: The problem; its equation is `SteadyElasticity`.
        result: Its solution.

    Returns:
        A figure on an Agg canvas of its own; pyplot is not touched. It has the axes "surface 0", "surface 1" and
        "colour bar 0", "colour bar 1".

    Example:
        >>> displacement_figure(problem, result).savefig("displacement.png")  # doctest: +SKIP
    """
    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    points, skin, enlarged = _deformed(problem, result)
    for number, quantity in enumerate(quantities(problem, result)):
        _panel(figure, 0.5 * number, number, skin, points, quantity)
    part_titles(figure, problem, result, description(problem))
    words = f"deformation enlarged {enlarged:g} times" if enlarged != 1 else "deformation to scale"
    figure.text(0.5, 0.03, words, fontsize=LABEL, color=INK, ha="center", va="center")
    return figure


def save_displacement(path: str | Path, problem: Problem, result: Result) -> None:
    """Writes `displacement_figure` to a file.

    Args:
        path: Where; its ending chooses the format (.png, .pdf, .svg, ...).
        problem: The problem.
        result: Its solution.
    """
    displacement_figure(problem, result).savefig(path)


def _deformed(problem: Problem, result: Result) -> tuple[Float[np.ndarray, "v 3"], Skin, float]:
    """Points of the surface, the same surface moved, and by how much the movement is enlarged."""
    domain = problem.domain
    length = float(np.max(domain.bounds[1] - domain.bounds[0]))
    points, faces, home = subdivide(domain.vertices, domain.faces, _EDGE * length, most=_MOST)
    moved = evaluate(result.value, points) / domain.metres_per_unit
    moved = np.where(np.isfinite(moved), moved, 0.0)
    enlarged = _round(_SEEN * length / max(float(np.abs(moved).max()), 1e-300))
    return points, Skin(points + enlarged * moved, faces, domain.unit, domain.normals[home]), enlarged


def _round(factor: float) -> float:
    """The largest of …, 1, 2, 5, 10, … that is not above a factor; 1 for one below or without bound."""
    if not 1 < factor < 1e15:
        return 1.0
    decade = 10.0 ** np.floor(np.log10(factor))
    return float(decade * max(step for step in (1, 2, 5) if step * decade <= factor * (1 + 1e-9)))


def _panel(
    figure: Figure, left: float, number: int, skin: Skin, points: Float[np.ndarray, "v 3"], quantity: Quantity
) -> None:
    values = np.asarray(quantity.at(points))
    unit, label = quantity.scale(values)
    surface = surface_panel(figure, (left, 0.05, 0.42, 0.82), skin, f"surface {number}")
    picture = surface.picture
    seen = skin.blend(values / unit, picture.face[picture.face >= 0], picture.points)
    colours, levels = colour_scale(seen, singular=quantity.singular)
    paint(surface, skin, seen, colours)
    bar = figure.add_axes((left + 0.435, 0.15, 0.013, 0.62), label=f"colour bar {number}")
    colour_bar(figure, bar, colours, levels, label, singular=quantity.singular)
