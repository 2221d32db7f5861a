"""A problem for any equation, read: which unknown has which condition where, and the form of the network."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np

from ..core import InputError
from ..sdf import Box, MeshSDF, Translate
from ._domains._corners import Corner, corners
from ._domains._domain import Domain, domain_of
from ._domains._factor import HardFactor, hard_factor
from ._domains._interval import Interval
from ._domains._outline import Piece, chosen, outline
from ._domains._parts import Edge
from ._domains._plane import PlaneBoundary
from ._domains._singular import CornerFunctions, corner_functions
from ._equations._equation import Equation
from ._equations._heat import HeatEquation
from ._equations._materials import Materials
from ._field_checks import check_dimension, check_integrals, check_seams, check_time
from ._field_conditions import (
    Dirichlet,
    FieldCondition,
    Initial,
    Integral,
    Interface,
    Neumann,
    Periodic,
    Robin,
)
from ._interfaces import Contact, contacts, regions_at
from ._jumps import Jumps, jumps
from ._radiation import Radiation
from ._region_values import by_region, within
from ._regions import Regions
from ._start_values import check_start
from ._trial import Coordinates, Shaping
from ._values import Between, Blend, Ends, Known, as_function

Soft = Dirichlet | Neumann | Robin | Radiation | Contact


@dataclass(frozen=True, eq=False)
class FieldProblem:
    """A boundary value problem for any equation, with its conditions resolved.

    Args:
        source: The domain in space: an `Interval`, a `Shape` with bounds or a mesh.
        equation: The equation.
        conditions: The conditions.
        time: The first and the last moment; None for a steady problem.
        where: Pieces of the boundary of your own, as functions of many points.
    """

    source: Any
    equation: Equation
    conditions: tuple[FieldCondition, ...]
    time: tuple[float, float] | None = None
    where: Mapping[str, Callable[[Any], Any]] | None = None

    def __post_init__(self) -> None:
        check_time(self.equation, self.time)
        check_dimension(self.equation, self.domain)
        object.__setattr__(self, "conditions", by_region(self.conditions, self.regions))
        check_seams(self.periodic, self.domain, self.regions)
        check_integrals(self.integrals, self.time, self.regions)
        for condition in self.conditions:
            self.number(condition)
            if isinstance(condition, Dirichlet | Neumann | Robin | Radiation | Integral) and condition.piece:
                self.pieces(condition.piece)
            if isinstance(condition, Radiation) and not isinstance(self.equation, HeatEquation):
                reason = f"{type(self.equation).__name__} has no heat to radiate"
                raise InputError(
                    "conditions", "Radiation", reason, "Use HeatEquation, with temperatures in K"
                )
        _ = self.contacts, self.shapings
        self._check_start()

    @cached_property
    def domain(self) -> Domain:
        """The domain on the host."""
        return domain_of(self.source)

    @cached_property
    def outline(self) -> tuple[Piece, ...]:
        """The named pieces of the boundary that are not joined by a period."""
        return tuple(piece for piece in outline(self.source) if piece.name not in self._joined)

    @cached_property
    def periodic(self) -> tuple[bool, ...]:
        """Which coordinates are periodic, time last."""
        axes = {condition.axis for condition in self.conditions if isinstance(condition, Periodic)}
        space = [axis in axes for axis in range(self.domain.dimension)]
        if not axes <= set(range(self.domain.dimension)) or (axes and not self.is_box):
            raise InputError(
                "conditions",
                f"periodic axis {', '.join(map(str, sorted(axes)))}",
                "only an Interval or a Box has ends to join, along one of its own axes",
                f"Choose axes from 0 to {self.domain.dimension - 1} of such a domain",
            )
        return (*space, False) if self.time else tuple(space)

    @property
    def is_box(self) -> bool:
        """Whether the domain fills the box around it."""
        return _is_box(self.source)

    @property
    def regions(self) -> Regions | None:
        """The regions with equations of their own; None if there is one equation."""
        return self.equation.regions if isinstance(self.equation, Materials) else None

    @property
    def copies(self) -> int:
        """How many functions each unknown consists of."""
        return 1 if self.regions is None else self.regions.count

    @cached_property
    def contacts(self) -> tuple[Contact, ...]:
        """The rows on the interfaces between regions."""
        return contacts(self)

    @property
    def _joined(self) -> set[str]:
        """The names of the pieces that a period joins."""
        ends = (("left", "right"), ("bottom", "top"), ("back", "front"))
        return {name for axis, flag in enumerate(self.periodic[: len(ends)]) if flag for name in ends[axis]}

    def pieces(self, name: str) -> tuple[Piece, ...]:
        """The pieces that a condition names."""
        if name in self._joined or not self.outline:
            raise InputError(
                "conditions", repr(name), "a period has joined it to the opposite end", "Remove it"
            )
        if name in self._own:
            return self._own[name]
        try:
            return chosen(self.outline, (name,))
        except ValueError as error:
            raise InputError("conditions", repr(name), str(error), "Use one of these names") from None

    @cached_property
    def _own(self) -> dict[str, tuple[Piece, ...]]:
        """The pieces of the user, as the parts of the outline that have points in them."""
        own: dict[str, tuple[Piece, ...]] = {}
        for name, where in (self.where or {}).items():
            tried = (replace(piece, name=name, where=where) for piece in self.outline)
            own[name] = tuple(piece for piece in tried if piece.measure > 0)
            if not own[name]:
                raise InputError(
                    "conditions", repr(name), "no point of the boundary is in it", "Change its function"
                )
        return own

    def number(self, condition: FieldCondition) -> int:
        """The number of the unknown that a condition is for."""
        name, fields = getattr(condition, "field", None), self.equation.fields
        if isinstance(condition, Periodic | Interface) or (name is None and len(fields) == 1):
            return 0
        if name not in fields:
            raise InputError(
                "conditions",
                type(condition).__name__,
                f"its field is {name!r}, but {type(self.equation).__name__} has {', '.join(fields)}",
                "Name one of them: field=…",
            )
        return fields.index(name)

    @cached_property
    def soft(self) -> tuple[Soft, ...]:
        """The conditions that become rows of the least squares."""
        rows = (
            condition
            for condition in self.conditions
            if isinstance(condition, Neumann | Robin | Radiation)
            or (isinstance(condition, Dirichlet) and not condition.hard)
        )
        return (*rows, *self.contacts)

    @property
    def integrals(self) -> tuple[Integral, ...]:
        """The integrals that have given values."""
        return tuple(condition for condition in self.conditions if isinstance(condition, Integral))

    @cached_property
    def _given_names(self) -> set[str]:
        """The pieces on which some unknown has a given value, where corners matter: in the plane, without periods."""
        if self.domain.dimension != 2 or isinstance(self.source, MeshSDF) or any(self.periodic):
            return set()
        given = [condition.piece for condition in self.conditions if isinstance(condition, Dirichlet)]
        return {piece.name for name in given if name not in self._own for piece in self.pieces(name)}

    @cached_property
    def corners(self) -> tuple[Corner, ...]:
        """The corners where the solution is singular."""
        return corners(self.source, self._given_names) if self._given_names else ()

    @cached_property
    def corner_functions(self) -> CornerFunctions | None:
        """Features and residual weights of the corners."""
        return corner_functions(self.source, self._given_names) if self._given_names else None

    @cached_property
    def jumps(self) -> Jumps | None:
        """The corners where given values disagree."""
        return jumps(self)

    @cached_property
    def coordinates(self) -> Coordinates:
        """What the network sees of a point."""
        lower, upper = self.domain.bounds
        if self.time:
            lower, upper = np.append(lower, self.time[0]), np.append(upper, self.time[1])
        return Coordinates(lower, upper, self.periodic, self.corner_functions)

    @cached_property
    def shapings(self) -> tuple[Shaping, ...]:
        """What makes the hard conditions hold: for each unknown, in each region."""
        numbers = range(len(self.equation.fields))
        return tuple(self.shaping(number, region) for region in range(self.copies) for number in numbers)

    def shaping(self, number: int, region: int = 0) -> Shaping:
        """What makes the hard conditions of one unknown hold in one region."""
        mine = [within(c, region) for c in self.conditions if self.number(c) == number]
        hard = [condition for condition in mine if isinstance(condition, Dirichlet) and condition.hard]
        initial = self._initial([condition for condition in mine if isinstance(condition, Initial)])
        start, span = (float(self.time[0]), float(self.time[1] - self.time[0])) if self.time else (0.0, None)
        named = [(piece, condition) for condition in hard for piece in self._whole(condition.piece)]
        named = [(piece, condition) for piece, condition in named if region in self._regions_at(piece)]
        names = [piece.name for piece, _ in named]
        if len(set(names)) < len(names):
            double = next(name for name in names if names.count(name) > 1)
            raise InputError(
                "conditions", repr(double), "has two values of one unknown", "Remove one of them"
            )
        if not named:
            return Shaping(None, None, initial, start, span)
        return Shaping(self._factor(names), self._given(named), initial, start, span)

    def _regions_at(self, piece: Piece) -> Collection[int]:
        """The regions that a piece of the boundary is the rim of: a function of another one needs no value there."""
        return range(1) if self.regions is None else regions_at(piece, self.domain, self.regions)

    def _check_start(self) -> None:
        """Refuses hard values that disagree with the initial ones at the first moment."""
        for first in self.conditions if self.regions is None else ():
            if self.time and isinstance(first, Initial) and first.order == 0:
                mine = [c for c in self.conditions if isinstance(c, Dirichlet) and c.hard]
                mine = [c for c in mine if self.number(c) == self.number(first)]
                given = [(piece, c, as_function(c.value)) for c in mine for piece in self.pieces(c.piece)]
                check_start(self.domain, given, as_function(first.value), float(self.time[0]))

    def _whole(self, name: str) -> tuple[Piece, ...]:
        if name in self._own:
            reason = "a part of a piece has no function that vanishes on it alone"
            raise InputError("conditions", repr(name), reason, "Give the condition with hard=False")
        return self.pieces(name)

    def _factor(self, names: list[str]) -> Ends | HardFactor:
        if isinstance(self.source, Interval):
            return Ends(self.source.lower, self.source.upper, "left" in names, "right" in names)
        try:
            with jax.enable_x64(True):
                return hard_factor(self.source, names)
        except ValueError as error:
            raise InputError(
                "conditions", ", ".join(names), str(error), "Give the condition with hard=False"
            ) from None

    def _given(self, named: list[tuple[Piece, Dirichlet]]) -> Known | Between | Blend | None:
        """One function that takes the values of all pieces."""
        values = [condition.value for _, condition in named]
        if all(_same(value, values[0]) for value in values):
            return None if not callable(values[0]) and values[0] == 0 else as_function(values[0])
        if isinstance(self.source, Interval):
            sides = {piece.name: as_function(condition.value) for piece, condition in named}
            return Between(self.source.lower, self.source.upper, sides["left"], sides["right"])
        groups: list[tuple[Dirichlet, list[Piece]]] = []
        for piece, condition in named:
            same = [pieces for other, pieces in groups if _same(other.value, condition.value)]
            if same:
                same[0].append(piece)
            else:
                groups.append((condition, [piece]))
        factors = [self._part_factor(pieces) for _, pieces in groups]
        return Blend(factors, [as_function(condition.value) for condition, _ in groups])

    def _part_factor(self, pieces: list[Piece]) -> HardFactor:
        """The factor of some pieces; of whole lines where their ends are joined by a period, which lines do not see."""
        if any(self.periodic):
            lines = [PlaneBoundary(p.part.start, p.part.outward) for p in pieces if isinstance(p.part, Edge)]
            if len(lines) == len(pieces):
                return HardFactor(tuple(lines), 1.0)
        found = self._factor([piece.name for piece in pieces])
        assert isinstance(found, HardFactor)  # an interval has its own function of two values
        return found

    def _initial(self, given: list[Initial]) -> tuple[Known, ...]:
        orders = [condition.order for condition in given]
        if sorted(orders) != list(range(len(orders))):
            raise InputError(
                "conditions",
                "initial",
                f"orders {orders} of one unknown",
                "Give order 0, and order 1 beside it",
            )
        if given and not self.time:
            raise InputError("conditions", "initial", "the problem has no time", "Give time=(first, last)")
        return tuple(as_function(c.value) for c in sorted(given, key=lambda condition: condition.order))


def _same(one: Any, other: Any) -> bool:
    return one is other or (not callable(one) and not callable(other) and bool(one == other))


def _is_box(source: Any) -> bool:
    """Whether a domain is an interval or a box along the axes, moved or not."""
    while isinstance(source, Translate):
        source = source.shape
    return isinstance(source, Interval | Box)
