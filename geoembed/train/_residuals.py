"""The rows of a least-squares problem, their Jacobian and what is made of them, compiled once."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ..core import is_parameter

RowFunction = Callable[[Any, Any], Float[Array, " k"]]

_EMPTY = 1e-14  # share of the largest diagonal entry that a column has at least, so that none is divided by 0


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a least-squares problem that one function computes, one item at a time.

    Args:
        items: A pytree of arrays whose first axes number the items.
        weights: What the rows of each item are multiplied by.
    """

    items: Any
    weights: Float[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.weights)


def same_batches(some: Sequence[Rows], others: Sequence[Rows]) -> bool:
    """Whether both are the very same batches."""
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


@dataclass(frozen=True, eq=False)
class Cut:
    """Batches, each cut into pieces of items and weights."""

    batches: tuple[Rows, ...]
    pieces: list[list]

    @cached_property
    def single(self) -> list[list]:
        """The pieces in float32."""
        return in_single(self.pieces)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """½ Σ r² and the rows at some parameters."""

    parameters: Array
    cut: Cut
    loss: float
    rows: list[list[Array]]


class Residuals:
    """Compiled programs of the rows r(θ), their sum of squares, its gradient and JᵀJ.

    Items are processed a chunk at a time, so memory does not grow with their number and programs are compiled once.

    Args:
        functions: For each block of rows, a function of the model and one item that returns the item's rows.
        model: A pytree with the trained numbers, see `geoembed.core.is_parameter`.
        chunk: How many items at a time.
    """

    def __init__(self, functions: Sequence[RowFunction], model: Any, chunk: int):
        trained, self._rest = eqx.partition(model, is_parameter)
        self.start, self._unravel = ravel_pytree(trained)
        if self.start.size == 0:
            raise ValueError("this model has no trained numbers: see geoembed.core.is_parameter")
        self._chunk = chunk
        single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), trained)
        self._unravel_single = ravel_pytree(single)[1]
        self._rest_single = in_single(self._rest)
        self.programs = [self._rows_of(function) for function in functions]
        self._rows = [jax.jit(program) for program in self.programs]
        self._jacobians = [jax.jit(self._jacobian_of(function)) for function in functions]
        self._normals = [jax.jit(self._normal_of(function)) for function in functions]
        self._gradients = [jax.jit(self._gradient_of(function)) for function in functions]
        self._latest: Cut | None = None

    @property
    def size(self) -> int:
        """How many numbers are trained."""
        return self.start.size

    def loss(self, parameters: Float[Array, " p"], batches: Sequence[Rows]) -> float:
        """½ Σ r²; inf where it is not finite."""
        return self.evaluated(parameters, self.cut(batches)).loss

    def cut(self, batches: Sequence[Rows]) -> Cut:
        if self._latest is None or not same_batches(self._latest.batches, batches):
            self._latest = Cut(tuple(batches), [self.pieces(batch) for batch in batches])
        return self._latest

    def evaluated(self, parameters: Array, cut: Cut) -> Evaluated:
        both = [
            [rows(parameters, *piece) for piece in block]
            for rows, block in zip(self._rows, cut.pieces, strict=True)
        ]
        total = 0.5 * sum(float(square) for block in both for _, square in block)
        rows = [[found for found, _ in block] for block in both]
        return Evaluated(parameters, cut, total if math.isfinite(total) else math.inf, rows)

    def rows(self, parameters: Float[Array, " p"], batch: Rows, block: int = 0) -> Float[np.ndarray, "n k"]:
        """The weighted rows of one block, a line for each item."""
        parts = [np.asarray(self._rows[block](parameters, *piece)[0]) for piece in self.pieces(batch)]
        return np.concatenate(parts)[: len(batch)]

    def loss_and_gradient(
        self, parameters: Float[Array, " p"], batches: Sequence[Rows]
    ) -> tuple[float, Float[Array, " p"]]:
        """½ Σ r² and its gradient; the loss is inf where it is not finite."""
        parts = [
            gradient(parameters, *piece)
            for gradient, block in zip(self._gradients, self.cut(batches).pieces, strict=True)
            for piece in block
        ]
        total = sum(float(loss) for loss, _ in parts)
        return (total if math.isfinite(total) else math.inf), jnp.sum(
            jnp.stack([part for _, part in parts]), axis=0
        )

    def inverse(
        self, parameters: Float[Array, " p"], batches: Sequence[Rows], damping: float
    ) -> Float[Array, "p p"]:
        """(JᵀJ + λ diag JᵀJ)⁻¹ for a damping λ, in the dtype of the model."""
        here = self.evaluated(parameters, self.cut(batches))
        matrix, _ = self.normal(here.parameters, here.cut.pieces, here.rows)
        return _inverse(matrix, jnp.asarray(damping, matrix.dtype))

    def normal(self, work: Array, pieces: list[list], rows: list[list[Array]]) -> tuple[Array, Array]:
        """JᵀJ and Jᵀr from pieces and the rows there, in the dtype of the parameters `work`."""
        matrix, slope = jnp.zeros((self.size, self.size), work.dtype), jnp.zeros(self.size, work.dtype)
        for normal, block, own in zip(self._normals, pieces, rows, strict=True):
            for piece, part in zip(block, own, strict=True):
                matrix, slope = normal(matrix, slope, work, *piece, part)
        return matrix, slope

    def jacobian(self, work: Array, pieces: list[list]) -> Array:
        """J in the dtype of the parameters `work`."""
        parts = [
            jacobian(work, *piece)
            for jacobian, block in zip(self._jacobians, pieces, strict=True)
            for piece in block
        ]
        return jnp.concatenate(parts)

    def row_size(self, parameters: Float[Array, " p"], batch: Rows, block: int = 0) -> float:
        """Root of the mean squared length of the gradients of a block's rows."""
        total, width = 0.0, 1
        for items, weights in self.pieces(batch):
            part = self._jacobians[block](parameters, items, weights)
            total, width = total + float(jnp.sum(part**2)), part.shape[0] // len(weights)
        return math.sqrt(total / (len(batch) * width))

    def pieces(self, batch: Rows) -> list[tuple[Any, Array]]:
        """Cuts a batch into chunks of one size; the last is filled up with items of weight 0."""
        size = min(self._chunk, 1 << max(len(batch) - 1, 0).bit_length())  # few sizes: each is compiled once
        count = math.ceil(len(batch) / size)
        take = np.minimum(np.arange(count * size), len(batch) - 1).reshape(count, size)
        weights = np.where(np.arange(count * size) < len(batch), np.take(batch.weights, take.ravel()), 0)
        weights = weights.reshape(count, size).astype(np.asarray(batch.weights).dtype)
        return [
            (
                jax.tree.map(lambda leaf, rows=rows: jnp.asarray(np.asarray(leaf)[rows]), batch.items),
                jnp.asarray(w),
            )
            for rows, w in zip(take, weights, strict=True)
        ]

    def combined(self, parameters: Array) -> Any:
        if parameters.dtype == self.start.dtype:
            return eqx.combine(self._unravel(parameters), self._rest)
        return eqx.combine(self._unravel_single(parameters), self._rest_single)

    def _rows_of(self, function: RowFunction) -> Callable:
        def rows(parameters: Array, items: Any, weights: Array) -> tuple[Array, Array]:
            model = self.combined(parameters)
            found = jax.vmap(lambda item: function(model, item))(items)
            found = found * weights[:, None].astype(found.dtype)
            return found, jnp.sum(found**2)

        return rows

    def _gradient_of(self, function: RowFunction) -> Callable:
        rows = self._rows_of(function)

        def loss(parameters: Array, items: Any, weights: Array) -> Array:
            return 0.5 * rows(parameters, items, weights)[1]

        return jax.value_and_grad(loss)

    def _jacobian_of(self, function: RowFunction) -> Callable:
        def one(parameters: Array, item: Any, weight: Array) -> Array:
            def rows(parameters: Array) -> Array:
                found = function(self.combined(parameters), item)
                return found * weight.astype(found.dtype)

            return jax.jacrev(rows)(parameters)

        def many(parameters: Array, items: Any, weights: Array) -> Array:
            return jax.vmap(one, (None, 0, 0))(parameters, items, weights).reshape(-1, parameters.shape[0])

        return many

    def _normal_of(self, function: RowFunction) -> Callable:
        jacobian_of = self._jacobian_of(function)

        def add(
            matrix: Array, slope: Array, parameters: Array, items: Any, weights: Array, rows: Array
        ) -> tuple[Array, Array]:
            jacobian = jacobian_of(parameters, items, weights)
            return matrix + jacobian.T @ jacobian, slope + rows.reshape(-1) @ jacobian

        return add


def in_single(tree: Any) -> Any:
    """The float64 arrays of a tree in float32."""

    def cast(leaf: Any) -> Any:
        double = isinstance(leaf, jax.Array | np.ndarray) and leaf.dtype == np.float64
        return leaf.astype(np.float32) if double else leaf

    return jax.tree.map(cast, tree)


@jax.jit
def _inverse(matrix: Float[Array, "p p"], damping: Float[Array, ""]) -> Float[Array, "p p"]:
    """S (S A S + λ)⁻¹ S."""
    scale = column_scale(jnp.diagonal(matrix))
    one = jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    factor = jax.scipy.linalg.cho_factor(matrix * scale[:, None] * scale[None, :] + damping * one)
    return jax.scipy.linalg.cho_solve(factor, one) * scale[:, None] * scale[None, :]


def column_scale(diagonal: Float[Array, " p"]) -> Float[Array, " p"]:
    floor = jnp.maximum(_EMPTY * jnp.max(diagonal), jnp.finfo(diagonal.dtype).tiny)
    return 1.0 / jnp.sqrt(jnp.maximum(diagonal, floor))
