"""A problem: a part, an equation and conditions on the part's patches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..core import InputError
from ..sdf import MeshSDF, Patches, Selection, bodies, resolve_patches
from ._conditions import Condition, FaceConditions, face_conditions
from ._equations import SteadyHeat


@dataclass(frozen=True)
class Problem:
    """A boundary value problem in a part.

    Coordinates are those of the part, in its own unit; every other quantity is in SI units.

    Args:
        domain: The part. It must be closed.
        equation: The equation inside it.
        conditions: Conditions on patches; a patch without one is insulated.
        patches: How the patches are selected; "rest" is what none of them takes.

    Raises:
        InputError: The part is not closed, a patch is empty, unknown or overlaps another, or the conditions
            contradict each other or leave the solution undetermined.
    """

    domain: MeshSDF
    equation: SteadyHeat
    conditions: Sequence[Condition]
    patches: Mapping[str, Selection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.domain.sign_reliable:
            raise InputError(
                "<part>",
                "",
                "the surface is not closed, so it has no inside",
                "Run `geoembed inspect` on the file: it lists the holes; close them in the program that made the mesh",
            )
        object.__setattr__(self, "conditions", tuple(self.conditions))
        object.__setattr__(self, "patches", dict(self.patches))
        _check_levels(
            self.domain, self.face_conditions
        )  # errors belong to the construction, not to the first use

    @cached_property
    def resolved(self) -> Patches:
        """The patches as faces of the part."""
        return resolve_patches(self.domain, dict(self.patches))

    @cached_property
    def face_conditions(self) -> FaceConditions:
        """The condition on each face."""
        return face_conditions(self.resolved, self.conditions)

    @cached_property
    def scales(self) -> "Scales":
        """The units in which the problem has numbers of order one."""
        return _scales(self)


def _check_levels(domain: MeshSDF, table: FaceConditions) -> None:
    """Refuses a body that no condition ties to a temperature: heat finds no way to it from another body."""
    body = bodies(domain)
    tied = np.bincount(body, weights=table.held | (table.h > 0))
    loose = np.flatnonzero(tied == 0)
    if len(loose):
        corners = domain.vertices[domain.faces[body == loose[0]]]
        low, high = (
            ", ".join(f"{x:.6g}" for x in side) for side in (corners.min((0, 1)), corners.max((0, 1)))
        )
        raise InputError(
            "conditions",
            f"the body from ({low}) to ({high}) {domain.unit}",
            f"one of {len(tied)} separate bodies, has no patch that fixes the level of its temperature",
            "Hold one of its patches at a temperature, let one convect, or remove the body",
        )


@dataclass(frozen=True)
class Scales:
    """Length, temperature and conductance that make a problem dimensionless.

    With ξ = x/length and θ = (T − reference)/span: −∇²θ = source, ∂θ/∂n = flux + biot (ambient − θ).

    Args:
        length: The longest side of the part's box, in the part's unit.
        metres: The same in metres.
        reference: Temperature that becomes 0, K.
        span: Temperature difference that becomes 1, K.
        heat: Heat flow that becomes 1: k · metres · span, W.
    """

    length: float
    metres: float
    reference: float
    span: float
    heat: float


def _scales(problem: Problem) -> Scales:
    lower, upper = problem.domain.bounds
    length = float(np.max(upper - lower))
    metres = length * problem.domain.metres_per_unit
    table, k = problem.face_conditions, problem.equation.conductivity
    levels = np.concatenate([table.temperature[table.held], table.ambient[table.h > 0]])
    driven = (np.abs(table.flux).max() * metres + abs(problem.equation.source) * metres**2) / k
    span = float(max(np.ptp(levels), driven))
    span = span if span > 0 else 1.0
    return Scales(length, metres, float(levels.min()), span, k * metres * span)
