"""Equations that a configuration writes out as formulas of the unknowns and their derivatives."""

import re
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..pinn import DivergenceForm, Equation, UserEquation, derivative, derivatives, divergence
from ._equation_config import OwnTable
from ._formula import Formula
from ._lines import Place
from ._parse_formula import CONSTANTS, FUNCTIONS
from ._places import Places

_HIGHEST = 4  # order of a derivative
_HINT = 'Choose a name of letters and digits, such as "u"'


class Terms(eqx.Module):
    """Formulas of a point, of the unknowns there and of their derivatives, as functions of a field and a point.

    Args:
        formulas: The formulas; all of them know the same names of unknowns and derivatives.
        fields: The unknowns.
        axes: The letters of the coordinates.
    """

    formulas: tuple[Formula, ...]
    fields: tuple[str, ...] = eqx.field(static=True)
    axes: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, u: Any, x: Float[Array, " d"]) -> Float[Array, " rows"]:
        """Returns the values of the formulas."""
        found = self._derivatives(u, x)
        names = self.formulas[0].unknowns
        parts = [jnp.atleast_1d(found[self._key(name)])[self._number(name)] for name in names]
        values = jnp.stack(parts) if parts else jnp.zeros(0, x.dtype)
        return jnp.stack([formula(x, values) for formula in self.formulas])

    def _key(self, name: str) -> tuple[int, ...]:
        """u_xxy → (0, 0, 1); the order of the letters does not matter."""
        return tuple(sorted(self.axes.index(letter) for letter in name.partition("_")[2]))

    def _number(self, name: str) -> int:
        return self.fields.index(name.partition("_")[0])

    def _derivatives(self, u: Any, x: Any) -> dict[tuple[int, ...], Any]:
        """All derivatives that occur; those along one axis come from one evaluation."""
        keys = {self._key(name) for name in self.formulas[0].unknowns} - {()}
        found: dict[tuple[int, ...], Any] = {(): u(x)}
        for axis in sorted({key[0] for key in keys if len(set(key)) == 1}):
            order = max(len(key) for key in keys if set(key) == {axis})
            found |= {(axis,) * n: value for n, value in enumerate(derivatives(u, axis, order)(x))}
        return found | {key: derivative(u, *key)(x) for key in keys if len(set(key)) > 1}

    def order_in_time(self, field: str) -> int:
        """The highest derivative in time of an unknown."""
        named = (name for name in self.formulas[0].unknowns if name.partition("_")[0] == field)
        return max((name.partition("_")[2].count("t") for name in named), default=0)


class OwnBalance(DivergenceForm):
    """∇·F = s with F and s as formulas.

    Args:
        fields: The unknowns.
        transient: Whether the points end with time.
        dimensions: That of the domain.
        arrows: F, all components of the first unknown, then those of the next.
        sources: s of each unknown.
    """

    fields: tuple[str, ...] = eqx.field(static=True)
    transient: bool = eqx.field(static=True)
    dimensions: tuple[int, ...] = eqx.field(static=True)
    arrows: Terms
    sources: Terms

    def residual(self, u: Any, x: Float[Array, " d"]) -> Float[Array, " m"]:
        """Returns s − ∇·F."""
        return self.sources(u, x) - divergence(lambda y: self._matrix(u, y), range(self.dimensions[0]))(x)

    def flux(self, u: Any, x: Float[Array, " d"], normal: Float[Array, " n"]) -> Float[Array, " m"]:
        """Returns F·n."""
        return jnp.sum(self._matrix(u, x) * normal[None], axis=1)

    def balance(self, u: Any, x: Float[Array, " d"]) -> Float[Array, " m"]:
        """Returns s."""
        return self.sources(u, x)

    def _matrix(self, u: Any, x: Any) -> Float[Array, "m n"]:
        return self.arrows(u, x).reshape(len(self.fields), -1)


class OwnFlux(eqx.Module):
    """F·n with F as formulas.

    Args:
        arrows: F, all components of the first unknown, then those of the next.
    """

    arrows: Terms

    def __call__(self, u: Any, x: Any, normal: Float[Array, " n"]) -> Float[Array, " m"]:
        """Returns the flux of each unknown."""
        return jnp.sum(self.arrows(u, x).reshape(-1, len(normal)) * normal[None], axis=1)


