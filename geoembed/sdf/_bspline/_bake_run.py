"""One bake: its levels, its memory, its held-out points."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, PRNGKeyArray

from ...core import InputError
from ._bake_measure import field_values, held_out, surface_shift, zone_errors
from ._bake_refine import Flagged, band_bricks, flagged_points, requested
from ._bake_report import BakeReport, Status
from ._baked import BakedSDF
from ._brick_levels import Indices, Levels
from ._chunks import Exact

_SPARE = 0.0075  # of the zone near the surface: what may be given up when 1 % may exceed the tolerance
_LATE = 0.04  # it is given up only when no more than this exceeds it: in a step that is likely to be the last


class BakeRun:
    """The state of a bake.

    Args:
        levels: The base grid.
        band: Half the width of the zone near the surface, in the unit of length.
        memory: Largest size of the field, in bytes.
        key: Random key of the points.
    """

    def __init__(self, levels: Levels, *, band: float, memory: int, key: PRNGKeyArray):
        self.levels, self.band, self.memory = levels, band, memory
        self.exact: Exact = levels.exact
        high, low = np.asarray(jax.random.bits(key, (2,), jnp.uint32)).tolist()
        seeds = np.random.SeedSequence((high << 32) | low).spawn(2)
        self.rng = np.random.default_rng(seeds[0])
        self.field = levels.field()
        self.points = held_out(self.exact, self.field, band, np.random.default_rng(seeds[1]))

    def to_level(self, last: int) -> BakedSDF:
        """Refines the whole zone near the surface down to a level."""
        for level in range(1, last + 1):
            index = band_bricks(
                self.exact, self.levels.grid, self.levels.indices[level - 1], level, self.band
            )
            indices = self.levels.extended({level: index})
            if (needed := self.levels.size(indices)) > self.memory:
                reason = f"the field needs {needed} bytes, more than memory={self.memory}"
                hint = "Allow more memory, a smaller band or a coarser spacing"
                raise InputError("<bake>", "spacing", reason, hint)
            self._grow(indices)
        return self.finished("fixed spacing", None, "")

    def to_tolerance(self, tolerance: float) -> BakedSDF:
        """Refines where the error is too large, until the tolerance is reached or the memory is used up."""
        reason, spare = "", _SPARE * self.points.volume
        pending, whole = self.levels.indices, True
        while self.p99() > tolerance:
            flagged = flagged_points(
                self.exact, self.field, pending, band=self.band, tolerance=tolerance, rng=self.rng
            )
            late = float(flagged.volume.sum()) <= _LATE * self.points.volume
            bricks, given_up = flagged.worst_first(spare if late else 0.0)
            spare -= given_up
            count = self._affordable(flagged, bricks)
            new = self._grow(self.levels.extended(requested(flagged.of(bricks[:count]), self.levels)))
            if count < len(bricks):
                reason = f"the memory of {self.memory} bytes is used up"
                break
            if whole and not any(map(len, new)):
                reason = "no finer grid can be addressed" if count else "the large errors were not found"
                break
            # Bricks that stay as they are need no second look, unless too much was given up.
            whole = bool(given_up) or not any(map(len, new))
            pending = self.levels.indices if whole else new
        reached = self.p99() <= tolerance
        return self.finished("reached" if reached else "not reached", tolerance, "" if reached else reason)

    def p99(self) -> float:
        """The 99th percentile of the error at the held-out points near the surface."""
        found, _ = field_values(self.field, self.points.near)
        return float(np.quantile(np.abs(found - self.points.near_value), 0.99, method="higher"))

    def _affordable(self, flagged: Flagged, bricks: Int[np.ndarray, " k"]) -> int:
        """How many of the bricks can be refined within the memory."""

        def fits(count: int) -> bool:
            wanted = requested(flagged.of(bricks[:count]), self.levels)
            return self.levels.size(self.levels.extended(wanted)) <= self.memory

        if fits(len(bricks)):
            return len(bricks)
        enough, too_many = 0, len(bricks)
        while too_many - enough > max(1, len(bricks) // 64):
            middle = (enough + too_many) // 2
            enough, too_many = (middle, too_many) if fits(middle) else (enough, middle)
        return enough

    def _grow(self, indices: Indices) -> Indices:
        new = self.levels.grow(indices)
        self.field = self.levels.field()
        return new

    def finished(self, status: Status, tolerance: float | None, reason: str) -> BakedSDF:
        """Measures the field and puts the result together."""
        near, near_smooth = zone_errors(self.exact, self.field, self.points.near)
        box, box_smooth = zone_errors(self.exact, self.field, self.points.box)
        surface = surface_shift(self.exact, self.field, self.points.near)
        grid = self.levels.grid
        report = BakeReport(
            status=status,
            reason=reason,
            tolerance=tolerance,
            band=self.band,
            spacing=tuple(grid.step(level) for level in range(len(self.levels.indices))),
            bricks=tuple(map(len, self.levels.indices)),
            size=self.field.size,
            evaluations=self.exact.evaluations,
            near=near,
            near_smooth=near_smooth,
            box=box,
            box_smooth=box_smooth,
            surface=surface,
        )
        return BakedSDF(self.field, report)
