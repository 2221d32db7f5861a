"""Weak forms of equations with one unknown and derivatives up to the second order, for the finite-element judge.

They are written out here, term by term, and share nothing with `Equation.residual`:

    ∫ bulk · v + spread · ∇v = ∮ (spread · n) v    for every test function v.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ._equations._coefficient import FieldDependent
from ._equations._equation import Equation
from ._equations._heat import HeatEquation
from ._equations._phase import AllenCahn
from ._equations._poisson import Helmholtz, Poisson
from ._equations._transport import AdvectionDiffusion, Burgers

# (x, u, ∇u in space, ∂u/∂t) ↦ (bulk, spread); the time is the last coordinate of x.
Form = Callable[[Array, Array, Array, Array], tuple[Array, Array]]


class NoReference(ValueError):
    """Why finite elements cannot judge a problem."""


@dataclass(frozen=True)
class WeakForm:
    """The weak form of an equation.

    Args:
        terms: Bulk and spread at one point.
        natural: The natural flux of the equation is this times spread · n.
    """

    terms: Form
    natural: float = 1.0


def weak_form(equation: Equation) -> WeakForm:
    """Returns the weak form of an equation.

    Raises:
        NoReference: There is none here.
    """
    for kind, make in _FORMS.items():
        if isinstance(equation, kind):
            return WeakForm(make(equation), -1.0 if kind is HeatEquation else 1.0)
    known = ", ".join(kind.__name__ for kind in _FORMS)
    raise NoReference(f"there are no finite elements for {type(equation).__name__}, only for {known}")


def value_at(coefficient: Any, x: Array, u: Array) -> Array:
    """A coefficient at a point where the field has the value u."""
    if isinstance(coefficient, FieldDependent):
        return jnp.asarray(coefficient.function(x, u), x.dtype)
    return jnp.asarray(coefficient(x) if callable(coefficient) else coefficient, x.dtype)


def _times(coefficient: Any, x: Array, u: Array, slope: Array) -> Array:
    """A number or a matrix times the slope."""
    found = value_at(coefficient, x, u)
    return found * slope if found.ndim == 0 else jnp.sum(found * slope[None], axis=1)


def _drift(coefficient: Any, x: Array, u: Array, slope: Array) -> Array:
    """∇c · ∇u, which turns c ∇²u into ∇·(c ∇u); c may depend on the field."""
    if not callable(coefficient):
        return jnp.zeros((), x.dtype)
    along = jnp.concatenate([slope, jnp.zeros(x.shape[0] - slope.shape[0], x.dtype)])
    rise = jnp.sum(slope**2)
    return jax.jvp(lambda y, v: value_at(coefficient, y, v), (x, u), (along, rise))[1]


def _poisson(equation: Poisson) -> Form:
    def terms(x: Array, u: Array, slope: Array, rate: Array) -> tuple[Array, Array]:
        bulk = value_at(equation.reaction, x, u) * u - value_at(equation.source, x, u)
        return bulk, _times(equation.diffusivity, x, u, slope)

    return terms


def _helmholtz(equation: Helmholtz) -> Form:
    def terms(x: Array, u: Array, slope: Array, rate: Array) -> tuple[Array, Array]:
        return -(value_at(equation.wavenumber, x, u) ** 2) * u - value_at(equation.source, x, u), slope

    return terms


def _heat(equation: HeatEquation) -> Form:
    def terms(x: Array, u: Array, slope: Array, rate: Array) -> tuple[Array, Array]:
        bulk = -value_at(equation.source, x, u)
        if equation.capacity is not None:
            bulk = bulk + value_at(equation.capacity, x, u) * rate
        return bulk, _times(equation.conductivity, x, u, slope)

    return terms


def _advection_diffusion(equation: AdvectionDiffusion) -> Form:
    def terms(x: Array, u: Array, slope: Array, rate: Array) -> tuple[Array, Array]:
        velocity = jnp.broadcast_to(value_at(equation.velocity, x, u), slope.shape)
        bulk = rate + jnp.sum(velocity * slope) - value_at(equation.source, x, u)
        return bulk, _times(equation.diffusivity, x, u, slope)

    return terms


def _allen_cahn(equation: AllenCahn) -> Form:
    def terms(x: Array, u: Array, slope: Array, rate: Array) -> tuple[Array, Array]:
        bulk = rate - value_at(equation.rate, x, u) * (u - u**3) + _drift(equation.diffusivity, x, u, slope)
        return bulk, value_at(equation.diffusivity, x, u) * slope

    return terms


def _burgers(equation: Burgers) -> Form:
    def terms(x: Array, u: Array, slope: Array, rate: Array) -> tuple[Array, Array]:
        bulk = rate + u * slope[0] + _drift(equation.viscosity, x, u, slope)
        return bulk, value_at(equation.viscosity, x, u) * slope

    return terms


_FORMS: dict[type[Equation], Callable[[Any], Form]] = {
    Poisson: _poisson,
    Helmholtz: _helmholtz,
    HeatEquation: _heat,
    AdvectionDiffusion: _advection_diffusion,
    AllenCahn: _allen_cahn,
    Burgers: _burgers,
}
