"""How the solid of a part conducts: one constant number, or anything else."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ..sdf import MeshSDF, sample_interior
from ._equations._conductivity import ConductivityTable
from ._equations._solid import conducted, highest_of, level_of, solid_values

_SAMPLES = 4096  # points inside a part that stand for a function


@dataclass(frozen=True, eq=False)
class Conduction:
    """The conductivity of a part.

    Args:
        value: A number, a table of k(T), a matrix or a function of the point.
        domain: The part.
    """

    value: Any
    domain: MeshSDF

    @property
    def placed(self) -> bool:
        """Whether it is a function of the point."""
        return callable(self.value) and not isinstance(self.value, ConductivityTable)

    @property
    def plain(self) -> bool:
        """Whether it is a number, or k(T)."""
        return isinstance(self.value, ConductivityTable) or not (self.placed or isinstance(self.value, tuple))

    @cached_property
    def places(self) -> Float[np.ndarray, "n 3"]:
        """Fixed points inside the part that stand for it."""
        return sample_interior(self.domain, _SAMPLES, key=jax.random.key(0)).points

    @cached_property
    def samples(self) -> Float[np.ndarray, "n *ij"]:
        """Its values at fixed points inside the part, W/(m K)."""
        if not self.placed:
            return self.at(np.zeros((1, 3)))
        return self.at(self.places)

    @cached_property
    def mean(self) -> float:
        """The mean of the principal conductivities over the part, or of a table: the unit of conductivity, W/(m K)."""
        if isinstance(self.value, ConductivityTable):
            return self.value.mean
        return float(np.mean(level_of(self.samples))) if not self.plain else self.value

    @cached_property
    def mean_tensor(self) -> Float[np.ndarray, "3 3"]:
        """The mean over the part of a matrix, W/(m K); a number stands for a multiple of the unit matrix."""
        if self.plain or self.samples.ndim == 1:
            return self.mean * np.eye(3)
        return self.samples.mean(axis=0)

    @property
    def relative(self) -> np.ndarray | Callable[[np.ndarray], np.ndarray] | None:
        """K over its mean: None for a number or k(T), else a matrix or a function of points."""
        if self.plain:
            return None
        if not self.placed:
            return np.asarray(self.value) / self.mean
        return lambda points: self.at(points) / self.mean

    def at(
        self, points: Float[np.ndarray, "n 3"], temperature: Float[np.ndarray, " n"] | None = None
    ) -> Float[np.ndarray, "n *ij"]:
        """Returns K at points, in the part's unit, at temperatures in K: numbers or matrices, W/(m K)."""
        if isinstance(self.value, ConductivityTable):
            if temperature is None:
                raise ValueError("k(T) needs the temperature")
            return np.asarray(self.value(temperature))
        if self.placed:
            return solid_values("conductivity", self.value, points)
        value = np.asarray(self.value, np.float64)
        return np.broadcast_to(value, (len(points), *value.shape))

    def heat(
        self,
        points: Float[np.ndarray, "n 3"],
        temperature: Float[np.ndarray, " n"],
        gradient: Float[np.ndarray, "n 3"],
    ) -> Float[np.ndarray, "n 3"]:
        """Returns K ∇T at points, W/m² if the gradient is in K/m."""
        return conducted(self.at(points, temperature), gradient)

    def highest_at(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Returns the largest principal conductivity at points over the mean; 1 for a number or k(T)."""
        if self.plain:
            return np.ones(len(points))
        if not self.placed:
            return np.full(len(points), float(highest_of(self.samples)[0]) / self.mean)
        return highest_of(self.at(points)) / self.mean
