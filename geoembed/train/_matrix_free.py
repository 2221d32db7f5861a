"""Damped Gauss–Newton steps without a Jacobian: conjugate gradients on products, preconditioned by a double sketch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._nystrom import Nystrom, nystrom, solved
from ._residuals import Cut, Evaluated, Residuals, Rows, column_scale

_ROWS = 1024  # of the Jacobian that are computed for the preconditioner
_RANK = 384  # of the preconditioner
_ITERATIONS = 10  # of conjugate gradients, at most
_ACCURATE = 0.05


class MatrixFree:
    """Steps −S (S JᵀJ S + λ)⁻¹ S Jᵀr for several λ at once, where JᵀJ is too large to be formed.

    Conjugate gradients need products of JᵀJ with vectors only: one forward and one reverse derivative of the rows. They
    are preconditioned by a **double sketch** of JᵀJ, in full precision: the rows of J at a random choice of items, each
    block its share, stand for all rows (a coarser quadrature of the same integral), and a Nyström approximation from
    random vectors for all columns. The lengths of the columns, S, are those of the sketched rows.

    The random choices follow from the number of the step, so a run can be repeated and resumed.

    Args:
        residuals: The programs of the rows.
        rows: How many rows the sketch has, about.
        rank: How many random vectors.
        iterations: The most products of a step.
        accuracy: They end when the error, in the norm of the preconditioner, is this part of the first.

    References:
        Z. Frangella, J. A. Tropp, M. Udell, SIAM J. Matrix Anal. Appl. 44 (2023) 718; with networks for differential
        equations: A. Jnini, F. Vella, arXiv 2505.21404 (2025). Sketches of rows and columns: arXiv 2607.02194 (2026).
    """

    def __init__(
        self,
        residuals: Residuals,
        rows: int = _ROWS,
        rank: int = _RANK,
        iterations: int = _ITERATIONS,
        accuracy: float = _ACCURATE,
    ):
        self._residuals, self._count, self._rank = residuals, rows, rank
        self._iterations, self._accuracy = iterations, accuracy
        self._products = [jax.jit(_product_of(rows)) for rows in residuals.programs]
        self._slopes = [jax.jit(_slope_of(rows)) for rows in residuals.programs]

    def directions(
        self, here: Evaluated, dampings: list[float], single: bool, number: int
    ) -> Float[Array, "s p"]:
        """The steps δ for several dampings.

        Args:
            here: The rows at the parameters.
            dampings: λ.
            single: Whether products are computed in float32.
            number: The number of the step, which the random choices follow from.
        """
        slope = self._slope(here)
        scale, near = self._sketch(here, np.random.default_rng([7, number]))
        shifts = jnp.asarray(dampings, slope.dtype)
        side = jnp.broadcast_to((-scale * slope)[None, :], (len(dampings), slope.size))
        work = here.parameters.astype(jnp.float32) if single else here.parameters

        def product(vectors: Array) -> Array:
            image = self._product(work, here.cut, scale[None, :] * vectors, single)
            return scale[None, :] * image + shifts[:, None] * vectors

        return scale[None, :] * self._conjugate_gradients(product, near, shifts, side)

    def _slope(self, here: Evaluated) -> Float[Array, " p"]:
        """Jᵀr in full precision."""
        total = jnp.zeros_like(here.parameters)
        for slope, block, rows in zip(self._slopes, here.cut.pieces, here.rows, strict=True):
            for piece, part in zip(block, rows, strict=True):
                total = slope(total, here.parameters, *piece, part)
        return total

    def _product(self, work: Array, cut: Cut, vectors: Float[Array, "s p"], single: bool) -> Array:
        """JᵀJ v for each vector v."""
        thin = vectors.astype(work.dtype)
        total = jnp.zeros_like(thin)
        for product, block in zip(self._products, cut.single if single else cut.pieces, strict=True):
            for piece in block:
                total = product(total, work, *piece, thin)
        return total.astype(vectors.dtype)

    def _sketch(self, here: Evaluated, rng: np.random.Generator) -> tuple[Float[Array, " p"], Nystrom]:
        """The scaling S of the columns, and S JᵀJ S about."""
        chosen = _chosen(here, self._count, rng)
        pieces = [self._residuals.pieces(batch) for batch in chosen]
        rank = min(self._rank, self._residuals.size, sum(map(len, chosen)))
        probes = rng.standard_normal((rank, self._residuals.size)).astype(here.parameters.dtype)
        return _sketched(self._residuals.jacobian(here.parameters, pieces), jnp.asarray(probes))

    def _conjugate_gradients(
        self, product: Callable[[Array], Array], near: Nystrom, shifts: Array, side: Array
    ) -> Float[Array, "s p"]:
        """The solutions for all dampings in lockstep: a product with three vectors costs less than three with one."""
        at = _first(near, shifts, side)
        for _ in range(self._iterations):
            at, error = _advanced(at, product(at[2]), near, shifts)
            if float(error) < self._accuracy:
                break
        return at[0]


Position = tuple[Array, Array, Array, Array, Array]  # solution, residual, direction, its size, the first size


@jax.jit
def _sketched(rows: Float[Array, "m p"], probes: Float[Array, "k p"]) -> tuple[Array, Nystrom]:
    scale = column_scale(jnp.sum(rows**2, axis=0))
    return scale, nystrom(rows * scale[None, :], probes)


@jax.jit
def _first(near: Nystrom, shifts: Array, side: Array) -> Position:
    direction = solved(near, shifts, side)
    size = jnp.sum(direction * side, axis=1)
    return jnp.zeros_like(side), side, direction, size, size


@jax.jit
def _advanced(at: Position, image: Array, near: Nystrom, shifts: Array) -> tuple[Position, Array]:
    """One step of conjugate gradients with each right side, and the largest error that is left."""
    solution, residual, direction, size, first = at
    length = _ratio(size, jnp.sum(direction * image, axis=1))
    solution = solution + length[:, None] * direction
    residual = residual - length[:, None] * image
    ahead = solved(near, shifts, residual)
    left = jnp.sum(ahead * residual, axis=1)
    direction = ahead + _ratio(left, size)[:, None] * direction
    return (solution, residual, direction, left, first), jnp.sqrt(jnp.max(_ratio(left, first)))


def _ratio(above: Array, below: Array) -> Array:
    """above/below, 0 where below is not positive: there a solution stays."""
    return jnp.where(below > 0, above, 0.0) / jnp.where(below > 0, below, 1.0)


def _chosen(here: Evaluated, count: int, rng: np.random.Generator) -> list[Rows]:
    """About so many rows of all blocks, evenly; weighted so that the sum of squares is that of all on average."""
    widths = [rows[0].shape[1] for rows in here.rows]
    total = sum(len(batch) * width for batch, width in zip(here.cut.batches, widths, strict=True))
    share = min(1.0, count / total)
    return [_part(batch, max(1, round(share * len(batch))), rng) for batch in here.cut.batches]


def _part(batch: Rows, count: int, rng: np.random.Generator) -> Rows:
    take = np.sort(rng.choice(len(batch), count, replace=False))
    items = jax.tree.map(lambda leaf: np.asarray(leaf)[take], batch.items)
    weights = np.asarray(batch.weights)
    return Rows(items, weights[take] * weights.dtype.type(np.sqrt(len(batch) / count)))


def _product_of(rows: Callable) -> Callable:
    def add(total: Array, parameters: Array, items: Any, weights: Array, vectors: Array) -> Array:
        _, forward = jax.linearize(lambda theta: rows(theta, items, weights)[0], parameters)
        back = jax.linear_transpose(forward, parameters)
        return total + jax.vmap(lambda vector: back(forward(vector))[0])(vectors)

    return add


def _slope_of(rows: Callable) -> Callable:
    def add(total: Array, parameters: Array, items: Any, weights: Array, part: Array) -> Array:
        _, back = jax.vjp(lambda theta: rows(theta, items, weights)[0], parameters)
        return total + back(part)[0]

    return add
