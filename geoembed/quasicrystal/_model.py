"""Quasicrystals: a lattice with windows."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ._lattice import Lattice
from ._window import Window

# Far from every boundary of the windows of low-index points: no point of the default cuts lies on a boundary.
_SHIFT = (0.0123, 0.0271, -0.0191)


@register
@dataclasses.dataclass(frozen=True)
class Coset:
    """The lattice points n with `rows` · n ≡ `residues` modulo `modulus`.

    Args:
        rows: Integer vectors.
        modulus: At least 2.
        residues: One for each row.

    Example:
        >>> Coset(((1, 1),), 2, (0,)).index(2)  # the checkerboard
        2
    """

    rows: tuple[tuple[int, ...], ...]
    modulus: int
    residues: tuple[int, ...]

    def _members(self, dimension: int) -> np.ndarray:
        corners = np.array(list(itertools.product(range(self.modulus), repeat=dimension)))
        return corners[self.contains(corners)]

    def index(self, dimension: int) -> int:
        """How many lattice points there are for each one of the coset."""
        return self.modulus**dimension // len(self._members(dimension))

    def contains(self, indices: np.ndarray) -> np.ndarray:
        """Which lattice points [n, D] belong to it."""
        return ((indices @ np.array(self.rows).T - np.array(self.residues)) % self.modulus == 0).all(1)

    def member(self, dimension: int) -> np.ndarray:
        """One lattice point of the coset."""
        return self._members(dimension)[0]


@register
class Surface(eqx.Module):
    """One window with the atoms it stands for (an atomic surface, or occupation domain).

    Args:
        window: Its region of perpendicular space.
        position: Where in the unit cell it is centred, in the basis of the lattice [D]; 0 by default.
        species: A number for the kind of atom or vertex.
        coset: On which lattice points it sits; all by default.
    """

    window: Window
    position: Float[Array, " D"] | None = None
    species: int = eqx.field(static=True, default=0)
    coset: Coset | None = eqx.field(static=True, default=None)


@register
class Model(eqx.Module):
    """A quasicrystal: the points x = P(n + s) whose perpendicular coordinate Q(n + s) + shift lies in the window at s.

    Args:
        lattice: The lattice and its projections.
        surfaces: The windows, with their positions s.
        shift: The phason shift, in units of the lattice constant. By default it is generic: with shift 0 many
            tilings are singular, because points lie on the boundaries of windows.

    Raises:
        ValueError: A window or the shift has another dimension than perpendicular space, or there is no window.
    """

    lattice: Lattice
    surfaces: tuple[Surface, ...]
    shift: Float[Array, " m"]

    def __init__(
        self, lattice: Lattice, surfaces: Sequence[Surface], shift: Float[Array, " m"] | None = None
    ):
        _, m = lattice.dimensions
        if not surfaces:
            raise ValueError("Model needs at least one surface")
        if shift is None:
            shift = jnp.asarray((_SHIFT * 2)[:m], lattice.parallel.dtype)
        if shift.shape != (m,):
            raise ValueError(
                f"Model needs a shift of {m} components, as perpendicular space, received {shift.shape}"
            )
        self.lattice, self.surfaces, self.shift = lattice, tuple(surfaces), shift

    def density(self) -> Float[Array, ""]:
        """Points per volume of parallel space: exact up to rounding."""
        return jnp.sum(self.densities())

    def densities(self) -> Float[Array, " n_surfaces"]:
        """Points per volume of parallel space of each surface."""
        dimension = sum(self.lattice.dimensions)
        volumes = [s.window.volume() / (s.coset.index(dimension) if s.coset else 1) for s in self.surfaces]
        return jnp.stack(volumes) / self.lattice.cell_volume()


def position_of(surface: Surface, dimension: int) -> Any:
    """The position of a surface in the unit cell on the host."""
    return np.zeros(dimension) if surface.position is None else np.asarray(surface.position, np.float64)
