"""Derivatives of a field, forward over forward.

A field is any function of one point, u(x) with x of shape (d,): spatial coordinates first, time last when there is
time. It has one value, shape (), or several, shape (m,). An operator takes a field and returns a function of the
point, so operators nest and `jax.vmap` serves many points.

Every derivative is a nested `jax.jvp` along a fixed direction. Reverse mode never runs inside, so the gradient by the
parameters of a network costs one reverse sweep over a forward program.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ._along import (
    Axes,
    Field,
    Point,
    Values,
    along_axis,
    coefficient_row,
    coordinates,
    field_point,
    padded,
    require_order,
    total,
    tower,
    unit_vector,
)


def derivatives(u: Field, axis: int, order: int) -> Callable[[Point], tuple[Values, ...]]:
    """A field and its derivatives along one coordinate, from one evaluation.

    (u, ∂u/∂xₐ, …, ∂ⁿu/∂xₐⁿ). Cheaper to compile than n + 1 separate derivatives, and a little cheaper to run.

    Args:
        u: The field.
        axis: a, counted from 0; negative from the end, so −1 is time when there is time.
        order: n, at least 0. Compiled, order 4 of a dense network has the arithmetic of about six evaluations.

    Returns:
        A function of the point; its n + 1 results have the shape of u(x).

    Raises:
        ValueError: The order is negative; where it is called, also: the point is not one vector of floating-point
            coordinates, or it has no such axis.

    Example:
        >>> import jax.numpy as jnp
        >>> [float(v) for v in derivatives(lambda x: x[0] ** 3, 0, 3)(jnp.array([2.0]))]
        [8.0, 12.0, 12.0, 6.0]
    """
    require_order(order, 0)
    return lambda x: tower(u, field_point(x), unit_vector(field_point(x), axis), order)


def derivative(u: Field, *axes: int) -> Callable[[Point], Values]:
    """A mixed partial derivative of any order.

    `derivative(u, 0, 0, 1)` is ∂³u/∂x₀²∂x₁.

    Args:
        u: The field.
        *axes: The coordinates to differentiate by, counted from 0; negative from the end. Without any, u itself.

    Returns:
        A function of the point with values of the shape of u(x).

    Raises:
        ValueError: Where it is called: the point is not one vector of floating-point coordinates, or it has no such
            axis.

    Example:
        >>> import jax.numpy as jnp
        >>> float(derivative(lambda x: x[0] ** 2 * x[1], 0, 0, 1)(jnp.array([5.0, 7.0])))
        2.0
    """
    for axis in axes:
        u = along_axis(u, axis)
    return u


def directional(u: Field, direction: Any, order: int = 1) -> Callable[[Point], Values]:
    """The derivative along a straight line, dⁿ/dsⁿ u(x + s v) at s = 0.

    Args:
        u: The field.
        direction: v, a vector of any length. If it has fewer numbers than the point, it is 0 in the other
            coordinates: a normal in space serves a point that ends with time.
        order: n, at least 1.

    Returns:
        A function of the point with values of the shape of u(x).

    Raises:
        ValueError: The order is below 1; where it is called, also: the direction is not one vector or is longer than
            the point.

    Example:
        >>> import jax.numpy as jnp
        >>> float(directional(lambda x: x[0] * x[1], [1.0, 2.0], 2)(jnp.array([5.0, 7.0])))
        4.0
    """
    require_order(order, 1)
    return lambda x: tower(u, field_point(x), padded(direction, field_point(x)), order)[-1]


def time_derivative(u: Field, order: int = 1) -> Callable[[Point], Values]:
    """The derivative by the last coordinate, ∂ⁿu/∂tⁿ.

    Args:
        u: The field.
        order: n, at least 1.

    Returns:
        A function of the point with values of the shape of u(x).

    Raises:
        ValueError: The order is below 1.

    Example:
        >>> import jax.numpy as jnp
        >>> float(time_derivative(lambda x: x[0] * x[1] ** 2)(jnp.array([3.0, 5.0])))
        30.0
    """
    require_order(order, 1)
    return derivative(u, *[-1] * order)


def gradient(u: Field, axes: Axes = None) -> Callable[[Point], Values]:
    """First derivatives by several coordinates.

    Args:
        u: The field.
        axes: The coordinates; all of the point's if None. Give `range(3)` to leave the time out of (x, y, z, t).

    Returns:
        A function of the point. Its last axis runs over the coordinates: ∇u, shape (n,), of a field with one value;
        the matrix ∂uᵢ/∂xⱼ, shape (m, n), of one with m.

    Example:
        >>> import jax.numpy as jnp
        >>> gradient(lambda x: x[0] ** 2 + 3.0 * x[1])(jnp.array([2.0, 5.0])).tolist()
        [4.0, 3.0]
    """
    return lambda x: jnp.stack([along_axis(u, i)(x) for i in coordinates(axes, x)], axis=-1)


def divergence(v: Field, axes: Axes = None) -> Callable[[Point], Values]:
    """The divergence Σⱼ ∂vⱼ/∂xⱼ.

    Args:
        v: A field with as many values as there are coordinates; or with a matrix of values, whose rows are taken
            one by one, as the divergence of a stress is.
        axes: The coordinates; all of the point's if None.

    Returns:
        A function of the point.

    Raises:
        ValueError: Where it is called: the field has another number of values than there are coordinates.

    Example:
        >>> import jax.numpy as jnp
        >>> float(divergence(lambda x: jnp.stack([x[0] ** 2, x[0] * x[1]]))(jnp.array([2.0, 5.0])))
        6.0
    """

    def at(x: Any) -> Values:
        rows = coordinates(axes, x)
        parts = [along_axis(v, i)(x) for i in rows]
        if parts[0].shape[-1:] != (len(rows),):
            raise ValueError(
                f"a divergence by {len(rows)} coordinates needs a field with {len(rows)} values, "
                f"this one has shape {parts[0].shape}: name the coordinates with axes="
            )
        return total([part[..., k] for k, part in enumerate(parts)])

    return at


def curl(v: Field, axes: Axes = None) -> Callable[[Point], Values]:
    """The curl: a number in the plane, ∂v₁/∂x₀ − ∂v₀/∂x₁, and the vector ∇ × v in space.

    Args:
        v: A field with two or three values.
        axes: As many coordinates; all of the point's if None.

    Returns:
        A function of the point.

    Raises:
        ValueError: Where it is called: there are not two or three coordinates, or another number of values.

    Example:
        >>> import jax.numpy as jnp
        >>> float(curl(lambda x: jnp.stack([-x[1], x[0]]))(jnp.array([2.0, 5.0])))
        2.0
    """

    def at(x: Any) -> Values:
        slopes = gradient(v, axes)(x)
        if slopes.shape == (2, 2):
            return slopes[1, 0] - slopes[0, 1]
        if slopes.shape != (3, 3):
            raise ValueError(
                f"a curl needs two values by two coordinates or three by three, received a field and coordinates "
                f"of shape {slopes.shape}: name the coordinates with axes="
            )
        return jnp.stack([slopes[k - 1, k - 2] - slopes[k - 2, k - 1] for k in range(3)])

    return at


def laplacian(u: Field, axes: Axes = None) -> Callable[[Point], Values]:
    """The Laplacian Σⱼ ∂²u/∂xⱼ², one nested derivative per coordinate.

    Args:
        u: The field; of one with several values every value is taken.
        axes: The coordinates; all of the point's if None. Give `range(3)` to leave the time out of (x, y, z, t).

    Returns:
        A function of the point with values of the shape of u(x).

    Example:
        >>> import jax.numpy as jnp
        >>> float(laplacian(lambda x: x[0] ** 2 + x[1] ** 3)(jnp.array([2.0, 5.0])))
        32.0
    """
    return lambda x: total([derivative(u, i, i)(x) for i in coordinates(axes, x)])


def hessian(u: Field, axes: Axes = None) -> Callable[[Point], Values]:
    """Second derivatives ∂²u/∂xᵢ∂xⱼ; each pair is computed once.

    Args:
        u: The field.
        axes: The coordinates; all of the point's if None.

    Returns:
        A function of the point, whose last two axes run over the coordinates: (n, n) or (m, n, n).

    Example:
        >>> import jax.numpy as jnp
        >>> hessian(lambda x: x[0] ** 2 * x[1])(jnp.array([2.0, 5.0])).tolist()
        [[10.0, 4.0], [4.0, 0.0]]
    """

    def at(x: Any) -> Values:
        rows = coordinates(axes, x)
        count = range(len(rows))
        upper = {(i, j): derivative(u, rows[i], rows[j])(x) for i in count for j in count if i <= j}
        lines = [jnp.stack([upper[min(i, j), max(i, j)] for j in count], axis=-1) for i in count]
        return jnp.stack(lines, axis=-2)

    return at


def diffusion(u: Field, k: Any, axes: Axes = None) -> Callable[[Point], Values]:
    """The operator ∇·(k ∇u) with a coefficient that may vary and need not be the same in every direction.

    Σᵢ ∂/∂xᵢ (kᵢ·∇u) with the rows kᵢ of the matrix k: one nested derivative per coordinate.

    Args:
        u: The field; of one with several values every value is taken.
        k: A number or an n × n matrix, or a function of the point that returns one of them. For a coefficient
            that depends on the field give `lambda x: k(x, u(x))`.
        axes: The n coordinates; all of the point's if None.

    Returns:
        A function of the point with values of the shape of u(x).

    Raises:
        ValueError: Where it is called: the coefficient has another shape.

    Example:
        >>> import jax.numpy as jnp
        >>> float(diffusion(lambda x: x[0] ** 2, lambda x: 1.0 + x[0])(jnp.array([3.0])))
        14.0
    """
    coefficient = k if callable(k) else lambda x: k

    def at(x: Any) -> Values:
        x, rows = field_point(x), coordinates(axes, x)
        if not callable(k) and jnp.ndim(k) == 0:
            return jnp.asarray(k, x.dtype) * laplacian(u, rows)(x)

        def flow(i: int) -> Field:
            return lambda y: jax.jvp(u, (y,), (coefficient_row(coefficient(y), i, rows, y),))[1]

        return total([along_axis(flow(i), axis)(x) for i, axis in enumerate(rows)])

    return at
