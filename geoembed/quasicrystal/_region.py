"""The part of parallel space that a cut fills, and what both algorithms need to know of a surface."""

import dataclasses
from typing import Any

import numpy as np

from ._frames import decimals, exactly
from ._lattice import exact_projections
from ._model import Coset, Model, Surface, position_of
from ._window import Window, inside
from ._window_polytopes import on_host


@dataclasses.dataclass(frozen=True)
class Region:
    """A closed box |xᵢ| ≤ half sideᵢ, or a closed ball, which then fills the box."""

    half: np.ndarray  # [d]
    radius: float | None

    def contains(self, x: np.ndarray, exact_x: Any) -> np.ndarray:
        """Which points [n, d] lie in the region, decided exactly where rounding matters."""
        depth = (self.half - np.abs(x)).min(1)
        if self.radius is not None:
            depth = self.radius - np.linalg.norm(x, axis=1)
        result = depth >= 0
        near = np.flatnonzero(np.abs(depth) < 1e-9 * (1.0 + self.half.max()))
        if near.size:
            result[near] = self._contains_exactly(exact_x(near))
        return result

    @exactly
    def _contains_exactly(self, x: np.ndarray) -> np.ndarray:
        # what is 0 in exact arithmetic comes out below 1e-90
        if self.radius is None:
            depth = (decimals(self.half) - abs(x)).min(1)
        else:
            depth = decimals(self.radius) ** 2 - (x**2).sum(1)
        return depth.astype(float) >= -1e-90


@dataclasses.dataclass(frozen=True)
class Placed:
    """A surface of a model on the host, in float64 and in decimal numbers."""

    window: Window
    coset: Coset | None
    margin: float
    parallel: np.ndarray  # [d, D]
    perpendicular: np.ndarray  # [m, D]
    position: np.ndarray  # [D]
    shift: np.ndarray  # [m]
    exact: tuple[np.ndarray, np.ndarray]

    @property
    def start(self) -> np.ndarray:
        """The parallel coordinate of the index 0."""
        return self.parallel @ self.position

    @property
    def perp_start(self) -> np.ndarray:
        """The perpendicular coordinate of the index 0."""
        return self.perpendicular @ self.position + self.shift

    def points(self, indices: np.ndarray) -> np.ndarray:
        return (indices + self.position) @ self.parallel.T

    def perp(self, indices: np.ndarray) -> np.ndarray:
        return (indices + self.position) @ self.perpendicular.T + self.shift

    @exactly
    def exact_points(self, indices: np.ndarray) -> np.ndarray:
        return (decimals(indices) + decimals(self.position)) @ self.exact[0].T

    @exactly
    def exact_perp(self, indices: np.ndarray) -> np.ndarray:
        return (decimals(indices) + decimals(self.position)) @ self.exact[1].T + decimals(self.shift)

    def accepts(self, indices: np.ndarray) -> tuple[np.ndarray, bool]:
        """Which lattice points lie in the window, and whether one lies on its boundary."""
        perp = self.perp(indices)
        if self.margin > 0:
            return self.window.margin(perp) >= -self.margin, False
        return inside(self.window, perp, lambda rows: self.exact_perp(indices[rows]))

    def in_region(self, indices: np.ndarray, region: Region) -> np.ndarray:
        """Which lattice points have their parallel coordinate in the region."""
        return region.contains(self.points(indices), lambda rows: self.exact_points(indices[rows]))

    def in_coset(self, indices: np.ndarray) -> np.ndarray:
        return np.ones(len(indices), bool) if self.coset is None else self.coset.contains(indices)


def placed(model: Model, surface: Surface, margin: float) -> Placed:
    """A surface with what surrounds it, on the host."""
    exact = exact_projections(model.lattice)
    return Placed(
        window=on_host(surface.window),
        coset=surface.coset,
        margin=margin,
        parallel=exact[0].astype(float),
        perpendicular=exact[1].astype(float),
        position=position_of(surface, exact[0].shape[1]),
        shift=np.asarray(model.shift, np.float64),
        exact=exact,
    )
