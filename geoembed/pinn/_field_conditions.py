"""Conditions on the boundary of a domain and at its first moment, for any equation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import InputError
from ._radiation import Radiation

Value = float | Callable[[Any], Any]
Values = Any  # a Value for all regions of `Materials`, or a mapping from their names to one for each


@dataclass(frozen=True)
class Dirichlet:
    """u = value on a piece of the boundary.

    Args:
        piece: The name of the piece, see the table of `outline`; "all" for the whole boundary.
        value: A number, or a function of one point (time last) that is defined in the whole domain.
        field: The name of the unknown; None if the equation has one.
        hard: Whether the network is built so that it holds exactly. Otherwise it is a row of the least squares.
    """

    piece: str
    value: Values = 0.0
    field: str | None = None
    hard: bool = True

    def __post_init__(self) -> None:
        _check(self.piece, "value", self.value)


@dataclass(frozen=True)
class Neumann:
    """The natural flux of the equation (for Poisson's ∂u/∂n) = value on a piece of the boundary.

    Args:
        piece: The name of the piece.
        value: A number, or a function of one point.
        field: The name of the unknown whose flux it is; None if the equation has one.
    """

    piece: str
    value: Values = 0.0
    field: str | None = None

    def __post_init__(self) -> None:
        _check(self.piece, "value", self.value)


@dataclass(frozen=True)
class Robin:
    """Natural flux + coefficient · u = value on a piece of the boundary.

    Args:
        piece: The name of the piece.
        coefficient: A number, or a function of one point.
        value: A number, or a function of one point.
        field: The name of the unknown; None if the equation has one.
    """

    piece: str
    coefficient: Values
    value: Values = 0.0
    field: str | None = None

    def __post_init__(self) -> None:
        _check(self.piece, "coefficient", self.coefficient)
        _check(self.piece, "value", self.value)


@dataclass(frozen=True)
class Initial:
    """u = value at the first moment; ∂u/∂t = value with order 1. It holds exactly, by the form of the network.

    Args:
        value: A number, or a function of one point whose last coordinate, the time, it need not look at.
        field: The name of the unknown; None if the equation has one.
        order: Of the derivative in time, 0 or 1.
    """

    value: Values = 0.0
    field: str | None = None
    order: int = 0

    def __post_init__(self) -> None:
        _check("the first moment", "value", self.value)
        if self.order not in (0, 1):
            raise InputError(
                "conditions", "initial", f"order = {self.order}", "Give 0 for u or 1 for its rate in time"
            )


@dataclass(frozen=True)
class Periodic:
    """u and all its derivatives agree at both ends of the domain along one axis, exactly, by the form of the network.

    Args:
        axis: The number of the coordinate. The domain must be an `Interval` or a box along it.
    """

    axis: int = 0


@dataclass(frozen=True)
class Interface:
    """What holds where two regions a and b of `Materials` meet, as rows of the least squares:

        uₐ − u_b = jump + resistance · q,      Fₐ − F_b = flux_jump,

    with the natural fluxes F along the normal out of a, and q what flows from a to b: Fₐ of an equation whose flux is
    what leaves (`HeatEquation`), −Fₐ of all others. With three zeros the contact is perfect, as it is without an
    `Interface`.

    Args:
        between: The names of a and b; None for every two regions that meet, in the order of `Materials`.
        jump: A number, or a function of one point.
        flux_jump: A number, or a function of one point; for `HeatEquation` what the interface takes up, W/m²,
            negative where it releases heat.
        resistance: A number, or a function of one point; for `HeatEquation` in m² K/W, 1/h of a contact that
            conducts h.
        field: The name of the unknown; None for all that have a flux.

    References:
        H. S. Carslaw and J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, section 1.9 (G).
    """

    between: tuple[str, str] | None = None
    jump: Value = 0.0
    flux_jump: Value = 0.0
    resistance: Value = 0.0
    field: str | None = None

    def __post_init__(self) -> None:
        where = "Interface" if self.between is None else " and ".join(self.between)
        for name in ("jump", "flux_jump", "resistance"):
            _check(where, name, getattr(self, name))


@dataclass(frozen=True)
class Integral:
    """The integral of weight · u over the domain, or over a piece of its boundary, is `value`:

        ∫ weight(x) u(x) dx = value.

    It fixes what the other conditions leave free: the level of a problem with fluxes only, of a pressure, of a periodic
    field; the total mass; or an unknown constant. It is one row of the least squares. Where the other conditions leave
    no freedom, the answer is a compromise, and its held-out residual says so. In a transient problem the integral is
    over space and time, or over space at one moment.

    The quadrature is exact to rounding for splines in intervals, boxes and domains of the plane whose outline has named
    parts, and on these parts. It is good to about 1e-4 in other domains of the plane, and to 2e-3 in other domains in
    space and on outlines without named parts.

    Args:
        weight: A number, or a function of one point (time last) that is defined in the whole domain.
        value: The number that the integral is; in units of weight · u times length, area or volume (and time).
        field: The name of the unknown; None if the equation has one.
        piece: The name of a piece of the boundary, see the table of `outline`; None for the domain. At an end of an
            interval the integral is the value there.
        moment: The moment at which it holds; None for all of the time.

    Raises:
        InputError: A number is not finite, or the value is none.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from geoembed.pinn import Integral, Interval, Neumann, Poisson, Problem, solve
        >>> load = Poisson(lambda x: jnp.pi**2 * jnp.cos(jnp.pi * x[0]))
        >>> fluxes = [Neumann("all", 0.0), Integral(value=3.0)]  # cos πx + 3; without the integral + any number
        >>> result = solve(Problem(Interval(0.0, 1.0), load, fluxes), key=jax.random.key(0), tolerance=1e-8)
        >>> round(float(result.value(jnp.array([0.5]))), 5)
        3.0
    """

    weight: Values = 1.0
    value: Values = 0.0
    field: str | None = None
    piece: str | None = None
    moment: float | None = None

    def __post_init__(self) -> None:
        where = "the domain" if self.piece is None else self.piece
        _check(where, "weight", self.weight)
        for name in ("weight", "value", "moment"):
            given = getattr(self, name)
            if isinstance(given, Mapping) or (callable(given) and name != "weight"):
                reason = f"{name} of an Integral is {given!r}, which is no number"
                raise InputError("conditions", repr(where), reason, "Give one number")
            if given is not None or name == "value":
                _check(where, name, given)


FieldCondition = Dirichlet | Neumann | Robin | Initial | Periodic | Interface | Radiation | Integral


def _check(where: str, name: str, value: Values) -> None:
    if isinstance(value, Mapping):
        for region, own in value.items():
            _check(f"{where} in {region}", name, own)
        return
    if callable(value):
        return
    number = np.asarray(value)
    if number.shape != () or number.dtype.kind not in "iuf" or not np.isfinite(number):
        reason = f"{name} = {value!r} is no finite number"
        raise InputError("conditions", repr(where), reason, "Give a number or a function of a point")
