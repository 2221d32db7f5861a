"""How the arrays of a model are trained."""

import math
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from ..core import on_device

Kind = Literal["all", "rows", "rank", "gains"]
Own = tuple[Any, ...]
"""The trained numbers of one array."""
Numbers = tuple[Own, ...]
"""All trained numbers: those of each array that is trained."""


class Change(eqx.Module):
    """Which numbers are trained in the place of an array, and the array that they make.

    Args:
        place: Of the array among the leaves of the model.
        kind: "all": the array itself. "rows": these rows of it, along an axis. "rank": W + A B/√rank. "gains":
            W (1 + g), with a number for each column.
        axis: Of the rows.
        index: The rows.
        rank: Of the change.
    """

    place: int = eqx.field(static=True)
    kind: Kind = eqx.field(static=True)
    axis: int = eqx.field(static=True, default=0)
    index: Int[Array, " rows"] | None = None
    rank: int = eqx.field(static=True, default=0)

    def start(self, leaf: np.ndarray, draw: np.random.Generator | None) -> tuple[np.ndarray, ...]:
        """The numbers with which the array is what it was."""
        if self.kind == "rows":
            return (np.take(leaf, np.asarray(self.index), axis=self.axis),)
        if self.kind == "gains":
            return (np.zeros(leaf.shape[-1], leaf.dtype),)
        if self.kind == "rank":
            assert draw is not None
            rows, columns = math.prod(leaf.shape[:-1]), leaf.shape[-1]
            normal = draw.standard_normal((rows, self.rank)).astype(leaf.dtype)
            return normal, np.zeros((self.rank, columns), leaf.dtype)
        return (leaf,)

    def shapes(self, leaf: Any) -> tuple[tuple[int, ...], ...]:
        """The shapes of the numbers."""
        if self.kind == "rows":
            assert self.index is not None
            return ((*leaf.shape[: self.axis], self.index.shape[0], *leaf.shape[self.axis + 1 :]),)
        if self.kind == "gains":
            return (leaf.shape[-1:],)
        if self.kind == "rank":
            return (math.prod(leaf.shape[:-1]), self.rank), (self.rank, leaf.shape[-1])
        return (leaf.shape,)

    def __call__(self, leaf: Any, own: Own) -> Any:
        """The array with these numbers in it; of numpy's arrays it is one of numpy's."""
        if self.kind == "all":
            return own[0]
        if self.kind == "rows":
            return _put(leaf, (slice(None),) * self.axis + (self.index,), own[0])
        if self.kind == "gains":
            return leaf * (1.0 + own[0].reshape((1,) * (leaf.ndim - 1) + (-1,)))
        first, second = own
        return leaf + ((first @ second) / math.sqrt(self.rank)).reshape(leaf.shape)


class Changes(eqx.Module):
    """The part of a `Trainable` that computes: a pytree, the same for all rates.

    Args:
        each: One for each array that is trained, in the order of the model's leaves.
    """

    each: tuple[Change, ...]

    def __call__(self, model: Any, numbers: Numbers) -> Any:
        """The model with trained numbers in it; differentiable in them, and works under `jit`."""
        leaves, form = jax.tree.flatten(model)
        for change, own in zip(self.each, numbers, strict=True):
            leaves[change.place] = change(leaves[change.place], own)
        return jax.tree.unflatten(form, leaves)

    def without(self, model: Any) -> Any:
        """The model without the arrays that are replaced as a whole."""
        leaves, form = jax.tree.flatten(model)
        for change in self.each:
            if change.kind == "all":
                leaves[change.place] = 0
        return jax.tree.unflatten(form, leaves)

    def merged(self, model: Any, numbers: Numbers) -> Any:
        """The same as a call, computed on the host: nothing is compiled."""
        leaves, form = jax.tree.flatten(model)
        for change, own in zip(self.each, numbers, strict=True):
            leaf = np.asarray(leaves[change.place])
            leaves[change.place] = on_device(change(leaf, tuple(np.asarray(part) for part in own)))
        return jax.tree.unflatten(form, leaves)


def low_rank(place: int, leaf: Any, rank: int) -> Change:
    """A change of a rank; the array itself where that takes no more numbers, which then holds all such changes."""
    change = Change(place, "rank", rank=rank)
    fewer = sum(math.prod(shape) for shape in change.shapes(leaf)) < math.prod(leaf.shape)
    return change if fewer else Change(place, "all")


def of_rows(place: int, axis: int, rows: list[int]) -> Change:
    """A change of rows."""
    return Change(place, "rows", axis, on_device(np.array(rows, np.int32)))


def _put(leaf: Any, at: tuple[Any, ...], values: Any) -> Any:
    if isinstance(leaf, jax.Array):
        return leaf.at[at].set(jnp.asarray(values))
    found = leaf.copy()
    found[tuple(np.asarray(step) if isinstance(step, jax.Array) else step for step in at)] = values
    return found