def own_equation(table: OwnTable, dimension: int, places: Places, place: Place) -> Equation:
    """Builds the equation of a table that writes it out.

    Args:
        table: The table.
        dimension: Of the domain.
        places: Makes the messages.
        place: Where the table stands.

    Raises:
        InputError: A formula, a name or the number of formulas is wrong.
    """
    axes = (*("x", "y", "z")[:dimension], *(("t",) if table.transient else ()))
    _check_names(table, axes, places, (*place, "unknowns"))
    reader = _Reader(tuple(table.unknowns), axes, places)
    about: dict[str, Any] = {
        "fields": reader.fields,
        "transient": table.transient,
        "dimensions": (dimension,),
    }
    arrows = None
    if table.flux is not None:
        arrows = reader.terms(_rows(table, dimension, places, (*place, "flux")), (*place, "flux"), 1)
    if table.balance is not None:
        sources = _listed(table.balance)
        if len(sources) != len(table.unknowns):
            reason = f"it has {len(sources)} formulas for {len(table.unknowns)} unknowns"
            raise places.wrong((*place, "balance"), reason, "Give one for each unknown")
        assert arrows is not None  # `OwnTable` asks for it
        balance = reader.terms(sources, (*place, "balance"), 1)
        return OwnBalance(**about, arrows=arrows, sources=balance)
    residual = reader.terms(_listed(table.residual), (*place, "residual"), _HIGHEST)
    flux = None if arrows is None else OwnFlux(arrows)
    return UserEquation(residual, **about, natural_flux=flux)


def orders_in_time(equation: Equation) -> dict[str, int] | None:
    """How many initial conditions each unknown of such an equation needs; None for an equation of another kind."""
    terms = equation.sources if isinstance(equation, OwnBalance) else getattr(equation, "function", None)
    if not isinstance(terms, Terms):
        return None
    counts = {name: min(terms.order_in_time(name), 2) for name in terms.fields}
    return {name: count for name, count in counts.items() if count}


class _Reader:
    """Reads formulas of the unknowns and their derivatives."""

    def __init__(self, fields: tuple[str, ...], axes: tuple[str, ...], places: Places):
        self.fields, self.axes, self.places = fields, axes, places
        self.derived = re.compile(rf"\b(?:{'|'.join(fields)})_([{''.join(axes)}]+)\b")

    def terms(self, texts: list[float | str], place: Place, highest: int) -> Terms:
        """Formulas with derivatives up to some order."""
        names = list(self.fields)
        for number, text in enumerate(texts):
            for found in self.derived.finditer(str(text)):
                if len(found[1]) > highest:
                    reason = f"{found[0]} is a derivative of order {len(found[1])}"
                    hint = "Write the highest derivative as the divergence of a flux with lower ones"
                    hint = hint if highest == 1 else f"Orders up to {highest} are possible"
                    raise self.places.wrong((*place, number), reason, hint)
                names += [found[0]] if found[0] not in names else []
        formulas = []
        for number, text in enumerate(texts):
            made = self.places.formula(str(text), (*place, number), self.axes, tuple(names))
            formulas.append(
                made if isinstance(made, Formula) else Formula(repr(made), self.axes, tuple(names))
            )
        return Terms(tuple(formulas), self.fields, self.axes)


def _listed(value: Any) -> list[float | str]:
    return value if isinstance(value, list) else [value]


def _rows(table: OwnTable, dimension: int, places: Places, place: Place) -> list[float | str]:
    """The components of all fluxes, one unknown after the other."""
    flux: Any = table.flux
    rows = flux if isinstance(flux, list) and isinstance(flux[0], list) else [_listed(flux)]
    if len(rows) != len(table.unknowns):
        reason = f"it has fluxes for {len(rows)} of {len(table.unknowns)} unknowns"
        raise places.wrong(place, reason, "Give a list of components for each unknown")
    for row in rows:
        if len(row) != dimension:
            reason = f"it has {len(row)} components in a domain of {dimension} dimensions"
            raise places.wrong(place, reason, f"Give {dimension} components")
    return [component for row in rows for component in row]


def _check_names(table: OwnTable, axes: tuple[str, ...], places: Places, place: Place) -> None:
    names = table.unknowns
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
            raise places.wrong(place, f"{name!r} is no name of an unknown", _HINT)
        if name in (*axes, "x", "y", "z", "t", *CONSTANTS, *FUNCTIONS, "where"):
            raise places.wrong(place, f"the name {name!r} is taken", "Choose another name")
    if len(set(names)) < len(names):
        raise places.wrong(place, "a name occurs twice", "Name each unknown once")
