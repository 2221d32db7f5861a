"""Formulas in a configuration as functions of a point."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..core import register
from ._parse_formula import FormulaError, Parsed, parse


@register
class Formula(eqx.Module):
    """A formula as a function of one point.

    Args:
        text: The formula, for instance "-sin(pi*x)".
        names: The names of the coordinates of a point, in order; of a longer point the first ones.
        unknowns: The names of the unknowns, if it may look at the field.

    Raises:
        FormulaError: It is too long, no formula, or has a name or an operation that is not allowed.

    Example:
        >>> import jax.numpy as jnp
        >>> float(Formula("x**2 + 3*y", ("x", "y"))(jnp.array([2.0, 1.0])))
        7.0
    """

    text: str = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    unknowns: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self) -> None:
        if self.parsed.truth:
            raise FormulaError(1, "this is true or false, no number", "Use where(condition, number, number)")

    @property
    def parsed(self) -> Parsed:
        """What it means."""
        return parse(self.text, (*self.names, *self.unknowns))

    @property
    def constant(self) -> float | None:
        """Its value if no coordinate and no unknown occurs in it."""
        return self.parsed.constant

    @property
    def sees_field(self) -> bool:
        """Whether an unknown occurs in it."""
        return bool(self.parsed.names & set(self.unknowns))

    def __call__(self, x: Float[Array, " d"], u: Any = None) -> Float[Array, ""]:
        """Returns the value at one point, in its dtype.

        Args:
            x: The point.
            u: The value of the field there, if an unknown occurs.
        """
        values = {name: x[i] for i, name in enumerate(self.names)}
        if self.sees_field:
            field = jnp.reshape(jnp.asarray(u), (len(self.unknowns),))
            values |= {name: field[i] for i, name in enumerate(self.unknowns)}
        return jnp.asarray(self.parsed.run(values), x.dtype)

    def at(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Returns the values at many points on the host, in float64. Time is their last column."""
        columns = {name: points[:, -1 if name == "t" else i] for i, name in enumerate(self.names)}
        with jax.enable_x64(True):
            found = self.parsed.run({name: jnp.asarray(column) for name, column in columns.items()})
            return np.broadcast_to(np.asarray(found, np.float64), (len(points),))


@register
class Formulas(eqx.Module):
    """Several formulas as one vector.

    Args:
        parts: The components.
    """

    parts: tuple[Formula, ...]

    def __call__(self, x: Float[Array, " d"], u: Any = None) -> Float[Array, " m"]:
        """Returns the components at one point."""
        return jnp.stack([part(x, u) for part in self.parts])


@register
class FormulaMatrix(eqx.Module):
    """Rows of formulas as a matrix.

    Args:
        rows: The rows.
    """

    rows: tuple[Formulas, ...]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, "n m"]:
        """Returns the entries at one point."""
        return jnp.stack([row(x) for row in self.rows])


class Where:
    """A condition as a function of many points on the host, as pieces of a boundary are chosen.

    Args:
        text: The condition, for instance "x > 0.5 and y < 0".
        names: The names of the coordinates.
    """

    def __init__(self, text: str, names: tuple[str, ...]):
        self.text, self.names = text, names
        if not parse(text, names).truth:
            raise FormulaError(1, "this is a number, neither true nor false", "Compare: y > 0.5")

    def __call__(self, points: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        with jax.enable_x64(True):
            values = {name: jnp.asarray(points[:, i]) for i, name in enumerate(self.names)}
            found = np.asarray(parse(self.text, self.names).run(values), bool)
        return np.broadcast_to(found, (len(points),))
