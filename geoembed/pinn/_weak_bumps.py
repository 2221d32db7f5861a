"""Test functions that live in small boxes: the residual of an equation in its weak form."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._along import Point
from ._equations._divergence import DivergenceForm, jet
from ._field_problem import FieldProblem
from ._rows import Form

_REACH = 0.05  # half the width of a box at most, in parts of that of the domain
RULE = 6  # Gauss points of each direction, for rows that are trained
_ROOM = 0.99  # a box keeps off the boundary by the rest of this

Bumps = Callable[[Point], tuple[Float[Array, "q d"], Float[Array, "q t k"]]]


def bumps(problem: FieldProblem, count: int = RULE) -> Bumps:
    """Makes test functions for the box about a point: (1 − s²)² of each direction, alone and times each s.

    They vanish with their slopes on the sides of the box, which is as large as the boundary of the domain allows.

    Args:
        problem: The problem.
        count: Gauss points of each direction. What is steeper than the gaps between them looks like a residual.

    Returns:
        A function of the point with Gauss points q in its box, and with v and ∇v (in space) of the test functions t
        there, times weights: the sum of (s, F) with them over q is ∫ (s v + F·∇v) / (‖∇v‖ √volume).
    """
    size, widths = len(problem.coordinates.lower), _half_widths(problem)
    in_space = size - (problem.time is not None)
    places, values, slopes = _reference(size, count)

    def at(x: Point) -> tuple[Float[Array, "q d"], Float[Array, "q t k"]]:
        half = widths(x)
        steep = jnp.asarray(slopes[:, :, :in_space], x.dtype) / half[None, None, :in_space]
        both = jnp.concatenate([jnp.asarray(values, x.dtype)[:, :, None], steep], axis=2)
        weights = jnp.asarray(_weights(len(half), count), x.dtype)
        norms = jnp.sqrt(jnp.sum(weights[:, None] * jnp.sum(steep**2, axis=2), axis=0))
        tests = weights[:, None, None] * both / norms[None, :, None]
        return x[None] + half[None] * jnp.asarray(places, x.dtype), tests

    return at


def weak_rows(problem: FieldProblem, form: Form) -> Any:
    """Returns the function of a network and a point with the weak residual in the box about the point."""
    equation, around = problem.equation, bumps(problem)
    assert isinstance(equation, DivergenceForm)  # `check_weak` has looked at it

    def rows(network: Any, x: Point) -> Float[Array, " k"]:
        points, tests = around(x)
        found = jax.vmap(lambda y: jet_of(equation, form(network), y))(points)
        return jnp.sum(tests[:, :, None] * found[:, None], axis=(0, 3)).ravel()

    return rows


def jet_of(equation: DivergenceForm, field: Any, x: Point) -> Float[Array, "m k"]:
    """s and F of a field at a point."""

    def value(y: Point) -> Float[Array, " m"]:
        return jnp.atleast_1d(field(y))

    return jet(equation, value(x), jax.jacfwd(value)(x), x)


def _half_widths(problem: FieldProblem) -> Callable[[Point], Point]:
    """Half the widths of the box about a point."""
    lower, upper = problem.coordinates.lower, problem.coordinates.upper
    most, free = _REACH * (upper - lower), np.array(problem.periodic)
    dimension = problem.domain.dimension

    def widths(x: Point) -> Point:
        low, high, wide = (jnp.asarray(each, x.dtype) for each in (lower, upper, most))
        room = jnp.where(free, wide, jnp.minimum(x - low, high - x))
        if not problem.is_box:
            inside = -problem.source(x[:dimension]) / dimension**0.5
            room = jnp.minimum(room, jnp.where(np.arange(len(lower)) < dimension, inside, wide))
        return _ROOM * jnp.minimum(wide, jnp.maximum(room, 1e-3 * wide))

    return widths


def _reference(size: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gauss points of [−1, 1]ᵈ, the test functions there and their slopes."""
    line = np.polynomial.legendre.leggauss(count)[0]
    s = np.stack(np.meshgrid(*[line] * size, indexing="ij"), axis=-1).reshape(-1, size)
    bump, slope = (1 - s**2) ** 2, -4 * s * (1 - s**2)
    values, slopes = [], []
    for own in range(-1, size):
        one = np.where(np.arange(size) == own, s * bump, bump)
        bent = np.where(np.arange(size) == own, bump + s * slope, slope)
        values.append(np.prod(one, axis=1))
        rest = [np.prod(np.delete(one, axis, axis=1), axis=1) for axis in range(size)]
        slopes.append(bent * np.stack(rest, axis=1))
    return s, np.stack(values, axis=1), np.stack(slopes, axis=1)


def _weights(size: int, count: int) -> np.ndarray:
    weight = np.polynomial.legendre.leggauss(count)[1] / 2
    return np.prod(np.stack(np.meshgrid(*[weight] * size, indexing="ij"), axis=-1), axis=-1).ravel()
