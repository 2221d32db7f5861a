"""Invariant numbers that describe each atom, or each structure."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..check import GROUPS
from ..core import Property, register
from ._batch import Batch
from ._mace import Encoder
from ._molecule import example_molecules, over_molecule
from ._reduce import over_structures


@register
class Descriptors(eqx.Module):
    """The invariant features behind every layer of an encoder, of each atom or of each structure.

    They do not change when the structure is moved, turned or mirrored, and are permuted with its atoms. Called with
    a molecule it looks at all pairs, O(atoms²); for crystals, large systems and many structures take a `Batch`.

    Args:
        encoder: Makes the features: `Mace` or `Nequip`, of which the odd scalars are in `Pseudoscalars`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from geoembed.atoms import Descriptors, ElementEmbedding, Mace
        >>> elements = ElementEmbedding.one_hot([1, 8])
        >>> encoder = Mace(elements, channels=4, max_ell=1, correlation=2, num_interactions=1, key=jax.random.key(0))
        >>> water = jnp.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
        >>> Descriptors(encoder)(water, jnp.array([8, 1, 1])).shape
        (3, 4)
    """

    encoder: Encoder

    def __call__(
        self, positions: Float[Array, "atoms 3"], numbers: Int[Array, " atoms"]
    ) -> Float[Array, "atoms features"]:
        """The features of each atom of a molecule, layer by layer.

        Args:
            positions: Å.
            numbers: Atomic numbers; all comes out as NaN if the encoder does not know one of them.

        Returns:
            channels numbers for each layer. Twice continuously differentiable, also where a pair crosses the cutoff.
        """
        return over_molecule(self.of_atoms, self.encoder.elements, self.cutoff, positions, numbers)

    def of_atoms(self, batch: Batch) -> Float[Array, "atoms features"]:
        """The features of each atom of a batch, layer by layer; without meaning for padding."""
        return jnp.concatenate([layer[:, 0] for layer in self.encoder(batch)], axis=-1)

    def of_structures(self, batch: Batch, *, reduce: str = "mean") -> Float[Array, "structures features"]:
        """The features of each structure of a batch: the mean or the sum of those of its atoms; 0 for padding.

        The mean is the same for a crystal and its supercells; the sum grows with the structure.

        Args:
            batch: Structures with or without cells.
            reduce: "mean" or "sum".

        Raises:
            ValueError: `reduce` is another word.
        """
        return over_structures(batch, self.of_atoms(batch), reduce)

    def __hash__(self) -> int:
        return hash((type(self), self.encoder.channels, self.cutoff))  # lets `jax.jit(descriptors)` work

    @property
    def cutoff(self) -> float:
        """Up to which distance atoms are neighbours, Å."""
        return self.encoder.cutoff

    @property
    def numbers(self) -> Int[np.ndarray, " capacity"]:
        """The atomic numbers that it knows; 0 where a row of the table is free."""
        return np.asarray(self.encoder.elements.numbers)

    def examples(
        self, count: int, *, key: PRNGKeyArray
    ) -> list[tuple[Float[Array, "atoms 3"], Int[Array, " atoms"]]]:
        """Molecules of four atoms, about 1 Å apart or more, of elements that the encoder knows."""
        return example_molecules(count, self.numbers[self.numbers > 0], key=key)

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`."""
        apart = "atoms at different places, weights of order 1"
        return (
            Property("invariant", "E(3)", domain=apart),
            Property("equivariant", GROUPS["permutations"].moving(0, 1), domain=apart),
            Property("smooth", constant=2, domain=apart),
        )
