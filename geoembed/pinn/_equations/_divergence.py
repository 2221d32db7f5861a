"""Equations that say what the divergence of a flux is: those that have a weak form."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._along import Point
from ._equation import Equation, space


class DivergenceForm(Equation):
    """An equation ∇·F = s, with the natural flux F·n and with first derivatives of the field in F and s.

    Tested with a function v and integrated by parts it asks for no second derivative of the field and for no
    derivative of a coefficient in F:

        ∫ (F·∇v + s v) dx = ∮ (F·n) v.
    """

    @abc.abstractmethod
    def balance(self, u: Any, x: Point) -> Float[Array, " m"]:
        """What ∇·F is where the equation holds, one entry per unknown: s, with F such that `flux` is F·n.

        Args:
            u: The field. Its second derivatives must not matter.
            x: The point.

        Raises:
            ValueError: As for `residual`, or the equation has no such form with these coefficients.
        """


def fluxes(equation: DivergenceForm, u: Any, x: Point) -> Float[Array, "m n"]:
    """F at a point: the natural fluxes through planes across each coordinate in space."""
    normals = jnp.eye(len(space(equation, x)), dtype=x.dtype)
    return jnp.stack([equation.flux(u, x, normal) for normal in normals], axis=1)


def jet(
    equation: DivergenceForm, value: Float[Array, " m"], slopes: Float[Array, "m d"], x: Point
) -> Float[Array, "m k"]:
    """s and F, one line per unknown, of a field with this value and these first derivatives at a point."""

    def field(y: Point) -> Float[Array, "*m"]:
        found = value + slopes @ (y - x)
        return found[0] if len(equation.fields) == 1 else found

    return jnp.concatenate([equation.balance(field, x)[:, None], fluxes(equation, field, x)], axis=1)


def constant(equation: Equation, name: str) -> None:
    """Refuses a coefficient that varies where its derivative would be missing."""
    if callable(getattr(equation, name)):
        raise ValueError(
            f"{type(equation).__name__}: the weak form needs a constant {name}: use form='strong'"
        )
