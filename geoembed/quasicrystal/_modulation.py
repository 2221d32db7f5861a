"""Periodic functions of the phases of a modulation, and the atoms that they move and occupy."""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ._functions import as_pytree

Modulation = Callable[[Float[Array, " m"]], Array]


@register
class Harmonics(eqx.Module):
    """A periodic function of m phases v, in turns: c + Σₖ sₖ sin(2π k·v) + cₖ cos(2π k·v).

    Args:
        sines: The amplitudes sₖ: vectors for displacements, numbers for occupations.
        cosines: The amplitudes cₖ; 0 by default.
        waves: The whole multiples k of the phases; 1, 2, … of the first phase by default.
        mean: c; 0 by default.

    Raises:
        ValueError: There are not as many waves as amplitudes.

    Example:
        >>> import jax.numpy as jnp
        >>> wave = Harmonics(jnp.array([[0.1, 0.0, 0.0]]))
        >>> print(f"{wave(jnp.array([0.25]))[0]:.2f}")
        0.10
    """

    sines: Float[Array, "k *c"]
    cosines: Float[Array, "k *c"]
    mean: Float[Array, "*c"]
    waves: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def __init__(
        self,
        sines: Float[Array, "k *c"],
        cosines: Float[Array, "k *c"] | None = None,
        waves: Sequence[Sequence[int]] | None = None,
        mean: Float[Array, "*c"] | float | None = None,
    ):
        waves = [(k + 1,) for k in range(len(sines))] if waves is None else waves
        if len(waves) != len(sines):
            raise ValueError(
                f"Harmonics needs a wave for each amplitude, received {len(waves)} and {len(sines)}"
            )
        self.sines = sines
        self.cosines = jnp.zeros_like(sines) if cosines is None else cosines
        self.mean = jnp.zeros_like(sines[0]) if mean is None else jnp.asarray(mean, sines.dtype)
        self.waves = tuple(tuple(int(i) for i in wave) for wave in waves)

    def __call__(self, phases: Float[Array, " m"]) -> Float[Array, "*c"]:
        waves = np.zeros((len(self.waves), len(phases)))
        for row, wave in zip(waves, self.waves, strict=True):
            row[: len(wave)] = wave
        angles = 2.0 * np.pi * jnp.sum(jnp.asarray(waves, phases.dtype) * phases[None], axis=1)
        return (
            self.mean
            + jnp.tensordot(jnp.sin(angles), self.sines, 1)
            + jnp.tensordot(jnp.cos(angles), self.cosines, 1)
        )


@register
class ModulatedAtom(eqx.Module):
    """An atom of the basic cell with its modulation.

    Args:
        position: Its mean place, as shares of the cell vectors.
        displacement: How far it moves, as shares of the cell vectors [d]: a function of the m phases in turns, with
            period 1, that jax can trace. `Harmonics`, or a function or module of your own. None for 0.
        occupation: The chance that it is there, a function like the displacement with one number. None for 1.
        species: A number for its kind.
        crenel: The middle and the length, in turns, of the interval of phases where the atom is, for atoms that are
            there or not (block waves), with one wave vector. None for everywhere.
    """

    position: Float[Array, " d"]
    displacement: Modulation | None
    occupation: Modulation | None
    crenel: Float[Array, " 2"] | None
    species: int = eqx.field(static=True)

    def __init__(
        self,
        position: Float[Array, " d"],
        displacement: Modulation | None = None,
        occupation: Modulation | None = None,
        species: int = 0,
        crenel: Float[Array, " 2"] | None = None,
    ):
        self.position, self.species, self.crenel = position, species, crenel
        self.displacement = None if displacement is None else as_pytree(displacement)
        self.occupation = None if occupation is None else as_pytree(occupation)

    def displaced(self, phases: Float[Array, "n m"]) -> Float[Array, "n d"]:
        """The displacement at each row of phases."""
        if self.displacement is None:
            return jnp.zeros((len(phases), len(self.position)), self.position.dtype)
        return jax.vmap(self.displacement)(phases)

    def occupied(self, phases: Float[Array, "n m"]) -> Float[Array, " n"]:
        """The occupation at each row of phases, inside the crenel."""
        if self.occupation is None:
            return jnp.ones(len(phases), self.position.dtype)
        return jax.vmap(self.occupation)(phases)
