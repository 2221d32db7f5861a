"""Lattices in D dimensions and their two projections."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..core import register
from ._frames import decimals, exactly, frame, matches


@register
class Lattice(eqx.Module):
    """The lattice ℤᴰ, projected to physical (parallel) and to perpendicular space.

    The point of index n lies at x = a (1 + ε) P n in parallel space; its perpendicular coordinate is
    q = (Q + χ P) n. Perpendicular space, and with it every window, is measured in units of a.

    All fields but the name are arrays and may be traced. A phason strain χ tilts the cut: with the right one the
    quasicrystal becomes periodic.

    Args:
        parallel: P. Any full set of columns will do; they need not be orthogonal.
        perpendicular: Q. [P; Q] must be invertible.
        scale: a, the length unit of the crystal.
        strain: ε, the displacement gradient of parallel space; 0 by default.
        phason_strain: χ; 0 by default.
        name: The name of the frame whose numbers the projections are, which lets `cut` decide boundaries exactly and
            count by columns. None for other lattices: then the floats themselves count as exact.

    Raises:
        ValueError: The shapes do not fit.

    Example:
        >>> import jax.numpy as jnp
        >>> lattice = Lattice(jnp.array([[1.618, 1.0]]), jnp.array([[-0.618, 1.0]]))
        >>> print(f"{lattice.points(jnp.array([[1, 2]]))[0, 0]:.3f}")
        3.618

    References:
        T. Janssen, G. Chapuis, M. de Boissieu, Aperiodic Crystals, 2nd ed. 2018, chapter 2; the phason strain: J. E. S.
        Socolar, T. C. Lubensky, P. J. Steinhardt, Phys. Rev. B 34, 3345 (1986).
    """

    parallel: Float[Array, "d D"]
    perpendicular: Float[Array, "m D"]
    scale: Float[Array, ""]
    strain: Float[Array, "d d"]
    phason_strain: Float[Array, "m d"]
    name: str | None = eqx.field(static=True)

    def __init__(
        self,
        parallel: Float[Array, "d D"],
        perpendicular: Float[Array, "m D"],
        scale: Float[Array, ""] | float = 1.0,
        strain: Float[Array, "d d"] | None = None,
        phason_strain: Float[Array, "m d"] | None = None,
        name: str | None = None,
    ):
        d, m = parallel.shape[0], perpendicular.shape[0]
        if d + m != parallel.shape[1]:
            raise ValueError(
                f"Lattice needs as many rows in both projections together as basis vectors, received {d} + {m} rows "
                f"and {parallel.shape[1]} columns: leave out the vectors that are integer sums of others"
            )
        dtype = parallel.dtype
        self.parallel, self.perpendicular = parallel, perpendicular
        self.scale = jnp.asarray(scale, dtype)
        self.strain = jnp.zeros((d, d), dtype) if strain is None else strain
        self.phason_strain = jnp.zeros((m, d), dtype) if phason_strain is None else phason_strain
        self.name = name

    @property
    def dimensions(self) -> tuple[int, int]:
        """The dimensions d of parallel and m of perpendicular space."""
        return self.parallel.shape[0], self.perpendicular.shape[0]

    def projections(self) -> tuple[Float[Array, "d D"], Float[Array, "m D"]]:
        """a (1 + ε) P and Q + χ P: the strained projections."""
        one = jnp.eye(self.strain.shape[0], dtype=self.strain.dtype)
        along = self.scale * ((one + self.strain) @ self.parallel)
        return along, self.perpendicular + self.phason_strain @ self.parallel

    def points(self, indices: Int[Array, "*n D"] | Float[Array, "*n D"]) -> Float[Array, "*n d"]:
        """x = a (1 + ε) P n: the projections to parallel space, in the unit of a; differentiable in all fields."""
        along, _ = self.projections()
        return indices.astype(along.dtype) @ along.T

    def perp(self, indices: Int[Array, "*n D"] | Float[Array, "*n D"]) -> Float[Array, "*n m"]:
        """q = (Q + χ P) n: the projections to perpendicular space, in units of a; differentiable in all fields."""
        _, across = self.projections()
        return indices.astype(across.dtype) @ across.T

    def cell_volume(self) -> Float[Array, ""]:
        """The volume of the unit cell: the volume per lattice point in parallel space times that in perpendicular."""
        return jnp.abs(jnp.linalg.det(jnp.concatenate(self.projections())))

    def reciprocal(self) -> tuple[Float[Array, "d D"], Float[Array, "m D"]]:
        """The projections of the reciprocal lattice: Q∥ = 2π A h, Q⊥ = 2π B h for integer h.

        They are the rows of the inverse of the strained projections: Q∥·x + Q⊥·q = 2π h·n.
        """
        dual = jnp.linalg.inv(jnp.concatenate(self.projections())).T
        d, _ = self.dimensions
        return dual[:d], dual[d:]


def named_lattice(name: str, scale: Float[Array, ""] | float = 1.0) -> Lattice:
    """The lattice of a known frame, in jax's default float type."""
    known = frame(name)
    dtype = jnp.result_type(float)
    parallel, perpendicular = (
        jnp.asarray(part.astype(float), dtype) for part in (known.parallel, known.perpendicular)
    )
    return Lattice(parallel, perpendicular, scale, name=name)


def is_named(lattice: Lattice) -> bool:
    """Whether the projections are still those of its frame, and not strained."""
    if lattice.name is None or np.any(lattice.strain) or np.any(lattice.phason_strain):
        return False
    known = frame(lattice.name)
    return matches(np.asarray(lattice.parallel), known.parallel) and matches(
        np.asarray(lattice.perpendicular), known.perpendicular
    )


@exactly
def exact_projections(lattice: Lattice) -> tuple[np.ndarray, np.ndarray]:
    """The strained projections to 120 digits: those of the frame if there is one, else what the floats say."""
    if lattice.name is not None and is_named(lattice):
        known = frame(lattice.name)
        return decimals(lattice.scale) * known.parallel, known.perpendicular
    parallel = decimals(lattice.parallel)
    along = decimals(lattice.scale) * (
        (decimals(np.eye(len(parallel))) + decimals(lattice.strain)) @ parallel
    )
    return along, decimals(lattice.perpendicular) + decimals(lattice.phason_strain) @ parallel
