"""A symmetric sparse matrix of 3 × 3 blocks: one for each pair of components of a vector field."""

import numpy as np
from jaxtyping import Float
from scipy import sparse

PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))  # the blocks that are stored


class BlockMatrix:
    """A symmetric matrix of nine sparse blocks, of which the six of `PAIRS` are stored.

    The unknowns are all of the first component, then all of the second, then all of the third.

    Args:
        blocks: The blocks in the order of `PAIRS`.
    """

    def __init__(self, blocks: list[sparse.csr_array]):
        self.blocks = blocks
        self.size = len(blocks[0].diagonal())
        self._below = [block.T for block in blocks[3:]]  # views

    def __matmul__(self, vector: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        """Returns the product with a vector."""
        part = vector.reshape(3, self.size)
        found = np.stack([self.blocks[axis] @ part[axis] for axis in range(3)])
        for (i, j), above, below in zip(PAIRS[3:], self.blocks[3:], self._below, strict=True):
            found[i] += above @ part[j]
            found[j] += below @ part[i]
        return found.ravel()

    def dense(self) -> Float[np.ndarray, "d d"]:
        """Returns all entries."""
        found = np.zeros((3, self.size, 3, self.size))
        for (i, j), block in zip(PAIRS, self.blocks, strict=True):
            entries = block.toarray()
            found[i, :, j], found[j, :, i] = entries, entries.T
        return found.reshape(3 * self.size, 3 * self.size)

    def diagonal(self) -> Float[np.ndarray, " d"]:
        """Returns the diagonal."""
        return np.concatenate([self.blocks[axis].diagonal() for axis in range(3)])
