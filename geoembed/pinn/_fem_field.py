"""Field problems by finite elements on two meshes, for the certificate."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ._equations._equation import Equation
from ._fem_field_form import NoReference, weak_form
from ._fem_field_march import March
from ._fem_field_space import Space
from ._fem_field_system import System
from ._field_problem import FieldProblem
from ._problem import Problem

# Cells of an interval, vertices in the plane, vertices in the plane with time.
_LEVELS = {
    (1, False): (60, 110, 200, 400),
    (1, True): (160, 300, 560, 1040),
    (2, False): (1_500, 3_500, 8_000, 18_000),
    (2, True): (800, 1_800, 4_000, 9_000),
}
# Error of a time step, and the least number of steps from one moment of comparison to the next.
_STEPS = ((3e-5, 1), (1e-5, 2), (3e-6, 2), (1e-6, 3))
_POINTS, _MOMENTS = 12_000, {1: 48, 2: 24}


@dataclass(frozen=True)
class FieldReference:
    """The solution of a field problem by finite elements on the finer of two meshes, at points.

    Attributes:
        points: Points drawn evenly over the domain and the time, which is the last coordinate.
        values: The solution there.
        agreement: ‖u_coarse − u_fine‖ / ‖u_fine‖ over the points. The coarser one has larger time steps, too.
        dofs: Unknowns on the coarser and the finer mesh.
        steps: Time steps on the coarser and the finer mesh; 0 in a steady problem.
        seconds: Wall time.
        seed: Seed of the points.
    """

    points: Float[np.ndarray, "n d"]
    values: Float[np.ndarray, " n"]
    agreement: float
    dofs: tuple[int, int]
    steps: tuple[int, int]
    seconds: float
    seed: int

    def error(self, predict: Callable[[np.ndarray], Any]) -> float:
        """Returns ‖u − u_fem‖ / ‖u_fem‖ over the points.

        Args:
            predict: Values, shape [n], at points, shape [n, d].

        Raises:
            ValueError: It returns another shape.
        """
        answer = np.asarray(predict(self.points), np.float64)
        if answer.shape != self.values.shape:
            raise ValueError(f"predict must return shape {self.values.shape}, got {answer.shape}")
        return relative(answer, self.values)


def field_reference(
    problem: Problem, *, seed: int = 0, agreement: float = 2.5e-4, time_limit: float = 300.0
) -> FieldReference:
    """Solves an equation in an interval or in the plane by finite elements on two meshes.

    The equation is Poisson's, Helmholtz', of heat, of advection and diffusion, Allen and Cahn's or Burgers', steady or
    not, with conditions by Dirichlet, Neumann, Robin, initial values and periods. The elements have degree 4 on an
    interval and 2 in the plane, where triangles are curved at round pieces and small at corners; implicit time steps of
    order 4 are chosen by their error. Meshes are refined until two of them agree. The weak forms are written out for
    each equation, so that nothing is shared with the solver but the shape and the functions of the user.

    Args:
        problem: The problem.
        seed: Seed of the points.
        agreement: Stop refining when two meshes agree to this; the best pair is returned in any case.
        time_limit: Begin no finer mesh after this many seconds.

    Returns:
        The finer solution at points, and how far the coarser one is from it.

    Raises:
        ImportError: scikit-fem is not installed (extra `fem`).
        ValueError: There are no finite elements for this problem; the message says why.

    Example:
        >>> from geoembed.pinn import Dirichlet, Interval, Poisson, Problem
        >>> reference = field_reference(Problem(Interval(0.0, 1.0), Poisson(2.0), [Dirichlet("all")]))
        >>> reference.error(lambda x: x[:, 0] * (1 - x[:, 0])) < 1e-9
        True
    """
    began, field = time.perf_counter(), _checked(problem)
    points, moments = _places(field, np.random.default_rng(seed))
    levels = _LEVELS[field.domain.dimension, field.time is not None]
    before: _Solution | None = None
    with jax.enable_x64(True):
        for count, (step_error, divided) in zip(levels, _STEPS, strict=True):
            after = _solved(field, count, step_error, divided, points, moments)
            if before is not None:
                gap = relative(before.values, after.values)
                if gap <= agreement or time.perf_counter() - began > time_limit or count == levels[-1]:
                    dofs, steps = (before.dofs, after.dofs), (before.steps, after.steps)
                    seconds = time.perf_counter() - began
                    return FieldReference(
                        _with_time(points, moments), after.values, gap, dofs, steps, seconds, seed
                    )
            before = after
    raise AssertionError("there are at least two levels")


@dataclass(frozen=True)
class _Solution:
    values: Float[np.ndarray, " n"]
    dofs: int
    steps: int


def _checked(problem: Problem) -> FieldProblem:
    if not isinstance(problem.equation, Equation):
        raise NoReference("this is heat in a part or an elastic part, which have references of their own")
    weak_form(problem.equation)
    if problem.in_fields.integrals:
        raise NoReference("the finite elements here know no Integral")
    if problem.in_fields.domain.dimension > 2:
        raise NoReference("there are finite elements for intervals and for the plane, not for space")
    return problem.in_fields


def _places(field: FieldProblem, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
    """Points inside; with time, as many at each of some moments, which are spread evenly."""
    domain, found = field.domain, np.zeros((0, field.domain.dimension))
    while len(found) < _POINTS:
        found = np.concatenate([found, domain.fill(rng.random((2 * _POINTS, domain.dimension)))])
    found = found[:_POINTS]
    if field.time is None:
        return found, None
    (begin, end), count = field.time, _MOMENTS[domain.dimension]
    moments = begin + (end - begin) * (np.arange(count) + rng.uniform(0.2, 1.0)) / count
    return found.reshape(count, -1, domain.dimension), moments


def places(field: FieldProblem, rng: np.random.Generator) -> Float[np.ndarray, "n d"]:
    """Points drawn evenly over the domain and the time."""
    return _with_time(*_places(field, rng))


def _with_time(points: np.ndarray, moments: np.ndarray | None) -> np.ndarray:
    if moments is None:
        return points
    flat = points.reshape(-1, points.shape[-1])
    return np.column_stack([flat, np.repeat(moments, points.shape[1])])


def _solved(
    field: FieldProblem, count: int, step_error: float, divided: int, points: np.ndarray, moments: Any
) -> _Solution:
    space = Space(field, count)
    system = System(space)
    if field.time is None:
        return _Solution(space.at(points) @ system.steady(), space.size, 0)
    longest = float(moments[1] - moments[0]) / divided
    march = March(system, step_error, longest)
    fields = march.run(float(field.time[0]), moments)
    values = [space.at(where) @ vector for where, vector in zip(points, fields, strict=True)]
    return _Solution(np.concatenate(values), space.size, march.steps)


def relative(value: Float[np.ndarray, " n"], reference: Float[np.ndarray, " n"]) -> float:
    """Returns ‖value − reference‖ / ‖reference‖; inf for a reference that vanishes where the value does not."""
    size, gap = float(np.linalg.norm(reference)), float(np.linalg.norm(value - reference))
    return gap / size if size > 0 else (0.0 if gap == 0 else float("inf"))
