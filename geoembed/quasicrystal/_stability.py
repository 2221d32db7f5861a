"""Where an elastic tensor is stable: positive energy of every strain and phason gradient."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._invariants import distortion_basis


def strain_form(tensor: Float[Array, "n d n d"]) -> Float[Array, "m m"]:
    """C as a symmetric matrix over strains and phason gradients, m = d(d+1)/2 + (n − d)d.

    Args:
        tensor: The elastic tensor C[I, j, K, l].

    Returns:
        The matrix in an orthonormal basis: Mandel's for the strains, then the gradients row by row. Its eigenvalues
        are twice the energy densities of distortions of unit length.
    """
    directions = jnp.asarray(distortion_basis(*tensor.shape[:2]), tensor.dtype)
    return jnp.einsum("aIj,IjKl,bKl->ab", directions, tensor, directions)


def stability_margin(tensor: Float[Array, "n d n d"]) -> Float[Array, ""]:
    """The smallest eigenvalue of `strain_form`: the tensor is stable exactly where it is positive.

    Args:
        tensor: The elastic tensor.

    Returns:
        A number in the unit of C. Its gradient is right where the smallest eigenvalue is simple, and one of the
        subgradients where it is degenerate (with icosahedral symmetry it is).

    Example:
        >>> round(float(stability_margin(jnp.eye(4).reshape(2, 2, 2, 2))), 5)
        1.0
    """
    return jnp.min(_eigenvalues(strain_form(tensor)))


def stability_limits(
    tensor: Float[Array, "n d n d"], change: Float[Array, "n d n d"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The range of t in which C + t·ΔC is stable. Exact up to rounding.

    Args:
        tensor: A stable elastic tensor C.
        change: The direction ΔC, for example one coupling invariant.

    Returns:
        The lower and the upper limit; −∞ or ∞ where there is none, nan where C itself is not stable.

    References:
        Widom, Phil. Mag. Lett. 64, 297 (1991): the icosahedral case.
    """
    factor = jnp.linalg.cholesky(strain_form(tensor))
    half = jax.scipy.linalg.solve_triangular(factor, strain_form(change), lower=True)
    values = _eigenvalues(jax.scipy.linalg.solve_triangular(factor, half.T, lower=True))
    smallest, largest = jnp.min(values), jnp.max(values)
    # what rounding leaves of an eigenvalue 0 limits nothing
    slack = 64 * float(jnp.finfo(tensor.dtype).eps) * jnp.max(jnp.abs(values))
    lower = jnp.where(largest > slack, -1 / jnp.where(largest > slack, largest, 1.0), -jnp.inf)
    upper = jnp.where(smallest < -slack, -1 / jnp.where(smallest < -slack, smallest, 1.0), jnp.inf)
    broken = jnp.isnan(factor[-1, -1])
    return jnp.where(broken, jnp.nan, lower), jnp.where(broken, jnp.nan, upper)


def _eigenvalues(matrix: Float[Array, "m m"]) -> Float[Array, " m"]:
    """Eigenvalues whose gradient is finite at degenerate ones, where that of eigenvectors is not."""
    symmetric = (matrix + matrix.T) / 2
    vectors = jax.lax.stop_gradient(jnp.linalg.eigh(symmetric)[1])
    return jnp.einsum("ia,ij,ja->a", vectors, symmetric, vectors)
