"""Where two regions meet, and which condition holds there."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from ..core import InputError
from ..sdf import Box, Intersection, Shape, Translate
from ._domains._domain import Domain
from ._domains._outline import Piece, outline
from ._equations._materials import Materials
from ._field_conditions import Interface
from ._regions import Regions, Segment

if TYPE_CHECKING:
    from ._field_problem import FieldProblem

Points = Float[np.ndarray, "n d"]

_BESIDE = 1e-7  # of the size of the domain: where the two sides of an interface are looked at
_LOOK = 4096  # points of the outline of a shape that tell which regions meet there
_RIM = 512  # points of a piece of the boundary that tell which regions lie there
_ROUNDS = 12  # of drawing, each with twice as many points


@dataclass(frozen=True, eq=False)
class Meeting:
    """Where the outline of a shape parts two regions.

    Args:
        domain: The domain.
        regions: Its regions.
        first: The number of the region inside the shape.
        second: That of the region on the other side.
    """

    domain: Domain
    regions: Regions
    first: int
    second: int = -1

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The outline of the shape."""
        shape = self.regions.shapes[self.first]
        if isinstance(shape, Segment):
            return outline(shape.interval)
        if isinstance(shape, Shape) and shape.bounds is None:
            lower, upper = self.domain.bounds
            shape = Intersection(shape, Translate(Box(2 * (upper - lower)), 0.5 * (lower + upper)))
        return outline(shape)

    @cached_property
    def _sizes(self) -> Float[np.ndarray, " p"]:
        return np.array([piece.measure for piece in self.pieces]) if len(self.pieces) > 1 else np.ones(1)

    def tried(self, count: int, rng: np.random.Generator) -> tuple[Points, Points, Int[np.ndarray, " n"]]:
        """Points on the outline, normals out of the shape and the region beyond; −1 where it parts nothing.

        Where two shapes touch, only the earlier one counts.
        """
        ends = np.round(np.cumsum(self._sizes) / self._sizes.sum() * count).astype(int)
        counts = np.maximum(np.diff(ends, prepend=0), 1)
        drawn = [piece.sample(int(n), rng) for piece, n in zip(self.pieces, counts, strict=True)]
        points, normals = (np.concatenate(part) for part in zip(*drawn, strict=True))
        step = _BESIDE * float(np.max(self.domain.upper - self.domain.lower)) * normals
        here, there = points - step, points + step
        beyond = self.regions.numbers(there)
        parts = self.domain.contains(here) & self.domain.contains(there)
        parts &= (self.regions.numbers(here) == self.first) & (beyond > self.first)
        return points, normals, np.where(parts, beyond, -1)

    def sample(self, count: int, rng: np.random.Generator) -> tuple[Points, Points]:
        """Even points where the two regions meet, and the normals out of the first one."""
        found: list[tuple[Points, Points]] = []
        for turn in range(_ROUNDS):
            points, normals, beyond = self.tried(count << turn, rng)
            mine: Bool[np.ndarray, " n"] = beyond == self.second
            found.append((points[mine], normals[mine]))
            if sum(len(part) for part, _ in found) >= count:
                break
        points, normals = (np.concatenate(part) for part in zip(*found, strict=True))
        chosen = rng.permutation(len(points))[:count]
        return points[chosen], normals[chosen]


@dataclass(frozen=True, eq=False)
class Contact:
    """The rows of one kind for two regions that meet.

    Args:
        meeting: Where.
        flux: Whether the rows are about the flux, else about the values.
        conditions: The condition of each unknown that has a flux.
        swapped: For each of them whether it names the two regions in the other order.
        ways: For each of them 1 if the natural flux grows along the gradient, −1 if it is what leaves.
    """

    meeting: Meeting
    flux: bool
    conditions: tuple[Interface, ...]
    swapped: tuple[bool, ...]
    ways: tuple[float, ...]


def regions_at(piece: Piece, domain: Domain, regions: Regions) -> set[int]:
    """The numbers of the regions that lie at a piece of the boundary of a domain."""
    points, normals = piece.sample(_RIM, np.random.default_rng(0))
    step = _BESIDE * float(np.max(domain.upper - domain.lower))
    return set(regions.numbers(points - step * normals).tolist())


