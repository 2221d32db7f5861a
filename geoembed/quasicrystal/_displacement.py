"""Displacements of the lattice around a line, and where they take one lattice vector."""

import math
from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..core import register
from ._integral_formalism import frame, polar

STEEPEST = 0.55  # the largest gradient of a displacement outside the core
_ROUNDS = (
    24  # of the fixed point; each leaves STEEPEST of the error at worst: 6e-7, and Newton's steps its square
)


@register
class Winding(eqx.Module):
    """The simplest displacement with a Burgers vector, U = b θ/2π: every direction alike, no elastic constants.

    Args:
        burgers: b, its d parallel components first.
        axes: Two orthonormal vectors normal to the line; θ counts from the first to the second.
        origin: A point of the line.
    """

    burgers: Float[Array, " D"]
    axes: Float[Array, "2 d"]
    origin: Float[Array, " d"]

    def unwrapped(self, radius: Float[Array, ""], angle: Float[Array, ""]) -> Float[Array, " D"]:
        """U at a distance from the line and an angle that goes round without a cut.

        Args:
            radius: Distance from the line; without effect.
            angle: Any real number.
        """
        return self.burgers * angle / (2 * math.pi)


def winding(
    burgers: Float[Array, " D"],
    line: Float[Array, " d"] | None = None,
    *,
    origin: Float[Array, " d"] | None = None,
    cut: Float[Array, " d"] | None = None,
) -> Winding:
    """The displacement b θ/2π around a straight line.

    Args:
        burgers: b = (P k, Q k), or a part of it.
        line: The direction of the line where d = 3; None in the plane.
        origin: A point of the line; 0 by default.
        cut: A direction whose part normal to the line is where θ = 0; by default a coordinate axis.
    """
    axes, _ = frame(burgers.dtype, line, cut)
    return Winding(burgers, axes, jnp.zeros(axes.shape[1], burgers.dtype) if origin is None else origin)


@runtime_checkable
class Around(Protocol):
    """A displacement around a line: `Winding`, `StraightDislocation`, or your own module."""

    @property
    def axes(self) -> Float[Array, "2 d"]:
        """Two orthonormal vectors normal to the line."""
        ...

    @property
    def origin(self) -> Float[Array, " d"]:
        """A point of the line."""
        ...

    def unwrapped(self, radius: Float[Array, ""], angle: Float[Array, ""]) -> Float[Array, " D"]:
        """The displacement of the lattice, parallel components first."""
        ...


def displaced_site(
    base: Float[Array, " D"], field: Around, start: Float[Array, ""]
) -> tuple[Float[Array, " D"], Float[Array, ""], Float[Array, ""]]:
    """Where a lattice vector goes on one sheet: the solution of x = P k + U_par(x). Differentiable in everything.

    A fixed point, then two steps of Newton's method; the derivatives of the last one are those of the solution.

    Args:
        base: (P k, Q k), with what shifts the lattice added.
        field: The displacement, with a gradient of its parallel part below 0.55 around the solution.
        start: An angle, on the sheet, near that of the solution.

    Returns:
        (x, q) with its d parallel components first, the angle on the sheet, and how much the equation is violated.
    """
    d = field.axes.shape[1]
    still, fixed = jax.tree.map(jax.lax.stop_gradient, (base, field))

    def sheet(around: Around, place: Float[Array, " d"], near: Float[Array, ""]) -> tuple[Array, Array]:
        radius, angle = polar(place - around.origin, around.axes)
        turns = jax.lax.stop_gradient(jnp.round((near - angle) / (2 * math.pi)))
        return radius, angle + 2 * math.pi * turns

    def once(_: Int[Array, ""], state: tuple[Array, Array]) -> tuple[Array, Array]:
        place, near = state
        radius, angle = sheet(fixed, place, near)
        return still[:d] + fixed.unwrapped(radius, angle)[:d], angle

    first = still[:d] + fixed.unwrapped(polar(still[:d] - fixed.origin, fixed.axes)[0], start)[:d]
    place, near = jax.lax.fori_loop(0, _ROUNDS, once, (first, jax.lax.stop_gradient(start)))

    def gap(x: Float[Array, " d"]) -> Float[Array, " d"]:
        return x - base[:d] - field.unwrapped(*sheet(field, x, near))[:d]

    for _ in range(2):
        place = jax.lax.stop_gradient(place)
        place = place - jnp.linalg.solve(jax.lax.stop_gradient(jax.jacfwd(gap)(place)), gap(place))
    radius, angle = sheet(field, place, near)
    moved = base[d:] + field.unwrapped(radius, angle)[d:]
    return jnp.concatenate([place, moved]), angle, jnp.max(jnp.abs(gap(place)))
