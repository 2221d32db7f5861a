"""How outputs turn with their inputs: callables from a group element to a matrix.

An element of an isometry group is a matrix, or a matrix with a translation, of which only the matrix counts. An element
of `permutations` is the new order, of `cyclic_shifts` the number of places, of `translations` and `lattice` the vector.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

Representation = Callable[[Any], Array]


def scalar(g: Any) -> Array:
    """1: nothing changes."""
    return jnp.ones((1, 1), linear_part(g).dtype)


def pseudoscalar(g: Any) -> Array:
    """det R: the sign of a mirror image."""
    return jnp.linalg.det(linear_part(g))[None, None]


def vector(g: Any) -> Array:
    """R: a force, a position relative to a centre, a gradient."""
    return linear_part(g)


def pseudovector(g: Any) -> Array:
    """det R · R: an angular momentum, a curl."""
    return jnp.linalg.det(linear_part(g)) * linear_part(g)


def tensor(g: Any) -> Array:
    """R ⊗ R: a stress, a Hessian, on the last two axes."""
    return jnp.kron(linear_part(g), linear_part(g))


def permutation(g: Array) -> Array:
    """The matrix of an order: what holds one number for each row is reordered with the rows."""
    return jnp.eye(g.shape[0])[g]


def linear_part(g: Any) -> Array:
    """The matrix of an element of SO(n), O(n), SE(n) or E(n)."""
    return g[0] if isinstance(g, tuple) else g


def transform(matrix: Array, y: Array) -> Array:
    """A d × d matrix on the trailing axes of y that hold d numbers together; a 1 × 1 matrix scales.

    Raises:
        ValueError: The matrix is not square, or no number of trailing axes holds d numbers.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a representation gives a square matrix, received shape {matrix.shape}")
    if not jnp.iscomplexobj(matrix) or jnp.iscomplexobj(y):
        matrix = matrix.astype(y.dtype)
    d = matrix.shape[0]
    if d == 1:
        return matrix[0, 0] * y
    size = 1
    for axes in range(1, y.ndim + 1):
        size *= y.shape[-axes]
        if size == d:
            flat = y.reshape(*y.shape[:-axes], d)
            return jnp.matmul(flat, matrix.T, precision=jax.lax.Precision.HIGHEST).reshape(y.shape)
    raise ValueError(f"a representation of size {d} cannot act on an output of shape {y.shape}")
