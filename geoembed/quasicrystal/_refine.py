"""Refinement of quasicrystals against measured intensities by least squares with exact gradients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ._model import Model
from ._refine_descent import End, descend
from ._refine_errors import curvature, r_factors
from ._refine_problem import Build, Problem, Reflections
from ._scatterers import Scatterers

_ALIKE = 1.0  # two starts found the same minimum where their χ² differ by less: one standard deviation


@dataclass(frozen=True, eq=False)
class Refinement:
    """What `refine` found.

    Args:
        parameters: The best ones, as given to `build`.
        errors: Their standard deviations from the curvature of χ², in the same pytree; inf where the reflections do not
            determine them. They hold if the sigmas are right: `goodness` is then near 1.
        model: The refined model.
        scatterers: Its scatterers.
        scale: k in I = k |F|².
        calculated: k |F|² of every reflection.
        covariance: Of the parameters in the order of `names`, the logarithm of the scale last if it was refined.
        names: Where each of the numbers stands in the parameters.
        r_factor: R = Σ | √I − √(k |F|²) | / Σ √I; measured intensities below 0 count as 0.
        weighted_r: wR = (Σ w (I − k |F|²)² / Σ w I²)^½ with w = 1/σ².
        goodness: S = (χ² / (rows − p))^½, rows being the intensities and the components of measured wave vectors.
        chi_squares: χ² at the end of each start.
        converged: Whether each start ended in a minimum before its steps were used up.
        steps: Steps of each start.
    """

    parameters: Any
    errors: Any
    model: Model
    scatterers: Scatterers
    scale: float
    calculated: Float[np.ndarray, " n"]
    covariance: Float[np.ndarray, "p p"]
    names: tuple[str, ...]
    r_factor: float
    weighted_r: float
    goodness: float
    chi_squares: Float[np.ndarray, " starts"]
    converged: Bool[np.ndarray, " starts"]
    steps: Int[np.ndarray, " starts"]

    @property
    def success_rate(self) -> float:
        """The share of starts whose χ² ends within 1 of the lowest."""
        return float(np.mean(self.chi_squares <= self.chi_squares.min() + _ALIKE))


def refine(
    build: Build,
    parameters: Any,
    reflections: Reflections,
    *,
    key: PRNGKeyArray,
    starts: int = 1,
    spread: Any = None,
    scale: float | None = None,
    steps: int = 100,
    callback: Callable[[int, float], None] | None = None,
) -> Refinement:
    """Finds the parameters of a model that fit measured intensities best, in the least-squares sense.

    It minimises χ² = Σ (I − k |F(h)|²)² / σ², plus Σ |Q∥ − Q∥(h)|² / σ² where wave vectors were measured, by
    Levenberg–Marquardt from several starts, with the derivatives of the closed-form structure factors: in sizes and
    shapes of windows, positions of surfaces, phason strain, amplitudes and Debye–Waller factors, whichever `build`
    makes of the parameters. The first start is the given one; the others are normally distributed around it. χ² has
    many minima: the lowest is returned, and `success_rate` says how often it was found. It computes in the dtype of the
    parameters: take float64.

    Args:
        build: A differentiable function of the parameters that returns a model and its scatterers.
        parameters: A pytree of jax arrays, the first start.
        reflections: What was measured; more reflections than parameters.
        key: Random key of the starts.
        starts: How many starts.
        spread: The standard deviations of the starts around the given one, in a pytree like the parameters (without
            what is no jax array). Needed for more than one start.
        scale: k; refined by default.
        steps: The most steps of a start.
        callback: Receives the number of a start and its χ² when it has ended.

    Returns:
        The best fit with its R-factors and errors.

    Raises:
        InputError: The reflections are fewer than the parameters, not finite, or have sigmas that are not positive.
        ValueError: There is no start, or several without a spread, or the parameters hold no jax array.

    Example:
        >>> import jax, jax.numpy as jnp, numpy as np
        >>> from geoembed.quasicrystal import Model, Reflections, Scatterers, Surface, Zonotope, fibonacci, refine
        >>> def build(length):
        ...     surface = Surface(Zonotope(length.reshape(1, 1)))
        ...     return Model(fibonacci().lattice, [surface]), Scatterers(jnp.ones(1))
        >>> h = np.array([[1, 1], [2, 1], [1, 0], [3, 2], [2, 2]])
        >>> x = np.pi * (1.618 * h[:, 1] - h[:, 0]) / 2.236 * 1.5  # half of Q⊥ times a length of 1.5
        >>> measured = Reflections(h, 7.0 * (np.sin(x) / x) ** 2, np.full(5, 0.01))
        >>> found = refine(build, jnp.array(1.7), measured, key=jax.random.key(0))
        >>> print(f"{found.parameters:.2f} {found.scale:.1f}")
        1.50 7.0

    References:
        W. Steurer, S. Deloudi, Crystallography of Quasicrystals, 2009, section 5.2 on R-factors and higher-dimensional
        refinement; W. H. Press et al., Numerical Recipes, 3rd ed. 2007, section 15.6 on errors from the curvature.
    """
    problem = Problem(build, parameters, reflections, scale)
    ends: list[End] = []
    for number, flat in enumerate(_starts(problem, key, starts, spread)):
        ends.append(descend(problem, flat, steps))
        if callback is not None:
            callback(number, ends[-1].chi_square)
    return _refined(problem, ends)


def _starts(problem: Problem, key: PRNGKeyArray, starts: int, spread: Any) -> list[Array]:
    """The given parameters, then normally distributed ones around them."""
    if starts < 1 or (starts > 1 and spread is None):
        raise ValueError(f"refine needs a start, and a spread for several, received starts={starts}")
    widths = jnp.zeros_like(problem.first) if spread is None else problem.flat(spread)
    keys = [jax.random.fold_in(key, number) for number in range(1, starts)]
    drawn = [jax.random.normal(k, problem.first.shape, problem.first.dtype) for k in keys]
    return [problem.first, *(problem.first + widths * one for one in drawn)]


def _refined(problem: Problem, ends: list[End]) -> Refinement:
    """The lowest of the minima, with its errors and R-factors."""
    chi_squares = np.array([end.chi_square for end in ends])
    best = ends[int(np.argmin(chi_squares))]
    covariance, errors = curvature(problem.solver, best.numbers, problem.data)
    flat, scale = problem.split(best.numbers)
    model, scatterers = problem.model(flat)
    calculated = scale * np.asarray(problem.squares(flat), np.float64)
    measured = problem.reflections
    r_factor, weighted_r = r_factors(measured.intensities, measured.sigmas, calculated)
    return Refinement(
        parameters=problem.parameters(flat),
        errors=problem.unravel(jnp.asarray(errors[: len(flat)], flat.dtype)),
        model=model,
        scatterers=scatterers,
        scale=scale,
        calculated=calculated,
        covariance=covariance,
        names=problem.names,
        r_factor=r_factor,
        weighted_r=weighted_r,
        goodness=float(np.sqrt(best.chi_square / max(problem.rows - len(problem.names), 1))),
        chi_squares=chi_squares,
        converged=np.array([end.converged for end in ends]),
        steps=np.array([end.steps for end in ends]),
    )
