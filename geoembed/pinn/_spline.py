"""The quadratic B-spline features of one cubic cell."""

from types import ModuleType
from typing import Any

FEATURES = 27  # quadratic B-splines that do not vanish in a cell: three along each axis


def spline_values(t: Any, xp: ModuleType) -> Any:
    """Returns the 27 tensor-product quadratic B-splines of a cell.

    With b₀ = (1 − t)²/2, b₁ = 1/2 + t − t², b₂ = t²/2 along each axis, feature 9i + 3j + k is bᵢ(t₀) bⱼ(t₁) bₖ(t₂).
    They sum to 1.

    Args:
        t: Position in the cell, 0…1 along each axis, shape [..., 3].
        xp: The array module of `t`: numpy or jax.numpy.

    Returns:
        The features, shape [..., 27].
    """
    return _product([_values(t[..., axis], xp) for axis in range(3)], xp)


def spline_gradients(t: Any, xp: ModuleType) -> Any:
    """Returns the gradients of `spline_values` with respect to t, shape [..., 27, 3]."""
    values = [_values(t[..., axis], xp) for axis in range(3)]
    slopes = [_slopes(t[..., axis], xp) for axis in range(3)]
    parts = [_product([slopes[a] if a == axis else values[a] for a in range(3)], xp) for axis in range(3)]
    return xp.stack(parts, axis=-1)


def _values(t: Any, xp: ModuleType) -> Any:
    return xp.stack([0.5 * (1 - t) ** 2, 0.5 + t - t * t, 0.5 * t * t], axis=-1)


def _slopes(t: Any, xp: ModuleType) -> Any:
    return xp.stack([t - 1, 1 - 2 * t, t], axis=-1)


def _product(factors: list[Any], xp: ModuleType) -> Any:
    x, y, z = factors
    product = x[..., :, None, None] * y[..., None, :, None] * z[..., None, None, :]
    return xp.reshape(product, (*product.shape[:-3], FEATURES))
