"""The odd scalars of an encoder: numbers that change sign in the mirror."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..check import GROUPS, pseudoscalar
from ..core import Property, register
from ._batch import Batch
from ._gated import irreps_apart
from ._molecule import example_molecules, over_molecule
from ._nequip import Nequip
from ._reduce import over_structures

ODD_SCALAR = (0, -1)


@register
class Pseudoscalars(eqx.Module):
    """The odd scalars behind the layers of an encoder, of each atom or of each structure.

    They are unchanged by motions and turns, have the opposite sign for the mirror image, and are permuted with the
    atoms. On an atom in a mirror plane of the structure they are 0, and so is their sum over a structure that
    equals its mirror image, up to the rounding of the sum. 0 does not prove the converse, see `Chirality`.

    Args:
        encoder: Makes the features; with `odd`, three layers or more and `hidden_ell` of 1 or more.

    Raises:
        ValueError: No layer of the encoder has odd scalars.

    Example:
        >>> import jax
        >>> from geoembed.atoms import ElementEmbedding
        >>> elements = ElementEmbedding.one_hot([1, 8])
        >>> encoder = Nequip(elements, channels=2, max_ell=1, num_interactions=3, odd=True, key=jax.random.key(0))
        >>> peroxide = jnp.array([[0.73, 0, 0], [-0.73, 0, 0], [0.89, 0.5, 0.8], [-0.89, 0.5, -0.8]])
        >>> hand = jax.jit(Pseudoscalars(encoder))
        >>> right, left = (hand(points, jnp.array([8, 8, 1, 1])) for points in (peroxide, -peroxide))
        >>> bool(jnp.allclose(right, -left)), bool(jnp.all(right != 0))
        (True, True)
    """

    encoder: Nequip

    def __init__(self, encoder: Nequip):
        if not any(ODD_SCALAR in irreps for irreps in encoder.irreps):
            reason = "no layer of the encoder has odd scalars"
            raise ValueError(f"{reason}: give it odd=True, hidden_ell of at least 1 and three layers or more")
        self.encoder = encoder

    def __call__(
        self, positions: Float[Array, "atoms 3"], numbers: Int[Array, " atoms"]
    ) -> Float[Array, "atoms features"]:
        """The odd scalars of each atom of a molecule without a cell; all pairs are looked at, O(atoms²).

        Args:
            positions: Å.
            numbers: Atomic numbers; all comes out as NaN if the encoder does not know one of them.

        Returns:
            channels numbers for each layer that has odd scalars. Twice continuously differentiable, also where a pair
            crosses the cutoff.
        """
        return over_molecule(self.of_atoms, self.encoder.elements, self.cutoff, positions, numbers)

    def of_atoms(self, batch: Batch) -> Float[Array, "atoms features"]:
        """The odd scalars of each atom of a batch, layer by layer; without meaning for padding."""
        layers = zip(self.encoder.irreps, self.encoder(batch), strict=True)
        found = [
            irreps_apart(layer, irreps)[irreps.index(ODD_SCALAR)][:, 0]
            for irreps, layer in layers
            if ODD_SCALAR in irreps
        ]
        return jnp.concatenate(found, axis=-1)

    def of_structures(self, batch: Batch, *, reduce: str = "sum") -> Float[Array, "structures features"]:
        """The sum or the mean of the odd scalars of a structure's atoms; 0 for padding.

        Args:
            batch: Structures with or without cells.
            reduce: "sum" or "mean".

        Raises:
            ValueError: `reduce` is another word.
        """
        return over_structures(batch, self.of_atoms(batch), reduce)

    def __hash__(self) -> int:
        return hash((type(self), self.encoder.channels, self.cutoff))  # lets `jax.jit(pseudoscalars)` work

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
            Property("equivariant", "E(3)", pseudoscalar, domain=apart),
            Property("equivariant", GROUPS["permutations"].moving(0, 1), domain=apart),
            Property("smooth", constant=2, domain=apart),
        )
