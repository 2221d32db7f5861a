"""Invariant numbers that describe each atom of a molecule."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..check import GROUPS
from ..core import Property, host_generator, register
from ..core import norm as safe_norm
from ._batch import Batch
from ._mace import Mace
from ._neighbours import Neighbours

_EXAMPLE_ATOMS = 4


@register
class Descriptors(eqx.Module):
    """The invariant features behind every layer of an encoder, of each atom of a molecule without a cell.

    They do not change when the molecule is moved, turned or mirrored, and are permuted with its atoms. All pairs are
    looked at, O(atoms²); for crystals and large systems call the encoder with a `Batch`.

    Args:
        encoder: Makes the features.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from geoembed.atoms import Descriptors, ElementEmbedding, Mace
        >>> elements = ElementEmbedding.one_hot([1, 8])
        >>> encoder = Mace(elements, channels=4, max_ell=1, correlation=2, num_interactions=1, key=jax.random.key(0))
        >>> water = jnp.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
        >>> Descriptors(encoder)(water, jnp.array([8, 1, 1])).shape
        (3, 4)
    """

    encoder: Mace

    def __call__(
        self, positions: Float[Array, "atoms 3"], numbers: Int[Array, " atoms"]
    ) -> Float[Array, "atoms features"]:
        """The features of each atom, layer by layer.

        Args:
            positions: Å.
            numbers: Atomic numbers; NaN comes out for elements that the encoder does not know.

        Returns:
            channels numbers for each layer. Twice continuously differentiable, also where a pair crosses the cutoff.
        """
        features = self.encoder(_molecule(positions, numbers, self.encoder))
        known = self.encoder.elements.rows(numbers)[1] > 0
        rows = jnp.concatenate([layer[:, 0] for layer in features], axis=-1)
        return jnp.where(known[:, None], rows, jnp.nan)

    def __hash__(self) -> int:
        return hash(
            (type(self), self.encoder.channels, self.encoder.cutoff)
        )  # lets `jax.jit(descriptors)` work

    def examples(
        self, count: int, *, key: PRNGKeyArray
    ) -> list[tuple[Float[Array, "atoms 3"], Int[Array, " atoms"]]]:
        """Molecules of four atoms, about 1 Å apart or more, of elements that the encoder knows."""
        random = host_generator(key)
        known = np.asarray(self.encoder.elements.numbers)
        corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 0.6
        items = []
        for _ in range(count):
            points = corners + random.uniform(-0.3, 0.3, (_EXAMPLE_ATOMS, 3))
            numbers = random.choice(known[known > 0], _EXAMPLE_ATOMS).astype(np.int32)
            items.append((jnp.asarray(points.astype(jnp.zeros(()).dtype)), jnp.asarray(numbers)))
        return items

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`."""
        apart = "atoms at different places, weights of order 1"
        return (
            Property("invariant", "E(3)", domain=apart),
            Property("equivariant", GROUPS["permutations"].moving(0, 1), domain=apart),
            Property("smooth", constant=2, domain=apart),
        )


def _molecule(positions: Float[Array, "atoms 3"], numbers: Int[Array, " atoms"], encoder: Mace) -> Batch:
    """All pairs within the cutoff as a batch of one structure without a cell."""
    count = positions.shape[0]
    index = np.array([[j for j in range(count) if j != i] for i in range(count)], np.int32)
    slots = index.reshape(count, count - 1)
    apart = safe_norm(positions[:, None] - positions[slots])
    neighbours = Neighbours(
        jnp.asarray(slots), jnp.zeros((*slots.shape, 3), positions.dtype), apart < encoder.cutoff
    )
    return Batch(
        positions=positions,
        cells=jnp.zeros((1, 3, 3), positions.dtype),
        kinds=encoder.elements.numbers,
        kind=encoder.elements.rows(numbers)[0],
        owner=jnp.zeros(count, jnp.int32),
        neighbours=neighbours,
    )
