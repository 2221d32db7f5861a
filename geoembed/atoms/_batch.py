"""Structures in arrays of fixed shape: what every model of atoms takes."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ._gather import at_neighbours
from ._neighbours import Neighbours


class Labels(eqx.Module):
    """What is known about the structures of a batch; NaN where it is not.

    Args:
        energy: eV.
        forces: eV/Å.
        stress: eV/Å³, tension positive.
        weight: How much each structure counts in a loss; None: all the same.
    """

    energy: Float[Array, " structures"]
    forces: Float[Array, "atoms 3"]
    stress: Float[Array, "structures 3 3"]
    weight: Float[Array, " structures"] | None = None


class Batch(eqx.Module):
    """One structure or several, one after the other, padded to fixed shapes; a pytree.

    Args:
        positions: Å.
        cells: The cell vectors of each structure as rows, Å; zeros without a cell.
        kinds: The atomic numbers that occur, ascending, then zeros.
        kind: For each atom, where its atomic number stands in `kinds`.
        owner: The structure an atom belongs to; the number of structures for padding.
        neighbours: Which atoms are near which.
        labels: What is known, or None.
    """

    positions: Float[Array, "atoms 3"]
    cells: Float[Array, "structures 3 3"]
    kinds: Int[Array, " kinds"]
    kind: Int[Array, " atoms"]
    owner: Int[Array, " atoms"]
    neighbours: Neighbours
    labels: Labels | None = None

    @property
    def atom_mask(self) -> Bool[Array, " atoms"]:
        """Which atoms are no padding."""
        return self.owner < self.cells.shape[0]

    @property
    def numbers(self) -> Int[Array, " atoms"]:
        """Atomic numbers; 0 for padding."""
        return jnp.where(self.atom_mask, self.kinds[self.kind], 0)

    @property
    def counts(self) -> Int[Array, " structures"]:
        """How many atoms each structure has; 0 for padding."""
        return jax.ops.segment_sum(self.atom_mask.astype(self.owner.dtype), self.owner, self.cells.shape[0])

    def total(self, values: Float[Array, "atoms *shape"]) -> Float[Array, "structures *shape"]:
        """Sums values of the atoms over each structure; padding is left out."""
        return jax.ops.segment_sum(values, self.owner, self.cells.shape[0])

    def strained(self, strain: Float[Array, "structures 3 3"]) -> "Batch":
        """Moves every point x, images included, to x + x·ε with the symmetric part ε of each strain."""
        even = 0.5 * (strain + jnp.swapaxes(strain, 1, 2))
        positions = self.positions + jnp.einsum("ai,aij->aj", self.positions, even[self.owner])
        cells = self.cells + self.cells @ even
        return eqx.tree_at(lambda batch: (batch.positions, batch.cells), self, (positions, cells))

    def to_centre(self) -> Float[Array, "atoms slots 3"]:
        """The vectors from the neighbours to the atoms, Å; (1, 0, 0) in empty slots, so that lengths are not 0."""
        near = self.neighbours
        images = jnp.einsum("asi,aij->asj", near.shift, self.cells[self.owner])
        vectors = self.positions[:, None] - at_neighbours(self.positions, near) - images
        return jnp.where(near.mask[..., None], vectors, jnp.zeros_like(vectors).at[..., 0].set(1.0))
