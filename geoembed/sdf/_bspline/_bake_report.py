"""The measured error of a baked field."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from ...core import register

Status = Literal["reached", "not reached", "fixed spacing"]


@register
@dataclass(frozen=True)
class ErrorFigures:
    """The distribution of one error over measured points.

    Args:
        median: Half of the points have a smaller error.
        p99: 99 % of the points have a smaller error.
        largest: The largest error.
        place: The point where it was found, in the unit of length.
    """

    median: float
    p99: float
    largest: float
    place: tuple[float, float, float]

    def __str__(self) -> str:
        place = ", ".join(f"{x:.6g}" for x in self.place)
        return f"median {self.median:.2e}, p99 {self.p99:.2e}, largest {self.largest:.2e} at ({place})"


@register
@dataclass(frozen=True)
class ZoneErrors:
    """The errors of a baked field over random points of one zone.

    Args:
        points: How many points were measured.
        value: |f − d|, in the unit of length.
        gradient: |∇f − ∇d|, without unit.
        laplacian: |Δf − Δd|, in one over the unit of length.
    """

    points: int
    value: ErrorFigures
    gradient: ErrorFigures
    laplacian: ErrorFigures


@register
@dataclass(frozen=True)
class BakeReport:
    """What a bake did and how good the result is.

    Every error is the difference between the stored field and the function that was baked, both evaluated in
    float64 at random points that the bake itself did not use. `near` is the zone |d| ≤ `band`; its 99th percentile
    of the value is what `tolerance` asks for. `box` is the whole box.

    A signed distance has kinks: its gradient jumps on the medial axis, which reaches the surface at edges. No
    twice differentiable field follows a kink: within about 3 cells of it the value is wrong by up to a third of
    the spacing, the gradient by up to the jump, and the Laplacian by the jump over the spacing. `near_smooth` and
    `box_smooth` hold the points that are 3 cells away from kinks: the function is compared with itself at the
    corners and face centres of the cube ±3 cells around the point, and the point counts as smooth when its gradient
    changes as its second derivatives say, to 1e-3, and these change by less than 0.01 per cell. The Laplacian is
    promised there only.

    Args:
        status: "reached" or "not reached" for a bake to a tolerance, else "fixed spacing".
        reason: Why it was not reached; empty otherwise.
        tolerance: The asked-for 99th percentile near the surface, in the unit of length; None for a fixed spacing.
        band: Half the width of the zone `near`, in the unit of length.
        spacing: The spacing of each level, coarse to fine, in the unit of length.
        bricks: How many bricks each level has. Those that finer ones replace everywhere are not stored.
        size: The bytes of the field.
        evaluations: How often the function was evaluated, the measurement included.
        near: Errors for |d| ≤ band.
        near_smooth: The same, 3 cells away from kinks; None if there is no such point.
        box: Errors in the whole box.
        box_smooth: The same, 3 cells away from kinks; None if there is no such point.
        surface: How far the zero set moved, in the unit of length: |f|/|∇f| at points where d = 0; None if none was
            found.
    """

    status: Status
    reason: str
    tolerance: float | None
    band: float
    spacing: tuple[float, ...]
    bricks: tuple[int, ...]
    size: int
    evaluations: int
    near: ZoneErrors
    near_smooth: ZoneErrors | None
    box: ZoneErrors
    box_smooth: ZoneErrors | None
    surface: ErrorFigures | None

    @property
    def reached(self) -> bool:
        """Whether the tolerance was reached."""
        return self.status == "reached"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """The report as lines of text."""
        wanted = "" if self.tolerance is None else f", tolerance {self.tolerance:.3g}"
        lines = [f"status: {self.status}{wanted}" + (f" ({self.reason})" if self.reason else "")]
        levels = zip(self.spacing, self.bricks, strict=True)
        lines.append("levels: " + ", ".join(f"{bricks} bricks of spacing {h:.4g}" for h, bricks in levels))
        lines.append(f"size: {self.size / 2**20:.1f} MiB, {self.evaluations} evaluations")
        lines.append(f"shift of the surface: {self.surface if self.surface else 'not measured'}")
        zones = [
            (f"|d| ≤ {self.band:.3g}", self.near),
            (f"|d| ≤ {self.band:.3g}, 3 cells from kinks", self.near_smooth),
            ("whole box", self.box),
            ("whole box, 3 cells from kinks", self.box_smooth),
        ]
        for name, zone in zones:
            lines.append(f"{name}: {zone.points if zone else 'no'} points")
            if zone:
                lines += [f"  {what}: {getattr(zone, what)}" for what in ("value", "gradient", "laplacian")]
        return "\n".join(lines)


def figures(errors: Float[np.ndarray, " n"], points: Float[np.ndarray, "n 3"]) -> ErrorFigures:
    """Returns the distribution of errors; a figure that is not finite counts as inf."""
    errors = np.where(np.isfinite(errors), errors, np.inf)
    worst = int(np.argmax(errors))
    x, y, z = points[worst].tolist()
    median, p99 = np.quantile(errors, [0.5, 0.99], method="higher").tolist()
    return ErrorFigures(median, p99, float(errors[worst]), (x, y, z))
