"""How a functional of the temperature in a part changes with the shape of the part."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from ..core import InputError
from ..train import ConjugateGradient
from ._energy import Quadratic, assemble
from ._field import SplineField
from ._grids import grid_features, spline_field
from ._problem import Problem
from ._shape_forms import ShapeForms
from ._shape_functional import TemperatureFunctional
from ._shape_motion import ShapeOf, pull_back

_TOLERANCE = 1e-8  # of the residual of a system, relative to the load
_CHUNK, _MOST_STEPS = 25, 10_000
_LEAST_CELLS = 100


@dataclass(frozen=True, eq=False)
class ShapeGradient:
    """A functional of the temperature in a part, and its derivative in the shape.

    Args:
        value: J, K.
        gradient: dJ/d(parameters), a pytree like the parameters: K per unit of each; None without `shape_of`.
        vertices: dJ/d(vertices of the part's surface), K per the part's unit: what `gradient` is made of.
        temperature: The temperature, K.
        adjoint: By how much J rises when heat is released at a point, K/W.
        converged: Whether all linear systems were solved to their tolerance.
        solves: How many systems: 5 by the volume form, 2 by the surface form, however many parameters there are.
        iterations: Steps of conjugate gradients for all of them.
    """

    value: float
    gradient: Any
    vertices: Float[np.ndarray, "v 3"]
    temperature: SplineField
    adjoint: SplineField
    converged: bool
    solves: int
    iterations: int

    def along(self, velocity: Float[np.ndarray, "v 3"]) -> float:
        """Returns dJ/dt when the vertices of the surface move with a velocity, as those of a part from a file may.

        Args:
            velocity: That of each vertex, in the part's unit; `patch_velocity` has that of a patch.
        """
        return float(np.sum(self.vertices * velocity))


def shape_gradient(
    problem_of: Callable[[Any], Problem],
    parameters: Any,
    functional: TemperatureFunctional,
    *,
    shape_of: ShapeOf | None = None,
    key: PRNGKeyArray,
    cells: int = 10_000,
    form: str = "volume",
) -> ShapeGradient:
    """Differentiates a functional of the temperature in a part in the parameters of the part's shape.

    The temperature T and the adjoint η, which solves the same system with another load, are found on one grid. With
    the velocity V of the surface, extended harmonically into the part, the volume form of the derivative is

        dJ = ∫ (k ∇T·∇η − q η) div V − k ∇T·(∇V + ∇Vᵀ)·∇η dV + ∫ (h (T − ambient) − f) η div_Γ V dS

    plus the terms of J itself. The extension costs three more systems for all parameters together. What the parameters
    do to the surface comes from the signed distance φ of the shape: V·n = −∂φ/∂p / |∇φ| on every face, and edges move
    with the faces that meet there. Conditions move with the surface; the border of a patch inside a plane face, which
    no face that moves cuts, rests.

    The surface form, dJ = ∫ (…) V·n dS with edge terms, needs no extension but the slopes of T and η on the surface,
    where they are least accurate: do not use it where a patch that is held moves. The volume form needs cells that
    resolve how the velocity turns from moving to resting; on coarser ones the surface form can be closer
    (`experiments/shape_gradient` has figures).

    The gradient approximates that of the exact temperature; it is not the derivative of the number that the grid
    yields, which jumps when cells come and go. Where the surface changes its topology (a fin reaches the border of the
    plate) there are one-sided derivatives only.

    Args:
        problem_of: The problem of the part with some parameters: `SteadyHeat` in a mesh.
        parameters: A pytree of numbers.
        functional: J: `MeanTemperature`, `PeakTemperature`, or your own `TemperatureFunctional`.
        shape_of: The shape with some parameters: a signed distance (only its zero set and its slopes there count), in
            the part's unit, that `jax.grad` can differentiate in the parameters. None for a part without a formula:
            then there is no `gradient`, but `ShapeGradient.along` takes any velocity of its vertices.
        key: A random key: decides where the grid lies relative to the part.
        cells: About how many cells the part occupies.
        form: "volume" or "surface".

    Returns:
        The value, the gradient, and the two fields.

    Raises:
        InputError: The problem is none of heat in a part, the patch of the functional is unknown, an option makes no
            sense, or the surface of the part is not where the shape's distance vanishes.

    References:
        M. C. Delfour, J.-P. Zolésio, Shapes and Geometries (SIAM 2011), ch. 9-10 (both forms).
        G. Allaire, F. Jouve, A.-M. Toader, J. Comput. Phys. 194 (2004) 363 (velocities from a level set).
        R. Hiptmair, A. Paganini, S. Sargheini, BIT 55 (2015) 459 (the volume form is the more accurate one).

    Example:
        >>> import jax, trimesh
        >>> from geoembed.pinn import Convection, MeanTemperature, Problem, SteadyHeat, Temperature
        >>> from geoembed.sdf import Box, facing, mesh_sdf
        >>> def problem_of(p):  # a rod, held at 400 K at one end and cooled at the other
        ...     box = trimesh.creation.box(extents=(float(p["length"]), 0.03, 0.03))
        ...     ends = {"left": facing((-1, 0, 0)), "right": facing((1, 0, 0))}
        ...     cooled = [Temperature("left", 400.0), Convection("right", 50.0, 300.0)]
        ...     return Problem(mesh_sdf(box.vertices, box.faces, unit="m"), SteadyHeat(2.0), cooled, ends)
        >>> def shape_of(p):
        ...     return Box(jax.numpy.stack([p["length"], 0.03 + 0 * p["length"], 0.03 + 0 * p["length"]]))
        >>> end, key = MeanTemperature("right"), jax.random.key(0)
        >>> found = shape_gradient(problem_of, {"length": 0.1}, end, shape_of=shape_of, key=key, cells=300)
        >>> abs(found.gradient["length"] + 100 / 2 * 50 / (1 + 50 * 0.1 / 2) ** 2) < 2  # K/m
        True
    """
    _check_options(cells, form)
    problem = problem_of(parameters)
    _check_problem(problem, functional)
    features = grid_features(problem, cells, key=key)
    energy, systems = assemble(problem, features), _Systems()
    theta = energy.levelled(systems(energy, energy.load))
    forms = ShapeForms(problem, features, functional)
    averages = forms.averages(theta)
    eta = systems(energy, -averages.load)
    if form == "volume":
        vertices = forms.volume_form(theta, eta, averages, systems)
    else:
        vertices = forms.surface_form(theta, eta, averages)
    response = spline_field(problem, features, features.splines(eta))
    return ShapeGradient(
        value=averages.value,
        gradient=None if shape_of is None else pull_back(problem.domain, vertices, shape_of, parameters),
        vertices=vertices,
        temperature=spline_field(problem, features, features.splines(theta)),
        adjoint=replace(response, reference=0.0, scale=-1.0 / problem.scales.heat),
        converged=systems.converged,
        solves=systems.solves,
        iterations=systems.iterations,
    )


class _Systems:
    """Solves sparse systems and counts them."""

    def __init__(self) -> None:
        self.solves, self.iterations, self.converged = 0, 0, True

    def __call__(
        self, energy: Quadratic, right: Float[np.ndarray, " d"], tolerance: float = _TOLERANCE
    ) -> Float[np.ndarray, " d"]:
        solver = ConjugateGradient(energy.matrix, right, energy.inverse)
        state = solver.start(np.zeros(len(right)))
        while solver.relative_residual(state) > tolerance and state.iteration < _MOST_STEPS:
            before = state.iteration
            state = solver.advance(state, _CHUNK)
            if state.iteration == before:
                break
        self.converged &= bool(solver.relative_residual(state) <= tolerance)
        self.solves, self.iterations = self.solves + 1, self.iterations + state.iteration
        return state.x


def _check_options(cells: int, form: str) -> None:
    if not isinstance(cells, int) or cells < _LEAST_CELLS:
        raise InputError(
            "<options>", "cells", f"{cells} is no number of cells", f"Give at least {_LEAST_CELLS}"
        )
    if form not in ("volume", "surface"):
        raise InputError("<options>", "form", f"{form!r} is unknown", 'Choose "volume" or "surface"')


def _check_problem(problem: Problem, functional: TemperatureFunctional) -> None:
    name = type(problem.equation).__name__
    if name != "SteadyHeat":
        raise InputError(
            "problem_of", "equation", f"{name} has no shape gradient", "Use SteadyHeat in a mesh"
        )
    if problem.nonlinear:
        reason = "radiation and a conductivity that depends on the temperature have no shape gradient yet"
        raise InputError("problem_of", "equation", reason, "Give a constant conductivity, and convection")
    if not problem.conduction.plain:
        reason = "is a matrix or a function: there is no shape gradient for it"
        raise InputError("equation", "conductivity", reason, "Use a number")
    patch = functional.over
    if patch is not None and not np.any(problem.resolved.mask(patch)):
        raise InputError("functional", f"patch {patch!r}", "has no face", "Name one of the part's patches")
