"""Incommensurately modulated crystals: slices of crystals in (d + m) dimensions whose atoms are wavy lines."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from ..core import register
from ._complex import as_complex, wave
from ._cut import Cut, perp_coordinates, positions
from ._diffraction import wave_vectors
from ._lattice import Lattice
from ._model import Model, Surface
from ._modulation import ModulatedAtom
from ._window_polytopes import Zonotope

# The ends of the interval of phases that counts every atom once: no phase of low indices falls on them.
_MIDDLE = 0.0123


@register
class ModulatedCrystal(eqx.Module):
    """A crystal whose atoms are displaced and occupied by periodic functions of the phases vₖ = qₖ·x + tₖ, in turns.

    The atom of cell n with the mean place r sits at x = A(n + r + u(v)) with v = σ(n + r) + t: the slice of a lattice
    in d + m dimensions whose perpendicular coordinates are the phases. Reflections have d + m indices:
    Q = 2π (h a* + m q).

    Args:
        cell: The cell vectors a, one a row, in any unit of length.
        wave_vectors: σ, the components of the modulation's wave vectors qₖ along the reciprocal vectors a*.
        atoms: The atoms of the basic cell.
        phases: t, in turns; 0 by default.

    Raises:
        ValueError: The shapes do not fit, there is no atom, or an atom has a crenel beside several wave vectors.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.quasicrystal import Harmonics, ModulatedAtom, ModulatedCrystal
        >>> atom = ModulatedAtom(jnp.zeros(1), Harmonics(jnp.array([[0.1]])))
        >>> crystal = ModulatedCrystal(jnp.array([[3.0]]), jnp.array([[0.618]]), [atom])
        >>> crystal.model().lattice.dimensions
        (1, 1)

    References:
        P. M. de Wolff, Acta Cryst. A 30, 777–785 (1974); T. Janssen, G. Chapuis, M. de Boissieu, Aperiodic Crystals,
            2nd ed. 2018, sections 1.2 and 2.2; S. van Smaalen, Incommensurate Crystallography, 2007, chapter 2.
    """

    cell: Float[Array, "d d"]
    wave_vectors: Float[Array, "m d"]
    atoms: tuple[ModulatedAtom, ...]
    phases: Float[Array, " m"]

    def __init__(
        self,
        cell: Float[Array, "d d"],
        wave_vectors: Float[Array, "m d"],
        atoms: Sequence[ModulatedAtom],
        phases: Float[Array, " m"] | None = None,
    ):
        if not atoms:
            raise ValueError("ModulatedCrystal needs at least one atom")
        if any(a.crenel is not None for a in atoms) and len(wave_vectors) != 1:
            raise ValueError(
                f"ModulatedCrystal has crenels for one wave vector only, received {len(wave_vectors)}: give the atom "
                "an occupation instead"
            )
        if any(a.position.shape != (len(cell),) for a in atoms):
            raise ValueError(
                f"ModulatedCrystal needs positions of {len(cell)} components, as the cell has vectors"
            )
        self.cell, self.wave_vectors, self.atoms = cell, wave_vectors, tuple(atoms)
        self.phases = jnp.zeros(len(wave_vectors), cell.dtype) if phases is None else phases

    def model(self) -> Model:
        """The mean structure as slice of a (d + m)-dimensional lattice: each atom has a cell of phases for its window.

        `cut`, `positions`, `perp_coordinates` (the phases, up to whole turns), `wave_vectors` and `bragg` take it.
        """
        d, m = len(self.cell), len(self.wave_vectors)
        dtype = self.cell.dtype
        lattice = Lattice(
            jnp.concatenate([self.cell.T, jnp.zeros((d, m), dtype)], axis=1),
            jnp.concatenate([self.wave_vectors, -jnp.eye(m, dtype=dtype)], axis=1),
        )
        return Model(lattice, [self._surface(atom) for atom in self.atoms], self.phases)

    def _surface(self, atom: ModulatedAtom) -> Surface:
        m, dtype = len(self.wave_vectors), self.cell.dtype
        window = Zonotope(jnp.eye(m, dtype=dtype), jnp.full(m, _MIDDLE, dtype))
        if atom.crenel is not None:
            window = Zonotope(atom.crenel[1:, None], atom.crenel[:1])
        return Surface(window, jnp.concatenate([atom.position, jnp.zeros(m, dtype)]), atom.species)


def modulated_points(crystal: ModulatedCrystal, cut: Cut) -> tuple[Float[Array, "n d"], Float[Array, " n"]]:
    """Where the atoms of a cut are, and their occupations; differentiable in all of the crystal.

    Args:
        crystal: The crystal.
        cut: A cut of `crystal.model()`, which says which atoms there are by their mean places.

    Returns:
        Positions, in the unit of the cell, and the chance that each atom is there.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.quasicrystal import Harmonics, ModulatedAtom, ModulatedCrystal, cut
        >>> atom = ModulatedAtom(jnp.zeros(1), Harmonics(jnp.array([[0.1]])))
        >>> crystal = ModulatedCrystal(jnp.array([[3.0]]), jnp.array([[0.25]]), [atom])
        >>> x, _ = modulated_points(crystal, cut(crystal.model(), box=4.0))
        >>> [f"{value:.1f}" for value in sorted(x[:, 0].tolist())]
        ['-3.3', '0.0', '3.3']
    """
    model = crystal.model()
    mean, phases = positions(model, cut), perp_coordinates(model, cut)
    stops = np.cumsum([0, *cut.counts]).tolist()
    moved, occupied = [], []
    for atom, a, b in zip(crystal.atoms, stops[:-1], stops[1:], strict=True):
        moved.append(mean[a:b] + atom.displaced(phases[a:b]) @ crystal.cell)
        occupied.append(atom.occupied(phases[a:b]))
    return jnp.concatenate(moved), jnp.concatenate(occupied)


def modulated_structure_factor(
    crystal: ModulatedCrystal,
    indices: Int[Array, "*n D"] | Float[Array, "*n D"],
    amplitudes: Float[Array, " n_atoms"] | None = None,
    *,
    nodes: int = 64,
) -> Complex[Array, "*n"]:
    """The amplitude of main reflections and satellites per atom, in the limit of infinitely many atoms.

    F(h, m) = lim 1/N Σ f p exp(i Q·x) = Σₐ fₐ exp(2πi (h·r − m·t)) ∫ p(v) exp(i Q·A u(v) + 2πi m·v) dv / Σₐ ∫ p(v) dv
    over a cell of phases, or over the crenel. For u = U sin 2πv the integral is J₋ₘ(2π H·U). The sum of the trapezoidal
    rule over the cell converges geometrically for smooth functions: it is exact up to rounding as soon as the number
    of nodes exceeds |m| plus about |Q·u| + 30; over crenels Gauss's rule is used. For displacements with steps the
    error falls as 1 / nodes. Differentiable in all of the crystal.

    Args:
        crystal: The crystal.
        indices: (h, m), d + m whole numbers for each reflection.
        amplitudes: f, the scattering amplitude of each atom of the basic cell; 1 by default.
        nodes: Of the rule, for each phase. Memory is O(reflections × nodesᵐ).

    Returns:
        F.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.quasicrystal import Harmonics, ModulatedAtom, ModulatedCrystal
        >>> atom = ModulatedAtom(jnp.zeros(1), Harmonics(jnp.array([[0.1]])))
        >>> crystal = ModulatedCrystal(jnp.array([[3.0]]), jnp.array([[0.5]]), [atom])
        >>> print(f"{modulated_structure_factor(crystal, jnp.array([1, 0])).real:.4f}")  # J₀(0.2 π)
        0.9037

    References:
        S. van Smaalen, Incommensurate Crystallography, 2007, section 2.5; V. Petříček, P. Coppens, P. Becker, Acta
            Cryst. A 41, 478–483 (1985); crenels: V. Petříček, A. van der Lee, M. Evain, Acta Cryst. A 51, 529–535
            (1995).
    """
    d, dtype = len(crystal.cell), crystal.cell.dtype
    h = indices.astype(dtype)
    satellite = h[..., d:]
    q, _ = wave_vectors(crystal.model(), indices)
    total, number = as_complex(jnp.zeros(h.shape[:-1], dtype)), jnp.zeros((), dtype)
    for a, atom in enumerate(crystal.atoms):
        phases, shares = _rule(atom, len(crystal.wave_vectors), nodes, dtype)
        shares = shares * atom.occupied(phases)
        turns = q @ (atom.displaced(phases) @ crystal.cell).T + 2.0 * np.pi * (satellite @ phases.T)
        integral = wave(turns) @ as_complex(shares)
        place = 2.0 * np.pi * (h[..., :d] @ atom.position - satellite @ crystal.phases)
        amplitude = jnp.ones((), dtype) if amplitudes is None else amplitudes[a]
        total = total + as_complex(amplitude) * wave(place) * integral
        number = number + jnp.sum(shares)
    return total / as_complex(number)


def _rule(
    atom: ModulatedAtom, m: int, nodes: int, dtype: jnp.dtype
) -> tuple[Float[Array, "k m"], Float[Array, " k"]]:
    """Phases and their shares: the trapezoidal rule of a cell, or Gauss's of a crenel."""
    if atom.crenel is not None:
        x, w = np.polynomial.legendre.leggauss(nodes)
        length = atom.crenel[1]
        phases = atom.crenel[0] + 0.5 * length * jnp.asarray(x, dtype)
        return phases[:, None], 0.5 * length * jnp.asarray(w, dtype)
    steps = np.arange(nodes) / nodes
    grid = np.stack(np.meshgrid(*[steps] * m, indexing="ij"), axis=-1).reshape(-1, m)
    return jnp.asarray(grid, dtype), jnp.full(len(grid), 1.0 / len(grid), dtype)