def contacts(problem: "FieldProblem") -> tuple[Contact, ...]:
    """The rows of all interfaces of a problem.

    Raises:
        InputError: A condition names regions that do not meet, or two conditions are for the same.
    """
    given = [condition for condition in problem.conditions if isinstance(condition, Interface)]
    equation = problem.equation
    if not isinstance(equation, Materials):
        if given:
            raise _wrong("Interface", "the equation has no regions", "Use Materials, or remove it")
        return ()
    lower, upper = problem.coordinates.lower, problem.coordinates.upper
    with jax.enable_x64(True):
        count = equation.flux_count(jnp.asarray(0.5 * (lower + upper)))
        meetings = _meetings(problem.domain, equation.regions)
        _check(given, equation, count, meetings)
        found = []
        for meeting in meetings:
            chosen = [_chosen(given, equation, meeting, number) for number in range(count)]
            ways = (1.0,) * count
            if any(callable(c.resistance) or c.resistance != 0 for c in chosen):
                ways = tuple(_way(problem, meeting, number) for number in range(count))
            names = _names(equation, meeting)
            swapped = tuple(c.between is not None and c.between != names for c in chosen)
            found += [Contact(meeting, flux, tuple(chosen), swapped, ways) for flux in (False, True)]
    return tuple(found)


def _meetings(domain: Domain, regions: Regions) -> list[Meeting]:
    rng, found = np.random.default_rng(0), []
    for first in range(regions.count - 1):
        own = Meeting(domain, regions, first)
        others = np.unique(own.tried(_LOOK, rng)[2])
        found += [Meeting(domain, regions, first, int(other)) for other in others if other >= 0]
    return found


def _names(equation: Materials, meeting: Meeting) -> tuple[str, str]:
    return equation.regions.names[meeting.first], equation.regions.names[meeting.second]


def _chosen(given: Iterable[Interface], equation: Materials, meeting: Meeting, number: int) -> Interface:
    """The condition that names the regions and the unknown most closely."""
    names, best = set(_names(equation, meeting)), Interface()
    rank = -1
    for condition in given:
        fits = condition.between is None or set(condition.between) == names
        fits &= condition.field in (None, equation.fields[number])
        own = 2 * (condition.between is not None) + (condition.field is not None)
        if fits and own > rank:
            best, rank = condition, own
    return best


def _check(given: list[Interface], equation: Materials, count: int, meetings: list[Meeting]) -> None:
    met = [set(_names(equation, meeting)) for meeting in meetings]
    keys = [(frozenset(condition.between or ()), condition.field) for condition in given]
    for condition, key in zip(given, keys, strict=True):
        if condition.between is not None and set(condition.between) not in met:
            pairs = "; ".join(" and ".join(sorted(pair)) for pair in met) or "none"
            raise _wrong(" and ".join(condition.between), "they do not meet", f"These meet: {pairs}")
        if condition.field is not None and condition.field not in equation.fields[:count]:
            reason = f"no natural flux belongs to {condition.field!r}"
            raise _wrong("Interface", reason, f"Choose of {', '.join(equation.fields[:count])}")
        if keys.count(key) > 1:
            raise _wrong("Interface", "two conditions for the same regions and unknown", "Remove one of them")


def _wrong(where: str, reason: str, hint: str) -> InputError:
    return InputError("conditions", where, reason, hint)


def _way(problem: "FieldProblem", meeting: Meeting, number: int) -> float:
    """The sign of the flux of an unknown that grows along the normal."""
    points, normals = meeting.sample(1, np.random.default_rng(0))
    place = points[0] if problem.time is None else np.append(points[0], problem.time[0])
    x, normal = jnp.asarray(place), jnp.asarray(normals[0])
    fields = len(problem.equation.fields)

    def growing(y: Any) -> Any:
        rise = jnp.sum(normal * (y - x)[: len(normals[0])])
        return rise if fields == 1 else jnp.zeros(fields).at[number].set(rise)

    equation: Any = problem.equation
    flux = equation.equations[meeting.first].flux
    still = flux(lambda y: 0.0 * growing(y), x, normal)[number]
    return float(np.sign(flux(growing, x, normal)[number] - still)) or 1.0
