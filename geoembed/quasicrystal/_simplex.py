"""The Fourier transform of simplices, right also where exponents coincide."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._complex import as_complex, wave

_HALVINGS = 8  # the exponents of a simplex may differ by 2⁸ before digits are lost
_TERMS = 16  # the next one is below 1 / 17!


def simplex_transform(corners: Float[Array, "f corners m"], k: Float[Array, "*n m"]) -> Array:
    """∫ exp(−i k·q) dq over simplices: m! V times the divided difference of exp at the exponents of the corners.

    The divided difference is the corner entry of the exponential of a bidiagonal matrix (Opitz), computed by Taylor
    terms and squarings: no quotient, hence no cancellation where exponents coincide, and right derivatives everywhere.

    Args:
        corners: The corners of each simplex, m + 1 of them.
        k: Wave vectors.

    Returns:
        Complex values [*n, f].

    References:
        G. Opitz, Z. Angew. Math. Mech. 44, T52 (1964); A. McCurdy, K. C. Ng, B. N. Parlett, Math. Comp. 43, 501 (1984).
    """
    count = corners.shape[1]
    volumes = math.factorial(count - 1) * simplex_volumes(corners)
    exponents = -jnp.einsum("...m,fcm->...fc", k, corners)
    middle = jnp.sum(exponents, axis=-1, keepdims=True) / count
    scale = 2.0**-_HALVINGS
    above = jnp.asarray(np.eye(count, k=1) * scale, k.dtype)
    spread = scale * (exponents - middle)
    shape = (1,) * (spread.ndim - 1) + (count, count)
    diagonal = spread[..., None] * jnp.eye(count, dtype=k.dtype).reshape(shape)
    matrix = jax.lax.complex(jnp.broadcast_to(above.reshape(shape), diagonal.shape), diagonal)
    one = jnp.broadcast_to(jnp.eye(count, dtype=matrix.dtype), matrix.shape)
    # loops, which compile faster than their unrolled forms
    terms = jnp.arange(_TERMS, 0, -1, dtype=k.dtype)
    power = jax.lax.fori_loop(
        0, _TERMS, lambda i, x: one + (matrix @ x) * as_complex(1.0 / terms[i]), one
    )  # Horner
    power = jax.lax.fori_loop(0, _HALVINGS, lambda _, x: x @ x, power)
    middle = middle[..., 0]
    return as_complex(jnp.broadcast_to(volumes, middle.shape)) * wave(middle) * power[..., 0, -1]


def fan(vertices: Float[Array, "k m"], faces: tuple[tuple[int, ...], ...]) -> Float[Array, "f corners m"]:
    """Simplices from the mean of the vertices of a convex body to all its faces, which fill it."""
    chosen = vertices[np.array(faces)]
    middle = jnp.sum(vertices, axis=0) / len(vertices)
    return jnp.concatenate([jnp.broadcast_to(middle, (len(chosen), 1, len(middle))), chosen], axis=1)


def simplex_volumes(corners: Float[Array, "f corners m"]) -> Float[Array, " f"]:
    """The volumes of simplices of m + 1 corners."""
    edges = corners[:, 1:] - corners[:, :1]
    return jnp.abs(determinant(edges)) / math.factorial(edges.shape[-1])


def determinant(matrices: Float[Array, "*n m m"]) -> Float[Array, "*n"]:
    """Determinants of small matrices by expansion: right derivatives also where they vanish."""
    size = matrices.shape[-1]

    def minor(row: int, columns: tuple[int, ...]) -> Array:
        """The determinant of the rows from this one on, in some columns."""
        first = [matrices[..., row, column] for column in columns]
        if row == size - 1:
            return first[0]
        parts = [x * minor(row + 1, columns[:i] + columns[i + 1 :]) for i, x in enumerate(first)]
        return functools.reduce(jnp.add, parts[::2]) - functools.reduce(jnp.add, parts[1::2])

    return minor(0, tuple(range(size)))
