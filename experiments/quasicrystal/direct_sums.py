"""How fast sums over the points of a region come close to the closed-form structure factors.

The error of a sum is Σ F(Q′) B(Q − Q′) over all other reflections, with B the transform of the region by its volume:
across a face of the window F falls as 1/Q⊥, those reflections come no nearer than 1/Q⊥, and B ends at 1/R, so that the
largest terms have F ~ 1/R and the error falls as R^−1, or N^−1/3, for balls; across the faces of a cube B itself falls
as 1/R only and each of the log R scales has as much: N^−1/3 √log N.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from geoembed import quasicrystal as qc

FAR = 50.0  # lattice constants: slices this far apart in perpendicular space are as good as independent
NAMES = {"ball": ("balls", "#1f5f8b"), "cube": ("cubes along 2-fold axes", "#c2571a")}


def measure(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """For balls and for cubes of the same volumes: numbers of points, errors, and the exponent of the error in N.

    The error of a size is the root of the mean square of |Σ exp(i Q·x) / N − F(Q)| over the reflections and over random
    slices, drawn anew for each size, so that the sizes are independent and the fit's standard error means what it says.
    """
    rng = np.random.default_rng(config["seed"])
    smallest, largest = config["radii"]
    radii = np.geomspace(smallest, largest, config["sizes"])
    found = {}
    for shape in NAMES:
        rows = [_errors(shape, float(radius), config, rng) for radius in radii]
        numbers, errors = (np.array(part) for part in zip(*rows, strict=True))
        slope, error = exponent(numbers, errors)
        found[shape] = {
            "points": numbers.tolist(),
            "errors": errors.tolist(),
            "exponent": slope,
            "standard error": error,
        }
    return found


def exponent(numbers: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """The slope of log error over log N by least squares, with its standard error from the scatter about the line."""
    x, y = np.log(numbers), np.log(errors)
    slope, level = np.polyfit(x, y, 1)
    scatter = np.sum((y - slope * x - level) ** 2) / (len(x) - 2)
    return float(slope), float(np.sqrt(scatter / np.sum((x - x.mean()) ** 2)))


def _errors(
    shape: str, radius: float, config: dict[str, Any], rng: np.random.Generator
) -> tuple[float, float]:
    """The mean number of points and the error in balls of a radius, or in cubes of their volume."""
    h = jnp.array(config["reflections"])
    size = {"radius": radius} if shape == "ball" else {"box": radius * (math.pi / 6) ** (1 / 3)}
    q = np.asarray(qc.wave_vectors(qc.icosahedral(), h)[0])
    factors = jax.jit(lambda shift: qc.structure_factor(qc.icosahedral(shift=shift), h))
    numbers, squares = [], []
    for _ in range(config["slices"]):
        shift = jnp.asarray(rng.uniform(-FAR, FAR, 3))
        points = np.asarray(qc.cut_points(qc.icosahedral(shift=shift), **size))
        sums = [np.exp(1j * (points @ one)).mean() for one in q]
        numbers.append(len(points))
        squares.append(np.mean(np.abs(sums - np.asarray(factors(shift))) ** 2))
    return float(np.mean(numbers)), float(np.sqrt(np.mean(squares)))


def draw(found: dict[str, dict[str, Any]]) -> Figure:
    """Errors over numbers of points, with the fitted lines."""
    figure = Figure(figsize=(6.6, 4.6), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for shape, (name, colour) in NAMES.items():
        row = found[shape]
        numbers, errors = np.array(row["points"]), np.array(row["errors"])
        slope = row["exponent"]
        level = np.mean(np.log(errors) - slope * np.log(numbers))
        label = f"{name}: $N^{{{slope:.3f} \\pm {row['standard error']:.3f}}}$"
        axes.plot(numbers, errors, "o", color=colour, markersize=5, label=label)
        axes.plot(numbers, np.exp(level) * numbers**slope, color=colour, linewidth=1.2)
    axes.set(xscale="log", yscale="log", xlabel="points $N$", ylabel="rms error of $F$")
    axes.set_title("Direct sums beside the transform of the window", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    return figure
