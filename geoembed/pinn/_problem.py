"""A problem: a domain, an equation in it and conditions on the pieces of its boundary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool

from ..core import InputError
from ..sdf import MeshSDF, Patches, bodies, resolve_patches
from ._conditions import Condition, FaceConditions, at_time, face_conditions, in_time
from ._conduction import Conduction
from ._equations._equation import Equation
from ._equations._solid import solid_values
from ._equations._steady_elasticity import SteadyElasticity
from ._equations._steady_heat import SteadyHeat
from ._equations._transient_heat import TransientHeat
from ._field_conditions import FieldCondition, Initial
from ._field_problem import FieldProblem
from ._part_loads import FaceLoads, Load, face_loads
from ._radiation import Radiation
from ._rigid_motions import check_supports
from ._scales import Scales, scales_of
from ._transient_checks import check_first, check_transient


@dataclass(frozen=True)
class Problem:
    """A boundary value problem, in a part or in a domain given by a formula.

    **Heat in a part**: the domain is a mesh and the equation `SteadyHeat`. Coordinates are those of the part, in its
    own unit; every other quantity is in SI units. Conditions are `Temperature`, `HeatFlux`, `Convection` and
    `Radiation` on patches; a patch without one is insulated.

    **Heat in a part in time**: the same with `TransientHeat`, a time in s, one `Initial` beside the conditions, and
    without `Radiation`.

    **An elastic part**: the domain is a mesh and the equation `SteadyElasticity`. Coordinates and units are as for
    heat; the displacement is in m. Conditions are `Displacement`, `Traction`, `Pressure` and `ElasticFoundation` on
    patches; a patch without one is free.

    **Any other equation**: the domain is an `Interval`, a shape with bounds or a mesh. Conditions are `Dirichlet`,
    `Neumann`, `Robin`, `Initial`, `Periodic` and (for `HeatEquation`) `Radiation` on named pieces of the boundary, and
    `Integral` over the domain or a piece. What the numbers mean is up to the equation.

    Args:
        domain: The domain in space. A part must be closed.
        equation: The equation inside it.
        conditions: The conditions.
        patches: Patches of a part, and how they are selected; "rest" is what none of them takes. In another domain
            names of your own for pieces of the boundary, each with a function that says of points (n, d) which
            belong to it.
        time: The first and the last moment of a transient equation.

    Raises:
        InputError: The part is not closed, a patch or piece is empty, unknown or overlaps another, the conditions
            contradict each other or leave the solution undetermined, or the equation is not for such a domain.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.pinn import Burgers, Dirichlet, Initial, Interval
        >>> wave = Initial(lambda x: -jnp.sin(jnp.pi * x[0]))
        >>> problem = Problem(Interval(-1.0, 1.0), Burgers(0.01), [wave, Dirichlet("all")], time=(0.0, 1.0))
    """

    domain: Any
    equation: Any
    conditions: Sequence[Condition | Load | FieldCondition]
    patches: Mapping[str, Any] = field(default_factory=dict)
    time: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "conditions", tuple(self.conditions))
        object.__setattr__(self, "patches", dict(self.patches))
        if isinstance(self.equation, Equation):
            _check_kinds(self.conditions)
            _ = self.in_fields  # errors belong to the construction, not to the first use
            return
        _check_part(self)

    @cached_property
    def in_fields(self) -> FieldProblem:
        """The problem as least squares on the residual of an equation."""
        conditions: Any = tuple(self.conditions)  # `_check_kinds` has looked at them
        return FieldProblem(self.domain, self.equation, conditions, self.time, dict(self.patches))

    @cached_property
    def resolved(self) -> Patches:
        """The patches as faces of the part."""
        return resolve_patches(self.domain, dict(self.patches))

    @cached_property
    def face_conditions(self) -> FaceConditions:
        """The condition on each face of a part that conducts heat, at the first moment if there is time."""
        conditions = self.heat_conditions
        if self.transient:
            conditions = [at_time(condition, self.moments[0]) for condition in conditions]
        return face_conditions(self.resolved, conditions, steady=not self.transient)

    @property
    def heat_conditions(self) -> list[Condition]:
        """The conditions of heat on the patches of a part."""
        return [condition for condition in self.conditions if isinstance(condition, Condition)]

    @property
    def transient(self) -> bool:
        """Whether it is the heat of a part in time."""
        return isinstance(self.equation, TransientHeat)

    @property
    def initial(self) -> Initial:
        """The temperature of a part at the first moment."""
        return next(condition for condition in self.conditions if isinstance(condition, Initial))

    @property
    def moments(self) -> tuple[float, float]:
        """The first and the last moment, s."""
        if self.time is None:
            raise ValueError("this problem has no time")
        return self.time

    @cached_property
    def mean_capacity(self) -> float:
        """The mean of ρc over a part, J/(m³ K)."""
        capacity = self.equation.capacity
        if not callable(capacity):
            return float(capacity)
        return float(np.mean(solid_values("capacity", capacity, self.conduction.places)))

    @cached_property
    def face_loads(self) -> FaceLoads:
        """The loads and supports of each face of an elastic part."""
        conditions: Any = tuple(self.conditions)  # `_check_part` has looked at them
        return face_loads(self.resolved, conditions, self.domain.normals)

    @property
    def face_columns(self) -> tuple[np.ndarray, ...]:
        """The columns of the table of the faces of a part."""
        if self.elastic:
            loads = self.face_loads
            return loads.displacement, loads.stiffness, loads.traction
        table = self.face_conditions
        columns = table.temperature, table.h, table.ambient, table.flux
        radiation = np.asarray(table.emissivity), np.asarray(table.radiant)
        return (*columns, *radiation) if table.radiates.any() else columns

    @property
    def elastic(self) -> bool:
        """Whether the unknown is the displacement of a part."""
        return isinstance(self.equation, SteadyElasticity)

    @cached_property
    def conduction(self) -> Conduction:
        """How the solid of a part conducts heat."""
        return Conduction(self.equation.conductivity, self.domain)

    @property
    def tied_faces(self) -> Bool[np.ndarray, " f"]:
        """At which faces of a part a condition fixes the level of the field."""
        if self.elastic:
            return np.asarray(np.any(self.face_loads.supported, axis=1))
        return self.face_conditions.tied

    @property
    def nonlinear(self) -> bool:
        """Whether heat in a part depends on the temperature in a way that is not linear."""
        return not self.elastic and (self.equation.varies or bool(self.face_conditions.radiates.any()))

    @cached_property
    def scales(self) -> Scales:
        """The units in which the problem has numbers of order one."""
        return scales_of(self)


def _check_kinds(conditions: Sequence[Any]) -> None:
    for condition in conditions:
        if not isinstance(condition, FieldCondition):
            raise InputError(
                "conditions",
                type(condition).__name__,
                "is no condition of this equation",
                "Use Dirichlet, Neumann, Robin, Initial, Periodic, Integral and Radiation",
            )


def _check_part(problem: Problem) -> None:
    name = type(problem.equation).__name__
    if not isinstance(problem.equation, SteadyHeat | TransientHeat | SteadyElasticity):
        raise InputError("problem", "equation", f"{name} is no equation", "Use one of geoembed.pinn")
    general = "LinearElasticity" if problem.elastic else "HeatEquation"
    if not isinstance(problem.domain, MeshSDF):
        raise InputError(
            "problem",
            "domain",
            f"{name} is for a mesh, received {type(problem.domain).__name__}",
            f"Use {general} in it" if problem.elastic else "Use HeatEquation or Poisson in it",
        )
    if problem.transient:
        check_transient(problem)
    elif problem.time is not None:
        raise InputError("problem", "time", f"{name} has no time", f"Leave time= away, or use {general}")
    allowed = Load if problem.elastic else (Condition | Initial if problem.transient else Condition)
    other = [c for c in problem.conditions if not isinstance(c, allowed)]
    if other:
        raise InputError(
            "conditions",
            type(other[0]).__name__,
            f"is no condition of {'an elastic part' if problem.elastic else 'heat in a part'}",
            "Use Displacement, Traction, Pressure and ElasticFoundation"
            if problem.elastic
            else "Use Temperature, HeatFlux, Convection and Radiation",
        )
    if not problem.domain.sign_reliable:
        raise InputError(
            "<part>",
            "",
            "the surface is not closed, so it has no inside",
            "Run `geoembed inspect` on the file: it lists the holes; close them in the program that made the mesh",
        )
    if problem.elastic:
        check_supports(problem.domain, problem.face_loads)
    else:
        _ = problem.conduction.mean  # looks at a function of the point
        if problem.transient:
            _ = problem.face_conditions, problem.mean_capacity
            check_first(problem.initial.value, problem.conduction.places, problem.moments[0])
            return
        if any(in_time(c) for c in problem.heat_conditions if not isinstance(c, Radiation)):
            reason = "depends on the time, which SteadyHeat does not know"
            raise InputError("conditions", "", reason, "Give a number, or use TransientHeat")
        _check_levels(problem.domain, problem.face_conditions)


def _check_levels(domain: MeshSDF, table: FaceConditions) -> None:
    """Refuses a body that no condition ties to a temperature: heat finds no way to it from another body."""
    body = bodies(domain)
    tied = np.bincount(body, weights=table.tied)
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
