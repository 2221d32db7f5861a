"""The trained arrays as a few long vectors: updates of many small arrays, each on its own, take long to compile."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Vectors = dict[str, Float[Array | np.ndarray, " _"]]
_MATRICES, _OTHERS = "matrices", "others"


@dataclass(frozen=True)
class Layout:
    """Where the arrays of a pytree stand in the vectors; hashable.

    Args:
        structure: Of the pytree.
        names: The vector that each leaf belongs to: one for each dtype, apart for matrices and for the rest.
        shapes: The shape of each leaf; those of one vector follow each other.
    """

    structure: Any
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, tree: Any) -> "Layout":
        """Of the arrays of a pytree."""
        leaves, structure = jax.tree.flatten(tree)
        names = tuple(f"{leaf.dtype.name} {_MATRICES if leaf.ndim > 1 else _OTHERS}" for leaf in leaves)
        return cls(structure, names, tuple(leaf.shape for leaf in leaves))

    def ravel(self, tree: Any) -> Vectors:
        """The vectors of a pytree; of numpy arrays they are numpy arrays."""
        own: dict[str, list[Any]] = {name: [] for name in self.names}
        for name, leaf in zip(self.names, jax.tree.leaves(tree), strict=True):
            own[name].append(leaf.reshape(-1))
        return {name: _library(leaves[0]).concatenate(leaves) for name, leaves in own.items()}

    def unravel(self, vectors: Vectors) -> Any:
        """The pytree again."""
        parts = {}
        for name, vector in vectors.items():
            sizes = [int(np.prod(s)) for n, s in zip(self.names, self.shapes, strict=True) if n == name]
            parts[name] = iter(_library(vector).split(vector, np.cumsum(sizes)[:-1].tolist()))
        places = zip(self.names, self.shapes, strict=True)
        return jax.tree.unflatten(self.structure, [next(parts[n]).reshape(s) for n, s in places])


def matrices(vectors: Vectors) -> dict[str, bool]:
    """Which vectors are made of matrices."""
    return {name: name.endswith(_MATRICES) for name in vectors}


def _library(values: Any) -> Any:
    return jnp if isinstance(values, jax.Array) else np
