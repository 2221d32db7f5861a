"""A learnable vector for every element."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..core import InputError, register
from ._elements import SYMBOLS
from ._physical_vectors import physical_vectors


@register
class ElementEmbedding(eqx.Module):
    """A vector for every element, in a table with free rows for more of them.

    All that a model knows of an element is a linear function of its vector. As the table's shape says nothing of
    how many rows are taken, another element needs no new compilation.

    Args:
        numbers: The atomic number of each row; 0 where the row is free.
        vectors: The vectors.

    Example:
        >>> elements = ElementEmbedding.one_hot([1, 8])
        >>> elements(jnp.array([8, 1, 0])).tolist()
        [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    """

    numbers: Int[Array, " capacity"]
    vectors: Float[Array, "capacity size"]

    @classmethod
    def one_hot(cls, numbers: Sequence[int], *, capacity: int | None = None) -> "ElementEmbedding":
        """Every element has a number of its own: nothing is shared between elements, as in MACE.

        Args:
            numbers: Atomic numbers.
            capacity: How many rows the table has; None for no free ones.
        """
        table = _rows(numbers, capacity)
        return cls(jnp.asarray(table), jnp.eye(len(table), len(numbers)))

    @classmethod
    def random(
        cls, numbers: Sequence[int], size: int, *, capacity: int | None = None, key: PRNGKeyArray
    ) -> "ElementEmbedding":
        """Vectors of length 1 in random directions.

        Args:
            numbers: Atomic numbers.
            size: How many numbers a vector has.
            capacity: How many rows the table has; None for no free ones.
            key: Random key.
        """
        table = _rows(numbers, capacity)
        vectors = jax.random.normal(key, (len(table), size))
        vectors = vectors / jnp.linalg.norm(vectors, axis=1, keepdims=True)
        return cls(jnp.asarray(table), jnp.where(jnp.asarray(table > 0)[:, None], vectors, 0.0))

    @classmethod
    def physical(
        cls, numbers: Sequence[int], size: int, *, capacity: int | None = None
    ) -> "ElementEmbedding":
        """Vectors of length 1 whose distances follow those of physical properties.

        Period, valence electrons, radii and electronegativity of `element_properties` for all 118 elements, with mean
        0 and variance 1; their principal components; and a projection to the sphere, which keeps small distances in
        proportion. A vector depends on its element and the size only, so an element that is added later finds its
        place among the others. Two elements never have the same one.

        Args:
            numbers: Atomic numbers.
            size: How many numbers a vector has, at least 3; 9 hold everything, and more of them start as 0.
            capacity: How many rows the table has; None for no free ones.

        Raises:
            ValueError: The size is too small, or the numbers are no atomic numbers.

        Example:
            >>> mo, w, o = ElementEmbedding.physical([42, 74, 8], 9).vectors
            >>> float(mo @ w) > 0.9 > 0.5 > float(mo @ o)
            True
        """
        table = _rows(numbers, capacity)
        vectors = np.where(table[:, None] > 0, physical_vectors(size)[table - 1], 0.0)
        return cls(jnp.asarray(table), jnp.asarray(vectors, jnp.result_type(float)))

    def rows(self, numbers: Int[Array, " n"]) -> tuple[Int[Array, " n"], Int[Array, " n"]]:
        """The rows of atomic numbers, and for each whether it has one: 1 yes, 0 no. 0 has none."""
        same = (self.numbers[None] == numbers[:, None]) & (numbers > 0)[:, None]
        return jnp.argmax(same, axis=1), jnp.any(same, axis=1).astype(int)

    def __call__(self, numbers: Int[Array, " n"]) -> Float[Array, "n size"]:
        """The vectors of atomic numbers: zeros for 0, NaN for an element that is not in the table."""
        return self.take(self.vectors, numbers)

    def take(
        self, table: Float[Array, "capacity *shape"], numbers: Int[Array, " n"]
    ) -> Float[Array, "n *shape"]:
        """The rows of a table beside this one, such as the energies of free atoms.

        Args:
            table: One entry for each row of the embedding.
            numbers: Atomic numbers.

        Returns:
            The entries: zeros for 0, NaN for an element that is not in the table.
        """
        row, known = self.rows(numbers)
        shape = (-1,) + (1,) * (table.ndim - 1)
        values = jnp.where((known > 0).reshape(shape), table[row], jnp.nan)
        return jnp.where((numbers > 0).reshape(shape), values, 0.0).astype(table.dtype)

    def require(self, numbers: Sequence[int] | np.ndarray, source: str = "the structures") -> None:
        """Checks on the host that all elements are known.

        Args:
            numbers: Atomic numbers; 0 is padding.
            source: What they belong to, for the message.

        Raises:
            InputError: One is not in the table.
        """
        known = np.asarray(self.numbers)
        for number in np.unique(np.asarray(numbers)):
            if number > 0 and number not in known:
                have = ", ".join(SYMBOLS[z - 1] for z in sorted(known[known > 0]))
                reason = f"the model does not know the element {SYMBOLS[number - 1]}; it knows {have}"
                raise InputError(source, "", reason, "Leave these structures out, or add the element")


def _rows(numbers: Sequence[int], capacity: int | None) -> Int[np.ndarray, " capacity"]:
    size = len(numbers) if capacity is None else capacity
    if not numbers or len(set(numbers)) < len(numbers) or not all(1 <= z <= len(SYMBOLS) for z in numbers):
        raise ValueError(f"numbers must be different atomic numbers, received {list(numbers)}")
    if size < len(numbers):
        raise ValueError(f"capacity={size} is too small for {len(numbers)} elements")
    return np.array([*numbers, *[0] * (size - len(numbers))], np.int32)
