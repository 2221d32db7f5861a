"""A molecule without a cell, all of whose pairs are looked at: what descriptors take beside batches."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..core import host_generator
from ..core import norm as safe_norm
from ._batch import Batch
from ._element_embedding import ElementEmbedding
from ._neighbours import Neighbours

_EXAMPLE_ATOMS = 4


def molecule(
    positions: Float[Array, "atoms 3"],
    kinds: Int[Array, " kinds"],
    kind: Int[Array, " atoms"],
    cutoff: float,
) -> Batch:
    """All pairs within the cutoff as a batch of one structure without a cell."""
    count = positions.shape[0]
    index = np.array([[j for j in range(count) if j != i] for i in range(count)], np.int32)
    slots = index.reshape(count, count - 1)
    apart = safe_norm(positions[:, None] - positions[slots])
    neighbours = Neighbours(jnp.asarray(slots), jnp.zeros((*slots.shape, 3), positions.dtype), apart < cutoff)
    return Batch(
        positions=positions,
        cells=jnp.zeros((1, 3, 3), positions.dtype),
        kinds=kinds,
        kind=kind,
        owner=jnp.zeros(count, jnp.int32),
        neighbours=neighbours,
    )


def over_molecule(
    of_atoms: Callable[[Batch], Float[Array, "atoms features"]],
    elements: ElementEmbedding,
    cutoff: float,
    positions: Float[Array, "atoms 3"],
    numbers: Int[Array, " atoms"],
) -> Float[Array, "atoms features"]:
    """What a function of batches says of one molecule; NaN if the table does not know one of its elements."""
    row, known = elements.rows(numbers)
    batch = molecule(positions, elements.numbers, row, cutoff)
    return jnp.where(jnp.all(known > 0), of_atoms(batch), jnp.nan)


def example_molecules(
    count: int, known: Sequence[int] | np.ndarray, *, key: PRNGKeyArray
) -> list[tuple[Float[Array, "atoms 3"], Int[Array, " atoms"]]]:
    """Molecules of four atoms, about 1 Å apart or more, of these elements."""
    random = host_generator(key)
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 0.6
    items = []
    for _ in range(count):
        points = corners + random.uniform(-0.3, 0.3, (_EXAMPLE_ATOMS, 3))
        numbers = random.choice(np.asarray(known), _EXAMPLE_ATOMS).astype(np.int32)
        items.append((jnp.asarray(points.astype(jnp.zeros(()).dtype)), jnp.asarray(numbers)))
    return items
