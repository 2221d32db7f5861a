"""The smooth overlap of atomic positions: the power spectrum of an atom's neighbourhood."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..check import GROUPS
from ..core import Property, register
from ._batch import Batch
from ._elements import SYMBOLS
from ._expansion import Radial, expand
from ._interaction import split
from ._molecule import example_molecules, molecule
from ._radial import GaussianBasis
from ._reduce import over_structures


@register
class SoapPowerSpectrum(eqx.Module):
    """Which pairs of neighbours an atom has, at which distances and angles: the classical baseline.

    The neighbours of each species z make a density, expanded in radial functions gₙ and harmonics,

        c_znlm(i) = Σ_j gₙ(r_ij) Y_lm(r̂_ij)  over the neighbours j of species z,

    and the spectrum is what of products of two is left after averaging over rotations:

        p_(zn)(z'n')l(i) = Σ_m c_znlm c_z'n'lm / √(2(2l+1)) = Σ_jk gₙ(r_ij) gₙ'(r_ik) √((2l+1)/2) P_l(cos θ_jik).

    Neighbours are points, not Gaussian functions: the radial functions decide the resolution. It knows distances and
    angles in threes of atoms and cannot tell a neighbourhood from its mirror image; see `Chirality` for that.
    The species of the atom itself does not enter.

    Args:
        numbers: The atomic numbers of the species, ascending.
        radial: The radial functions; None for six Gaussian functions up to `cutoff`.
        cutoff: Up to which distance atoms are neighbours, Å; for the default radial functions only.
        max_ell: The largest degree l.

    Raises:
        ValueError: The numbers are not atomic numbers in ascending order, or `max_ell` is negative.

    References:
        Bartók, Kondor, Csányi, "On representing chemical environments", Phys. Rev. B 87, 184115 (2013), eq. 32 to 36.

    Example:
        >>> water = jnp.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
        >>> soap = SoapPowerSpectrum((1, 8), GaussianBasis(3.0, 4), max_ell=2)
        >>> jax.jit(soap)(water, jnp.array([8, 1, 1])).shape
        (3, 108)
    """

    radial: Radial
    numbers: tuple[int, ...] = eqx.field(static=True)
    max_ell: int = eqx.field(static=True)

    def __init__(
        self,
        numbers: tuple[int, ...],
        radial: Radial | None = None,
        *,
        cutoff: float = 5.0,
        max_ell: int = 4,
    ):
        table = [int(number) for number in numbers]
        if not table or table != sorted(set(table)) or not 1 <= table[0] <= table[-1] <= len(SYMBOLS):
            raise ValueError(f"numbers must be atomic numbers in ascending order, received {table}")
        if max_ell < 0:
            raise ValueError(f"max_ell must be 0 or more, received {max_ell}")
        self.numbers = tuple(table)
        self.radial = GaussianBasis(cutoff, 6) if radial is None else radial
        self.max_ell = max_ell

    def __call__(
        self, positions: Float[Array, "atoms 3"], numbers: Int[Array, " atoms"]
    ) -> Float[Array, "atoms features"]:
        """The spectrum of each atom of a molecule without a cell; all pairs are looked at, O(atoms²).

        Args:
            positions: Å.
            numbers: Atomic numbers; NaN comes out within reach of a species that is not in the table.

        Returns:
            C(C+1)/2 numbers for each degree, of C = species × radial functions channels. Those of two different
            channels are multiplied by √2, so that the product of two spectra is the sum over all pairs of channels.
            Twice continuously differentiable, also where a pair crosses the cutoff.
        """
        return self.of_atoms(molecule(positions, numbers, jnp.arange(numbers.shape[0]), self.cutoff))

    def of_atoms(self, batch: Batch) -> Float[Array, "atoms features"]:
        """The spectrum of each atom of a batch; without meaning for padding."""
        blocks = split(self.density(batch))
        return jnp.concatenate([_spectrum(block) for block in blocks], axis=1)

    def of_structures(self, batch: Batch, *, reduce: str = "mean") -> Float[Array, "structures features"]:
        """The mean or the sum of the spectra of a structure's atoms; 0 for padding.

        Args:
            batch: Structures with or without cells.
            reduce: "mean" or "sum".

        Raises:
            ValueError: `reduce` is another word.
        """
        return over_structures(batch, self.of_atoms(batch), reduce)

    def density(self, batch: Batch) -> Float[Array, "atoms components channels"]:
        """The coefficients c: components of degree 0, 1, … by channels, species by species."""
        edges = expand(batch, self.radial, self.max_ell)
        near = self._species(batch)[batch.kind][batch.neighbours.index]
        radial = edges.spread(edges.radial)
        species = jnp.where(batch.neighbours.mask[..., None], near, 0.0).astype(radial.dtype)
        channels = species[..., :, None] * radial[..., None, :]
        flat = channels.reshape(*channels.shape[:2], math.prod(channels.shape[2:]))
        return jax.lax.dot_general(edges.harmonics, flat, (((1,), (1,)), ((0,), (0,))))

    def _species(self, batch: Batch) -> Float[Array, "kinds species"]:
        """1 where a kind is that species, else 0; NaN for kinds that are none of them, 0 for padding."""
        same = batch.kinds[:, None] == jnp.asarray(self.numbers, batch.kinds.dtype)[None]
        known = jnp.any(same, axis=1) | (batch.kinds == 0)
        return jnp.where(known[:, None], same.astype(batch.positions.dtype), jnp.nan)

    def __hash__(self) -> int:
        return hash((type(self), self.numbers, self.cutoff, self.max_ell))  # lets `jax.jit(soap)` work

    @property
    def cutoff(self) -> float:
        """Up to which distance atoms are neighbours, Å."""
        return self.radial.cutoff

    def examples(
        self, count: int, *, key: PRNGKeyArray
    ) -> list[tuple[Float[Array, "atoms 3"], Int[Array, " atoms"]]]:
        """Molecules of four atoms, about 1 Å apart or more, of these species."""
        return example_molecules(count, self.numbers, key=key)

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises; see `geoembed.check`."""
        apart = "atoms at different places"
        return (
            Property("invariant", "E(3)", domain=apart),
            Property("equivariant", GROUPS["permutations"].moving(0, 1), domain=apart),
            Property("smooth", constant=2, domain=apart),
        )


def _spectrum(block: Float[Array, "atoms m channels"]) -> Float[Array, "atoms pairs"]:
    """The products of one degree, each pair of channels once."""
    count = block.shape[2]
    first, second = np.triu_indices(count)
    every = jax.lax.dot_general(block, block, (((1,), (1,)), ((0,), (0,))))
    weight = np.where(first == second, 1.0, math.sqrt(2.0)) / math.sqrt(2.0 * block.shape[1])
    return every[:, first, second] * jnp.asarray(weight, block.dtype)[None]
