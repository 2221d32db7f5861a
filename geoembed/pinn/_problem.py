"""A problem: a domain, an equation in it and conditions on the pieces of its boundary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool

from ..core import InputError
from ..sdf import MeshSDF, Patches, bodies, resolve_patches
from ._conditions import Condition, FaceConditions, face_conditions
from ._equations._equation import Equation
from ._equations._steady_elasticity import SteadyElasticity
from ._equations._steady_heat import SteadyHeat
from ._field_conditions import FieldCondition
from ._field_problem import FieldProblem
from ._part_loads import FaceLoads, Load, face_loads
from ._rigid_motions import check_supports


@dataclass(frozen=True)
class Problem:
    """A boundary value problem, in a part or in a domain given by a formula.

    **Heat in a part**: the domain is a mesh and the equation `SteadyHeat`. Coordinates are those of the part, in its
    own unit; every other quantity is in SI units. Conditions are `Temperature`, `HeatFlux`, `Convection` and
    `Radiation` on patches; a patch without one is insulated.

    **An elastic part**: the domain is a mesh and the equation `SteadyElasticity`. Coordinates and units are as for
    heat; the displacement is in m. Conditions are `Displacement`, `Traction`, `Pressure` and `ElasticFoundation` on
    patches; a patch without one is free.

    **Any other equation**: the domain is an `Interval`, a shape with bounds or a mesh. Conditions are `Dirichlet`,
    `Neumann`, `Robin`, `Initial`, `Periodic` and (for `HeatEquation`) `Radiation` on named pieces of the boundary. What
    the numbers mean is up to the equation.

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
        """The condition on each face of a part that conducts heat."""
        return face_conditions(self.resolved, tuple(self.conditions))  # pyright: ignore[reportArgumentType]

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
    def scales(self) -> "Scales":
        """The units in which the problem has numbers of order one."""
        return _scales(self)


def _check_kinds(conditions: Sequence[Any]) -> None:
    for condition in conditions:
        if not isinstance(condition, FieldCondition):
            raise InputError(
                "conditions",
                type(condition).__name__,
                "is no condition of this equation",
                "Use Dirichlet, Neumann, Robin, Initial, Periodic and Radiation",
            )


def _check_part(problem: Problem) -> None:
    name = type(problem.equation).__name__
    if not isinstance(problem.equation, SteadyHeat | SteadyElasticity):
        raise InputError("problem", "equation", f"{name} is no equation", "Use one of geoembed.pinn")
    general = "LinearElasticity" if problem.elastic else "HeatEquation"
    if not isinstance(problem.domain, MeshSDF):
        raise InputError(
            "problem",
            "domain",
            f"{name} is for a mesh, received {type(problem.domain).__name__}",
            f"Use {general} in it" if problem.elastic else "Use HeatEquation or Poisson in it",
        )
    if problem.time is not None:
        raise InputError("problem", "time", f"{name} has no time", f"Leave time= away, or use {general}")
    other = [c for c in problem.conditions if not isinstance(c, Load if problem.elastic else Condition)]
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


@dataclass(frozen=True)
class Scales:
    """Length, temperature and conductance that make a problem dimensionless.

    With ξ = x/length and θ = (T − reference)/span: −∇²θ = source, ∂θ/∂n = flux + biot (ambient − θ). For an elastic
    part u/span and stresses in units of Young's modulus · span / metres.

    Args:
        length: The longest side of the part's box, in the part's unit.
        metres: The same in metres.
        reference: Temperature that becomes 0, K; 0 for an elastic part.
        span: Temperature difference that becomes 1, K; displacement that becomes 1, m.
        heat: Heat flow that becomes 1: k · metres · span with the mean k, W; force that becomes 1: E · metres · span,
            N.
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
    if problem.elastic:
        return _elastic_scales(problem, length, metres)
    table, k = problem.face_conditions, problem.equation.mean_conductivity
    levels = table.levels
    driven = (np.abs(table.flux).max() * metres + abs(problem.equation.source) * metres**2) / k
    span = float(max(np.ptp(levels), driven))
    span = span if span > 0 else 1.0
    return Scales(length, metres, float(levels.min()), span, k * metres * span)


def _elastic_scales(problem: Problem, length: float, metres: float) -> Scales:
    table, young = problem.face_loads, problem.equation.young
    pull = float(np.abs(table.traction).max()) * metres
    weight = max(abs(component) for component in problem.equation.body_force) * metres**2
    moved = float(np.abs(table.displacement[table.held]).max(initial=0.0))
    span = max(moved, (pull + weight) / young)
    span = span if span > 0 else 1.0
    return Scales(length, metres, 0.0, span, young * metres * span)
