"""A symmetric matrix from a few of its products with random vectors, as preconditioner of conjugate gradients."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float


class Nystrom(NamedTuple):
    """The part of a positive semi-definite matrix that matters: A ≈ Σ values_i vectors_i vectors_iᵀ.

    Args:
        vectors: Orthonormal rows; shorter ones where an eigenvalue is no more than rounding.
        values: Their eigenvalues, ascending.
    """

    vectors: Float[Array, "k p"]
    values: Float[Array, " k"]


def nystrom(rows: Float[Array, "m p"], probes: Float[Array, "k p"]) -> Nystrom:
    """The randomized Nyström approximation A ≈ (AΩ)(ΩᵀAΩ)⁺(AΩ)ᵀ of A = BᵀB, with B given by its rows.

    A shift by the rounding of AΩ keeps the small matrix positive definite, and is taken off the eigenvalues again. Its
    root is one of eigenvalues: a Cholesky factor could fail by rounding.

    Args:
        rows: B.
        probes: Ωᵀ, random normal vectors; at most as many as rows.

    References:
        Z. Frangella, J. A. Tropp, M. Udell, SIAM J. Matrix Anal. Appl. 44 (2023) 718, algorithm 2.1.
    """
    probes = jnp.linalg.qr(probes.T)[0].T
    image = (probes @ rows.T) @ rows
    shift = 10 * jnp.finfo(rows.dtype).eps * jnp.linalg.norm(image)
    image = image + shift * probes
    small = image @ probes.T
    sizes, ways = jnp.linalg.eigh(0.5 * (small + small.T))
    half = (ways / jnp.sqrt(jnp.maximum(sizes, 0.5 * shift))[None, :]).T @ image
    squares, turn = jnp.linalg.eigh(half @ half.T)
    squares = jnp.maximum(squares, shift)
    vectors = (turn / jnp.sqrt(squares)[None, :]).T @ half
    return Nystrom(vectors, jnp.maximum(squares - shift, 0.0))


def solved(near: Nystrom, dampings: Float[Array, " s"], sides: Float[Array, "s p"]) -> Float[Array, "s p"]:
    """P⁻¹ b for each damping λ and right side b, with P ≈ A + λ.

    P is A's approximation plus λ in the span of the vectors, and as much as at the least of them elsewhere.

    References:
        The same, equation 1.3.
    """
    parts = sides @ near.vectors.T
    least = near.values[0] + dampings[:, None]
    inside = parts / (near.values[None, :] + dampings[:, None]) - parts / least
    return inside @ near.vectors + sides / least
