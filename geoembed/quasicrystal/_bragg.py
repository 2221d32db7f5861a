"""Lists of Bragg reflections."""

import itertools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from ..core import register
from ._cut_enumerate import enumerate_surface
from ._diffraction import structure_factor, wave_vectors
from ._frames import decimals, frame
from ._model import Model
from ._region import Placed, Region
from ._scatterers import Scatterers
from ._window_ball import Ball


@register
class Bragg(eqx.Module):
    """Reflections, the strongest first.

    Args:
        indices: h; fractions occur where surfaces sit on cosets.
        q: The wave vectors Q∥, in radians per unit of length.
        q_perp: The wave vectors Q⊥, in radians per lattice constant.
        factors: The structure factors F per atom.
    """

    indices: Float[Array, "n D"]
    q: Float[Array, "n d"]
    q_perp: Float[Array, "n m"]
    factors: Complex[Array, " n"]

    @property
    def intensities(self) -> Float[Array, " n"]:
        """|F|²; 1 for Q∥ = 0 and amplitudes of 1."""
        return self.factors.real**2 + self.factors.imag**2

    def __len__(self) -> int:
        return len(self.indices)


def bragg(
    model: Model,
    *,
    q_max: float,
    q_perp_max: float,
    least: float = 0.0,
    amplitudes: Scatterers | Float[Array, " n_surfaces"] | None = None,
) -> Bragg:
    """All reflections with |Q∥| ≤ q_max and |Q⊥| ≤ q_perp_max.

    Reflections are dense: the cut-off in perpendicular space leaves finitely many, those that can be strong. It runs on
    the host; to differentiate, call `structure_factor` with the indices.

    Args:
        model: The quasicrystal, not traced.
        q_max: In radians per unit of length.
        q_perp_max: In radians per lattice constant.
        least: The smallest |F|² that is listed.
        amplitudes: The scattering amplitude of each surface, which may depend on the wave vector; 1 by default.

    Raises:
        ValueError: A cut-off is not positive, or the surfaces sit on cosets of different kinds.

    Example:
        >>> from geoembed.quasicrystal import bragg, fibonacci
        >>> len(bragg(fibonacci(), q_max=5.0, q_perp_max=3.0, least=0.4))
        3
    """
    if not (q_max > 0 and q_perp_max > 0):
        raise ValueError(f"bragg needs positive cut-offs, received {q_max} and {q_perp_max}")
    d, m = model.lattice.dimensions
    along, across = (2.0 * np.pi * np.asarray(part, np.float64) for part in model.lattice.reciprocal())
    region = Region(np.full(d, float(q_max)), float(q_max))
    window = eqx.tree_at(lambda ball: ball.radius, Ball(jnp.zeros(()), m), np.asarray(q_perp_max, np.float64))
    found = []
    for fraction in _fractions(model):
        dual = Placed(
            window=window,
            coset=None,
            margin=0.0,
            parallel=along,
            perpendicular=across,
            position=fraction,
            shift=np.zeros(m),
            exact=(decimals(along), decimals(across)),
        )
        found.append(enumerate_surface(dual, region)[0] + fraction)
    dtype = model.lattice.parallel.dtype
    indices = np.concatenate(found)
    factors = np.asarray(_structure_factor(model, jnp.asarray(indices, dtype), amplitudes))
    order = np.argsort(-np.round(np.abs(factors), 6), kind="stable")
    order = order[np.abs(factors[order]) ** 2 >= least]
    chosen = jnp.asarray(indices[order], dtype)
    q, q_perp = wave_vectors(model, chosen)
    return Bragg(chosen, q, q_perp, jnp.asarray(factors[order], factors.dtype))


_structure_factor = eqx.filter_jit(structure_factor)


def _fractions(model: Model) -> np.ndarray:
    """The fractional indices of the lattice dual to that of the cosets, one for each class modulo whole ones."""
    dimension = sum(model.lattice.dimensions)
    cosets = {(s.coset.rows, s.coset.modulus) if s.coset else None for s in model.surfaces}
    if len(cosets) != 1:
        raise ValueError(
            "bragg needs surfaces on all of the lattice, or all on cosets of the same rows and modulus"
        )
    (kind,) = cosets
    if kind is None:
        return np.zeros((1, dimension))
    rows, modulus = np.array(kind[0]), kind[1]
    steps = np.array(list(itertools.product(range(modulus), repeat=len(rows))))
    return np.unique(steps @ rows % modulus, axis=0) / modulus


def cahn_indices(indices: Int[Array, "*n 6"]) -> tuple[Int[Array, "*n"], Int[Array, "*n"]]:
    """N and M of icosahedral reflections: Q∥² ∝ N + M τ and Q⊥² ∝ τ (N τ − M).

    N is twice the sum of the squared indices.

    Args:
        indices: Six indices, of the lattice of `icosahedral`.

    Returns:
        N and M.

    Example:
        >>> import jax.numpy as jnp
        >>> [int(i) for i in cahn_indices(jnp.array([2, 1, 1, -1, 1, 1]))]
        [18, 29]

    References:
        J. W. Cahn, D. Shechtman, D. Gratias, J. Mater. Res. 1, 13–26 (1986), section III.
    """
    pairs = indices @ jnp.asarray(frame("icosahedral").integers.T, indices.dtype)
    a, b = pairs[..., ::2], pairs[..., 1::2]
    return jnp.sum(a**2 + b**2, axis=-1), jnp.sum(2 * a * b + b**2, axis=-1)
