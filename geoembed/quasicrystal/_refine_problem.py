"""The least squares of a refinement: measured intensities and wave vectors beside those of flat parameters."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from ..core import InputError, is_parameter
from ..train import LevenbergMarquardt, Rows
from ._diffraction import structure_factor, wave_vectors
from ._model import Model
from ._refine_errors import names_of
from ._scatterers import Scatterers

Build = Callable[[Any], tuple[Model, Scatterers]]


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


class Problem:
    """χ² = Σ (I − k |F(h)|²)² / σ² + Σ |Q∥ − Q∥(h)|² / σ² over flat parameters and, if it is refined, log k.

    Args:
        build: Makes a model and its scatterers of the parameters.
        parameters: A pytree; its jax arrays are refined.
        reflections: What was measured.
        scale: k, or None if it is refined.

    Raises:
        InputError: The reflections are fewer than the numbers, not finite, or have sigmas that are not positive.
        ValueError: The parameters hold no jax array.
    """

    def __init__(self, build: Build, parameters: Any, reflections: Reflections, scale: float | None):
        self._trained, self._rest = eqx.partition(parameters, is_parameter)
        self.first, self.unravel = ravel_pytree(self._trained)
        if self.first.size == 0:
            raise ValueError("refine needs parameters that are jax arrays")
        check_reflections(reflections, self.first.size + (scale is None))
        self.reflections, self._build, self._scale = reflections, build, scale
        self.names = names_of(self._trained) + (("log scale",) if scale is None else ())
        dtype = self.first.dtype
        self._h, intensities, self._sigmas = (np.asarray(x, dtype) for x in reflections[:3])
        items: tuple[np.ndarray, ...] = (self._h, intensities)
        self.rows = len(intensities)
        if reflections.q is not None and reflections.q_sigmas is not None:
            q = np.asarray(reflections.q, dtype)
            items += (q, self._sigmas / np.asarray(reflections.q_sigmas, dtype))
            self.rows += q.size
        self.data = Rows(items, 1.0 / self._sigmas)
        self._squares = jax.jit(self._square)
        # what is no jax array is a constant of the solver
        logarithm = jnp.zeros((), dtype) if scale is None else np.asarray(np.log(scale), dtype)
        self.solver = LevenbergMarquardt([self._row], (self.first, logarithm), mixed=False)

    def parameters(self, flat: Float[Array, " k"]) -> Any:
        """The pytree that `build` takes."""
        return eqx.combine(self.unravel(flat), self._rest)

    def model(self, flat: Float[Array, " k"]) -> tuple[Model, Scatterers]:
        """What `build` makes of flat parameters."""
        return self._build(self.parameters(flat))

    def flat(self, spread: Any) -> Float[Array, " k"]:
        """Standard deviations of the parameters, in their order.

        Raises:
            ValueError: They have another structure or other shapes.
        """
        if jax.tree.map(np.shape, spread) != jax.tree.map(np.shape, self._trained):
            raise ValueError("refine needs a spread of the structure and shapes of the parameters")
        return ravel_pytree(spread)[0].astype(self.first.dtype)

    def squares(self, flat: Float[Array, " k"]) -> Float[Array, " n"]:
        """|F|² of every reflection."""
        return self._squares(flat, jnp.asarray(self._h))

    def numbers(self, flat: Float[Array, " k"]) -> Float[Array, " p"]:
        """All numbers that are refined: the parameters, and the logarithm of the scale that fits them best."""
        if self._scale is not None:
            return flat
        best = _best_scale(np.asarray(self.squares(flat)), np.asarray(self.data.items[1]), self._sigmas)
        return jnp.append(flat, jnp.asarray(np.log(best), flat.dtype))

    def split(self, numbers: Float[Array, " p"]) -> tuple[Float[Array, " k"], float]:
        """The flat parameters and the scale."""
        if self._scale is not None:
            return numbers, float(self._scale)
        return numbers[:-1], float(np.exp(numbers[-1]))

    def _square(self, flat: Array, h: Array) -> Array:
        model, scatterers = self.model(flat)
        factor = structure_factor(model, h, scatterers)
        return factor.real**2 + factor.imag**2

    def _row(self, numbers: tuple[Array, Any], item: tuple[Array, ...]) -> Array:
        """The residuals of one reflection, in the unit of its intensity."""
        flat, logarithm = numbers
        h, intensity, *measured = item
        scale = jnp.exp(jnp.asarray(logarithm, flat.dtype))
        off = jnp.atleast_1d(scale * self._square(flat, h) - intensity)
        if not measured:
            return off
        q, ratio = measured
        along, _ = wave_vectors(self.model(flat)[0], h)
        return jnp.concatenate([off, ratio * (along - q)])


def _best_scale(squares: np.ndarray, intensities: np.ndarray, sigmas: np.ndarray) -> float:
    """The scale k that minimises χ² for given |F|²."""
    weights = 1.0 / sigmas.astype(float) ** 2
    k = float(np.sum(weights * intensities * squares) / np.sum(weights * squares.astype(float) ** 2))
    return k if k > 0 else float(np.abs(intensities).sum() / squares.sum())


def check_reflections(reflections: Reflections, numbers: int) -> None:
    """Refuses reflections that cannot determine so many numbers.

    Raises:
        InputError: They are too few, one is not finite, or a sigma is missing or not positive.
    """
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
        where = f"reflection {int(np.argmax(bad))}"
        raise InputError("reflections", where, reason, "Leave out reflections without an error")
