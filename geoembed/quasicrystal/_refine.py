"""Refinement of quasicrystals against measured intensities by least squares with exact gradients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..core import InputError, is_parameter
from ..train import LevenbergMarquardt, LMState, Rows
from ._diffraction import structure_factor, wave_vectors
from ._model import Model
from ._refine_errors import curvature, names_of, r_factors
from ._scatterers import Scatterers

Build = Callable[[Any], tuple[Model, Scatterers]]
_ALIKE = 1.0  # two starts found the same minimum where their χ² differ by less: one standard deviation
_STALLS = 6  # rejected steps, each with a hundred times the damping
_DAMPING = 1.0  # at first: far from a minimum undamped steps lead astray
_FLAT = 1e-7  # relative fall of χ² in a step


class Reflections(NamedTuple):
    """Measured Bragg intensities.

    Args:
        indices: h, as in `structure_factor`.
        intensities: In any unit, corrected for absorption, polarisation and the Lorentz factor; not averaged over
            reflections that only the symmetry of an unstrained model makes equal.
        sigmas: Their standard deviations, in the same unit.
        q: Measured wave vectors Q∥, in radians per unit of length. They determine the lattice constant, the strain and
            the phason strain, which moves reflections by −χᵀ Q⊥ and hardly changes their intensities.
        q_sigmas: The standard deviation of each component of q.
    """

    indices: Float[np.ndarray, "n D"] | Int[np.ndarray, "n D"]
    intensities: Float[np.ndarray, " n"]
    sigmas: Float[np.ndarray, " n"]
    q: Float[np.ndarray, "n d"] | None = None
    q_sigmas: Float[np.ndarray, " n"] | None = None


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
    trained = eqx.filter(parameters, is_parameter)
    first, unravel = ravel_pytree(trained)
    if starts < 1 or (starts > 1 and spread is None):
        raise ValueError(f"refine needs a start, and a spread for several, received starts={starts}")
    if first.size == 0:
        raise ValueError("refine needs parameters that are jax arrays")
    if spread is not None and jax.tree.map(np.shape, spread) != jax.tree.map(np.shape, trained):
        raise ValueError("refine needs a spread of the structure and shapes of the parameters")
    _check(reflections, first.size + (scale is None))
    indices, intensities, sigmas = (np.asarray(x, first.dtype) for x in reflections[:3])
    rest = eqx.filter(parameters, is_parameter, inverse=True)
    widths = jnp.zeros_like(first) if spread is None else ravel_pytree(spread)[0].astype(first.dtype)

    def parameters_of(flat: Array) -> Any:
        return eqx.combine(unravel(flat), rest)

    def square(flat: Array, h: Array) -> Array:
        model, scatterers = build(parameters_of(flat))
        factor = structure_factor(model, h, scatterers)
        return factor.real**2 + factor.imag**2

    def row(numbers: tuple[Array, Any], item: tuple[Array, ...]) -> Array:
        flat, logarithm = numbers
        h, intensity, *measured = item
        off = jnp.atleast_1d(jnp.exp(jnp.asarray(logarithm, flat.dtype)) * square(flat, h) - intensity)
        if not measured:
            return off
        q, ratio = measured
        along, _ = wave_vectors(build(parameters_of(flat))[0], h)
        return jnp.concatenate([off, ratio * (along - q)])

    squares = jax.jit(square)
    solver: LevenbergMarquardt | None = None
    items: tuple[np.ndarray, ...] = (indices, intensities)
    if reflections.q is not None and reflections.q_sigmas is not None:
        items += (
            np.asarray(reflections.q, first.dtype),
            sigmas / np.asarray(reflections.q_sigmas, first.dtype),
        )
    data = Rows(items, 1.0 / sigmas)
    ends: list[_End] = []
    for number in range(starts):
        flat = first
        if number > 0:
            flat = first + widths * jax.random.normal(
                jax.random.fold_in(key, number), first.shape, first.dtype
            )
        found = np.asarray(squares(flat, jnp.asarray(indices)))
        logarithm = np.log(scale if scale is not None else _scale(found, intensities, sigmas))
        known = np.asarray(logarithm, first.dtype)
        if solver is None:
            solver = LevenbergMarquardt(
                [row], (first, known if scale is not None else jnp.asarray(known)), mixed=False
            )
        whole = flat if scale is not None else jnp.append(flat, jnp.asarray(known))
        ends.append(_descend(solver, LMState(whole, _DAMPING), data, steps))
        if callback is not None:
            callback(number, ends[-1].chi_square)
    assert solver is not None
    best = ends[int(np.argmin([end.chi_square for end in ends]))]
    covariance, errors = curvature(solver, best.numbers, data)
    flat = best.numbers[: first.size]
    k = float(scale) if scale is not None else float(np.exp(best.numbers[-1]))
    calculated = k * np.asarray(squares(flat, jnp.asarray(indices)), np.float64)
    model, scatterers = build(parameters_of(flat))
    names = names_of(trained) + (("log scale",) if scale is None else ())
    r_factor, weighted_r = r_factors(reflections.intensities, reflections.sigmas, calculated)
    rows = len(intensities) + (items[2].size if len(items) > 2 else 0)
    return Refinement(
        parameters=parameters_of(flat),
        errors=unravel(jnp.asarray(errors[: first.size], first.dtype)),
        model=model,
        scatterers=scatterers,
        scale=k,
        calculated=calculated,
        covariance=covariance,
        names=names,
        r_factor=r_factor,
        weighted_r=weighted_r,
        goodness=float(np.sqrt(best.chi_square / max(rows - len(names), 1))),
        chi_squares=np.array([end.chi_square for end in ends]),
        converged=np.array([end.converged for end in ends]),
        steps=np.array([end.steps for end in ends]),
    )


class _End(NamedTuple):
    """Where a start ended."""

    numbers: Array
    chi_square: float
    converged: bool
    steps: int


def _descend(solver: LevenbergMarquardt, state: LMState, data: Rows, steps: int) -> _End:
    """Steps until χ² falls no more."""
    converged = False
    for _ in range(steps):
        before = state
        state = solver.step(state, [data])
        # `loss` is the one before a step, so the two tell what the step before achieved, if it was taken
        fell = before.stalled == 0 and state.stalled == 0
        flat = fell and before.loss - state.loss <= _FLAT * state.loss
        converged = flat or state.stalled >= _STALLS
        if converged:
            break
    numbers = jnp.asarray(state.parameters)
    chi_square = 2.0 * solver.loss(numbers, [data])
    return _End(numbers, chi_square, converged and bool(np.isfinite(chi_square)), state.iteration)


def _scale(squares: np.ndarray, intensities: np.ndarray, sigmas: np.ndarray) -> float:
    """The scale k that minimises χ² for given |F|²."""
    weights = 1.0 / sigmas.astype(float) ** 2
    k = float(np.sum(weights * intensities * squares) / np.sum(weights * squares.astype(float) ** 2))
    return k if k > 0 else float(np.abs(intensities).sum() / squares.sum())


def _check(reflections: Reflections, numbers: int) -> None:
    intensities, sigmas = (np.asarray(x, float) for x in reflections[1:3])
    if len(intensities) <= numbers:
        reason = f"there are {len(intensities)} reflections for {numbers} numbers"
        raise InputError("reflections", "", reason, "Measure more reflections or refine fewer numbers")
    bad = ~(np.isfinite(intensities) & np.isfinite(sigmas) & (sigmas > 0))
    if (reflections.q is None) != (reflections.q_sigmas is None):
        raise InputError("reflections", "", "of q and q_sigmas one is missing", "Give both or none")
    if reflections.q is not None and reflections.q_sigmas is not None:
        bad |= ~(np.isfinite(reflections.q).all(axis=1) & (reflections.q_sigmas > 0))
    if bad.any():
        reason = "a measured number is not finite or its sigma not positive"
        raise InputError(
            "reflections",
            f"reflection {int(np.argmax(bad))}",
            reason,
            "Leave out reflections without an error",
        )
