"""The nearest point of a surface that is given as f = 0."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ...core import norm
from .._curvature import Field, unit_normal

_SLACK = 64  # units of rounding of the coordinates within which a foot point counts as found


class FootPoint(NamedTuple):
    """A point of a surface at which the line to a given point stands upright.

    Args:
        point: p, in the length unit of f.
        distance: ±|x − p|, with the sign of f(x).
        residual: How far p may be from a foot point: |f|/|∇f| or the part of x − p along the surface, whichever
            is larger, in the length unit of f.
        converged: Whether the residual is within the tolerance.
    """

    point: Float[Array, " d"]
    distance: Float[Array, ""]
    residual: Float[Array, ""]
    converged: Bool[Array, ""]


def closest_point(
    f: Field,
    x: Float[Array, " d"],
    *,
    exact: bool = False,
    steps: int = 24,
    tolerance: float | None = None,
) -> FootPoint:
    """Projects a point onto the surface f = 0.

    For an exact distance p = x − f ∇f, which is the nearest point (`exact=True`; one evaluation). Otherwise p and
    a number λ are found with x − p = λ ∇f(p) and f(p) = 0 by Newton's method; a step that does not make the
    residual smaller is replaced by one to the tangent plane and back along the gradient. What is found is a foot
    point; it is the nearest one when x is near the surface against its radii of curvature, and need not be
    otherwise. Where ∇f = 0 on the way the point stays, with `converged` False.

    Differentiable in the point and in what f is made of, by the implicit function theorem: one last Newton step
    carries the derivative, whatever `steps` is.

    Args:
        f: A twice differentiable function of a point, with a gradient on the surface.
        x: The point, in the length unit of f.
        exact: Whether f is the exact signed distance near x.
        steps: The most iterations.
        tolerance: The residual at which p is found, in the length unit of f; None for 64 units of rounding of
            the larger of |x| and |x − p|.

    Returns:
        The foot point and whether it was found.

    References:
        E. Hartmann, Comput. Aided Geom. Des. 16 (1999) 355, section 2 (the replacing step).

    Example:
        >>> found = closest_point(lambda p: jnp.vdot(p, p) - 1.0, jnp.array([0.0, 3.0, 4.0]))
        >>> [round(float(c), 4) for c in found.point], bool(found.converged)
        ([0.0, 0.6, 0.8], True)
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, received {steps}")
    value = f(x)
    if exact:
        point = x - value * jax.grad(f)(x)
    else:
        start = jax.lax.stop_gradient(_drop(f, x))
        found = jax.lax.fori_loop(0, steps, lambda _, p: jax.lax.stop_gradient(_improve(f, x, p)), start)
        residual = jax.lax.stop_gradient(_residual(f, x, found))
        point = _implicit(f, x, found, residual <= _enough(x, found, tolerance))
    residual = jax.lax.stop_gradient(_residual(f, x, point))
    distance = (1 - 2 * (value < 0).astype(x.dtype)) * norm(x - point)
    return FootPoint(point, distance, residual, residual <= _enough(x, point, tolerance))


def _enough(x: Array, point: Array, tolerance: float | None) -> Array:
    if tolerance is not None:
        return jnp.full((), tolerance, x.dtype)
    scale = jnp.maximum(jnp.max(jnp.abs(x)), jnp.max(jnp.abs(x - point)))
    return _SLACK * float(jnp.finfo(x.dtype).eps) * jax.lax.stop_gradient(scale)


def _drop(f: Field, p: Float[Array, " d"]) -> Float[Array, " d"]:
    """One step along the gradient to where the linear part of f is 0."""
    value, gradient = jax.value_and_grad(f)(p)
    square = jnp.vdot(gradient, gradient)
    return p - jnp.where(square > 0, value / jnp.where(square > 0, square, 1.0), 0.0) * gradient


def _residual(f: Field, x: Array, p: Array) -> Float[Array, ""]:
    """How far p is from a foot point of x; infinite where f has no gradient."""
    value, gradient = jax.value_and_grad(f)(p)
    length = norm(gradient)
    normal = gradient / jnp.where(length > 0, length, 1.0)
    along = norm((x - p) - jnp.vdot(x - p, normal) * normal)
    off = jnp.abs(value) / jnp.where(length > 0, length, 1.0)
    residual = jnp.where(length > 0, jnp.maximum(along, off), jnp.inf)
    return jnp.where(jnp.isnan(residual), jnp.inf, residual)


def _equations(f: Field, x: Array, p: Array, factor: Array) -> Float[Array, " e"]:
    """What a foot point makes zero: p − x + λ∇f(p), and f(p)."""
    value, gradient = jax.value_and_grad(f)(p)
    return jnp.concatenate([p - x + factor * gradient, value[None]])


def _linearised(f: Field, x: Array, p: Array) -> tuple[Float[Array, "e e"], Float[Array, ""]]:
    """The Jacobian of the equations in p and λ, and the λ that fits p best."""
    gradient = jax.grad(f)(p)
    square = jnp.vdot(gradient, gradient)
    factor = jnp.vdot(x - p, gradient) / jnp.where(square > 0, square, 1.0)
    block = jnp.eye(len(p), dtype=p.dtype) + factor * jax.hessian(f)(p)
    upper = jnp.concatenate([block, gradient[:, None]], axis=1)
    lower = jnp.concatenate([gradient, jnp.zeros((1,), p.dtype)])
    return jnp.concatenate([upper, lower[None]]), factor


def _improve(f: Field, x: Array, p: Array) -> Float[Array, " d"]:
    """A Newton step from p if that is better, else a step to the tangent plane and back to the surface."""
    jacobian, factor = _linearised(f, x, p)
    newton = p - jnp.linalg.solve(jacobian, _equations(f, x, p, factor))[:-1]
    normal = unit_normal(f, p)
    plane = _drop(f, _drop(f, x - jnp.vdot(x - p, normal) * normal))
    here, there = _residual(f, x, p), _residual(f, x, newton)
    better = jnp.where(there < here, newton, plane)
    settled = here <= _enough(x, p, None) / _SLACK  # rounding alone would move it
    return jnp.where(jnp.isfinite(here) & jnp.all(jnp.isfinite(better)) & ~settled, better, p)


def _implicit(f: Field, x: Array, p: Array, found: Array) -> Float[Array, " d"]:
    """A Newton step with a fixed Jacobian: it moves p by rounding only, and has the derivative of the solution."""
    jacobian, factor = jax.lax.stop_gradient(_linearised(f, x, p))
    jacobian = jnp.where(found, jacobian, jnp.eye(len(p) + 1, dtype=p.dtype))
    step = jnp.linalg.solve(jacobian, _equations(f, x, p, factor))[:-1]
    return jnp.where(found, p - step, p)
