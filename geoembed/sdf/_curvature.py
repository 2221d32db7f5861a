"""Normals and curvatures of the level sets of any twice differentiable function."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..core import norm

Field = Callable[[Array], Array]


class Curvatures(NamedTuple):
    """Curvatures of a surface at a point. An outward normal makes those of a convex body positive.

    Args:
        mean: H = (κ₁ + κ₂)/2, in 1/length.
        gaussian: K = κ₁ κ₂, in 1/length².
        principal: κ₁ ≥ κ₂, in 1/length.
        normal: ∇f/|∇f|.
    """

    mean: Float[Array, ""]
    gaussian: Float[Array, ""]
    principal: Float[Array, "2"]
    normal: Float[Array, "3"]


def unit_normal(f: Field, x: Float[Array, " d"]) -> Float[Array, " d"]:
    """The unit normal ∇f/|∇f| of the level set of f through a point.

    It points to where f grows: outwards for a signed distance. Where ∇f = 0 it is the zero vector, with
    derivative zero.

    Args:
        f: A function of a point, such as a signed distance; any level set does, not only f = 0.
        x: The point, in the length unit of f.

    Returns:
        A unit vector, or zero.

    Example:
        >>> from geoembed.sdf import Sphere
        >>> unit_normal(Sphere(1.0), jnp.array([0.0, 0.0, 3.0])).tolist()
        [0.0, 0.0, 1.0]
    """
    return _split(jax.grad(f)(x))[0]


def curvatures(f: Field, x: Float[Array, "3"]) -> Curvatures:
    """Mean, Gaussian and principal curvatures of the level set of f through a point of space.

    With a basis T of the plane across ∇f, the curvatures are the eigenvalues of the 2 × 2 matrix
    S = Tᵀ (∇²f) T / |∇f|; H is half its trace, K its determinant. That is Goldman's
    K = ∇f · adj(∇²f) ∇f / |∇f|⁴ and H = (|∇f|² tr ∇²f − ∇f · ∇²f ∇f) / (2 |∇f|³), written so that equal
    curvatures come out equal. The sign of H is that of ½ div(∇f/|∇f|): a ball of radius r with f < 0 inside has
    H = 1/r. (Goldman's H has the other sign.)

    Exact up to rounding, given the derivatives of f; f need not be a distance. All are 0 where ∇f = 0. They mean
    nothing where f has a kink. A mesh has curvature only beside its edges and vertices: on its faces all are 0.

    Args:
        f: A twice differentiable function of a point.
        x: The point, in the length unit of f.

    Returns:
        The curvatures. `principal` has no derivative where both are equal; there 0 is given for that of their
        difference.

    References:
        R. Goldman, Comput. Aided Geom. Des. 22 (2005) 632, Theorems 4.1 and 4.2. The basis: T. Duff et al.,
        J. Comput. Graph. Tech. 6 (2017) 1, listing 3.

    Example:
        >>> from geoembed.sdf import Sphere
        >>> found = curvatures(Sphere(0.5), jnp.array([0.0, 0.0, 0.5]))
        >>> float(found.mean), float(found.gaussian)
        (2.0, 4.0)
    """
    gradient, hessian = jax.grad(f)(x), jax.hessian(f)(x)
    normal, length = _split(gradient)
    basis = _tangents(normal)
    shape = basis @ hessian @ basis.T / jnp.where(length > 0, length, 1.0)
    shape = jnp.where(length > 0, shape, 0.0)
    mean = 0.5 * (shape[0, 0] + shape[1, 1])
    half = norm(jnp.stack([0.5 * (shape[0, 0] - shape[1, 1]), 0.5 * (shape[0, 1] + shape[1, 0])]))
    gaussian = shape[0, 0] * shape[1, 1] - shape[0, 1] * shape[1, 0]
    return Curvatures(mean, gaussian, jnp.stack([mean + half, mean - half]), normal)


def plane_curvature(f: Field, x: Float[Array, "2"]) -> Float[Array, ""]:
    """The curvature of the level curve of f through a point of the plane.

    κ = t · (∇²f) t / |∇f| with the unit tangent t; positive where the inside (f < 0) is convex. 0 where ∇f = 0.

    Args:
        f: A twice differentiable function of a point.
        x: The point, in the length unit of f.

    Returns:
        κ in 1/length.

    References:
        R. Goldman, Comput. Aided Geom. Des. 22 (2005) 632, Proposition 3.1 (with the other sign).

    Example:
        >>> from geoembed.sdf import Circle
        >>> float(plane_curvature(Circle(0.5), jnp.array([0.0, 0.5])))
        2.0
    """
    normal, length = _split(jax.grad(f)(x))
    tangent = jnp.stack([-normal[1], normal[0]])
    bent = jnp.vdot(tangent, jnp.sum(jax.hessian(f)(x) * tangent[None], axis=1))
    return jnp.where(length > 0, bent / jnp.where(length > 0, length, 1.0), 0.0)


def _split(vector: Float[Array, " d"]) -> tuple[Float[Array, " d"], Float[Array, ""]]:
    """A vector's direction and length; the direction of zero is zero."""
    length = norm(vector)
    return vector / jnp.where(length > 0, length, 1.0), length


def _tangents(normal: Float[Array, "3"]) -> Float[Array, "2 3"]:
    """Two unit vectors that make a right-handed basis with a unit normal."""
    x, y, z = normal[0], normal[1], normal[2]
    sign = jnp.where(z < 0, -1.0, 1.0).astype(normal.dtype)
    a = -1.0 / (sign + z)
    b = x * y * a
    return jnp.stack(
        [
            jnp.stack([1.0 + sign * x * x * a, sign * b, -sign * x]),
            jnp.stack([b, sign + y * y * a, -y]),
        ]
    )
