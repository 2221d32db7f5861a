"""Members of a family: solved, sampled, compared with its field."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..core import InputError, register
from ..sdf import MeshSDF, evaluate, sample_interior, sample_surface
from ._collocation import Collocation
from ._family import Family, FamilyField
from ._problem import Problem
from ._result import Result
from ._solve import solve

_ON_SURFACE = 3  # one point of so many is on the surface


@register
@dataclass(frozen=True, eq=False)
class Member:
    """The solution of one member at some points.

    Args:
        parameters: The numbers that make it.
        points: Points in it.
        values: The solution there.
        even: How many points at the beginning are spread evenly over the volume: errors are measured over them. None:
            all.
        estimated_error: The solver's estimate of the error of the values; nan if there is none.
    """

    parameters: Float[np.ndarray, " p"]
    points: Float[np.ndarray, "n d"]
    values: Float[np.ndarray, " m"]
    even: int | None = None
    estimated_error: float = float("nan")

    def __post_init__(self) -> None:
        if not len(self.points) == len(self.values) > 0:
            raise ValueError(f"{len(self.points)} points have {len(self.values)} values: give one each")
        if not (np.all(np.isfinite(self.values)) and np.ptp(self.values) > 0):
            raise InputError(
                "family",
                f"the member with parameters {self.parameters}",
                "its values are constant or not finite",
                "Look at its solution",
            )

    @property
    def spread(self) -> float:
        """Standard deviation of the values over the volume: what errors are relative to."""
        return float(np.std(self.values[: self.even]))


def solve_member(
    family: Family,
    parameters: Sequence[float] | Float[np.ndarray, " p"],
    *,
    key: PRNGKeyArray,
    points: int = 1200,
    solver: Callable[..., Result] = solve,
) -> Member:
    """Solves one member of a family and samples its solution.

    Args:
        family: The family.
        parameters: The parameters of the member.
        key: A random key.
        points: How many points are kept: in a part two thirds of them inside and one third on the surface.
        solver: Called as `solver(problem, key=key)`; `functools.partial(solve, cells=50_000)` sets options.

    Returns:
        The solution at the points, with the solver's estimate of its error.

    Raises:
        InputError: The solver diverged.

    Example:
        >>> import jax
        >>> from geoembed.pinn import Dirichlet, Family, Interval, Poisson, Problem, Training, solve
        >>> def make(parameters):
        ...     return Problem(Interval(0.0, float(parameters[0])), Poisson(1.0), [Dirichlet("all")])
        >>> rods = Family(make, lambda x, p: x / p[0], (1.0,), (2.0,))
        >>> quick = lambda problem, key: solve(problem, key=key, training=Training(points=64, steps=30))
        >>> member = solve_member(rods, [2.0], key=jax.random.key(0), points=20, solver=quick)
        >>> member.points.shape, round(float(member.values.max()), 1)
        ((20, 1), 0.5)
    """
    numbers = np.asarray(parameters, np.float64)
    problem = family.make(numbers)
    solver_key, points_key = jax.random.split(key)
    result = solver(problem, key=solver_key)
    if result.status == "diverged":
        raise InputError(
            "family", f"the member with parameters {numbers}", "the solver diverged", "Look at its problem"
        )
    where, even = _sample(problem, points, points_key)
    values = np.asarray(evaluate(result.value, where))
    return Member(numbers, where, values, even, float(result.estimated_error))


def _sample(problem: Problem, count: int, key: PRNGKeyArray) -> tuple[Float[np.ndarray, "n d"], int]:
    """Points, and how many of them are even in the volume."""
    if not isinstance(problem.domain, MeshSDF):
        return Collocation(problem.in_fields, key=key).inside(count, 0), count
    inside_key, surface_key = jax.random.split(key)
    even = count - count // _ON_SURFACE
    inside = sample_interior(problem.domain, even, key=inside_key).points
    surface = sample_surface(problem.domain, count // _ON_SURFACE, key=surface_key).points
    return np.concatenate([np.asarray(inside)[:even], np.asarray(surface)]).astype(np.float64), even


def member_error(field: FamilyField, member: Member) -> float:
    """‖u − u*‖ / ‖u* − mean u*‖ of one member over its volume; a constant scores 1 at best.

    Args:
        field: The field of the family.
        member: The member, with the values to compare with.
    """
    inside = slice(member.even)
    found = np.asarray(evaluate(field.member(member.parameters), member.points[inside]))
    return float(np.sqrt(np.mean((found - member.values[inside]) ** 2)) / member.spread)
