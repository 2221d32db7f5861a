"""Numbers that tell a structure from its mirror image."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..check import GROUPS, pseudoscalar
from ..core import Property, register
from ._batch import Batch
from ._coupling import clebsch_gordan
from ._interaction import split
from ._mace import Mace
from ._molecule import example_molecules, molecule, over_molecule
from ._reduce import over_structures
from ._soap import SoapPowerSpectrum

Triple = tuple[int, int, int]


@register
class Chirality(eqx.Module):
    """Pseudoscalars: unchanged by motions and turns, and with the opposite sign for the mirror image.

    Every atom has features of each degree, one for each channel of `source`: vectors v of degree 1, and so on. An
    output is the triple product of three mixtures of the vectors,

        q_k = a_k · (b_k × c_k),   (a_k, b_k, c_k) = (A v, B v, C v)_k,

    or that of three mixtures of other degrees whose sum is odd, by Clebsch and Gordan's coefficients. Added up over
    a structure they are 0 when it equals its mirror image, up to the rounding of the sum: on the mirror they are 0, and
    atoms on its two sides have opposite numbers. Mirrored at a coordinate plane, a structure's numbers change
    sign bit for bit where the source is a `SoapPowerSpectrum`.

    The converse does not hold: 0 does not prove that a structure is its own mirror image. A continuous pseudoscalar
    must be 0 somewhere between a structure of five atoms or more and its mirror image, also on ways past no structure
    that is its own mirror image; several outputs are 0 together on fewer. And each triple of degrees has its blind
    spots: (1, 1, 1) is 0 for atoms with fewer than three neighbours in reach, and for those on an axis of symmetry,
    as in a helix of one element; there (1, 2, 2) sees it.

    Args:
        source: The features are its density (`SoapPowerSpectrum`), or those behind all layers but the last (`Mace`
            with two layers or more).
        outputs: How many pseudoscalars of each triple of degrees.
        degrees: Triples of degrees with an odd sum, each at most the sum of the two others.
        key: Random key of the mixtures, which can be trained.

    Raises:
        ValueError: The source has no features of these degrees, or fewer than three channels, degrees do not make
            a pseudoscalar, or `outputs` is not positive.

    References:
        Harris, Kamien, Lubensky, "Molecular chirality and chiral parameters", Rev. Mod. Phys. 71, 1745 (1999):
        pseudoscalars, and why none of them is 0 for achiral structures only.

    Example:
        >>> from geoembed.atoms import GaussianBasis
        >>> soap = SoapPowerSpectrum((1, 6, 9, 17, 35), GaussianBasis(3.0, 3), max_ell=1)
        >>> chirality = Chirality(soap, outputs=2, key=jax.random.key(0))
        >>> corners = jnp.array([[0.0, 0, 0], [0.6, 0.6, 0.6], [0.8, -0.8, -0.8], [-1, 1, -1], [-1.1, -1.1, 1.1]])
        >>> numbers = jnp.array([6, 1, 9, 17, 35])
        >>> hand = jax.jit(lambda points: chirality(points, numbers).sum(0))
        >>> right, left = (hand(points) for points in (corners, -corners))
        >>> bool(jnp.all(right == -left)), bool(jnp.all(jnp.abs(right) > 1e-4))
        (True, True)
    """

    source: Mace | SoapPowerSpectrum
    mixtures: Float[Array, "triples channels 3 outputs"]
    degrees: tuple[Triple, ...] = eqx.field(static=True)

    def __init__(
        self,
        source: Mace | SoapPowerSpectrum,
        *,
        outputs: int = 4,
        degrees: tuple[Triple, ...] = ((1, 1, 1),),
        key: PRNGKeyArray,
    ):
        if outputs < 1:
            raise ValueError(f"outputs must be positive, received {outputs}")
        channels, max_ell = _size(source)
        _check_degrees(degrees, max_ell)
        if channels < 3:
            raise ValueError(f"a triple product needs three channels of features, the source has {channels}")
        self.source = source
        shape = (len(degrees), channels, 3, outputs)
        self.mixtures = jax.random.normal(key, shape) / math.sqrt(channels)
        self.degrees = tuple(degrees)

    def __call__(
        self, positions: Float[Array, "atoms 3"], numbers: Int[Array, " atoms"]
    ) -> Float[Array, "atoms outputs"]:
        """The pseudoscalars of each atom of a molecule without a cell; all pairs are looked at, O(atoms²).

        Args:
            positions: Å.
            numbers: Atomic numbers; NaN comes out for what the source does not know.

        Returns:
            `outputs` numbers for each triple of degrees, of each atom; their sum over the atoms is the molecule's.
            Twice continuously differentiable, also where a pair crosses the cutoff.
        """
        if isinstance(self.source, SoapPowerSpectrum):
            row = jnp.arange(numbers.shape[0])
            return self.of_atoms(molecule(positions, numbers, row, self.cutoff))
        return over_molecule(self.of_atoms, self.source.elements, self.cutoff, positions, numbers)

    def of_atoms(self, batch: Batch) -> Float[Array, "atoms outputs"]:
        """The pseudoscalars of each atom of a batch; without meaning for padding."""
        blocks = self._features(batch)
        triples = zip(self.degrees, self.mixtures.astype(blocks[0].dtype), strict=True)
        return jnp.concatenate([_triple_product(blocks, *triple) for triple in triples], axis=1)

    def of_structures(self, batch: Batch, *, reduce: str = "sum") -> Float[Array, "structures outputs"]:
        """The sum or the mean of the pseudoscalars of a structure's atoms; 0 for padding.

        Args:
            batch: Structures with or without cells.
            reduce: "sum" or "mean".

        Raises:
            ValueError: `reduce` is another word.
        """
        return over_structures(batch, self.of_atoms(batch), reduce)

    def _features(self, batch: Batch) -> tuple[Float[Array, "atoms _ channels"], ...]:
        """The source's, degree by degree."""
        if isinstance(self.source, SoapPowerSpectrum):
            return split(self.source.density(batch))
        return split(jnp.concatenate(self.source(batch)[:-1], axis=-1))

    def __hash__(self) -> int:
        return hash((type(self), self.mixtures.shape, self.cutoff))  # lets `jax.jit(chirality)` work

    @property
    def cutoff(self) -> float:
        """Up to which distance atoms are neighbours, Å."""
        return self.source.cutoff

    @property
    def numbers(self) -> Int[np.ndarray, " capacity"]:
        """The atomic numbers that it knows; 0 where a row of a table is free."""
        known = (
            self.source.numbers
            if isinstance(self.source, SoapPowerSpectrum)
            else self.source.elements.numbers
        )
        return np.asarray(known)

    def examples(
        self, count: int, *, key: PRNGKeyArray
    ) -> list[tuple[Float[Array, "atoms 3"], Int[Array, " atoms"]]]:
        """Molecules of four atoms, about 1 Å apart or more, of elements that the source knows."""
        return example_molecules(count, self.numbers[self.numbers > 0], key=key)

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`."""
        apart = "atoms at different places, weights of order 1"
        return (
            Property("equivariant", "E(3)", pseudoscalar, domain=apart),
            Property("equivariant", GROUPS["permutations"].moving(0, 1), domain=apart),
            Property("smooth", constant=2, domain=apart),
        )


def _triple_product(
    blocks: tuple[Float[Array, "atoms _ channels"], ...],
    degrees: Triple,
    mixtures: Float[Array, "channels 3 outputs"],
) -> Float[Array, "atoms outputs"]:
    """The invariant coupling of three mixtures; of three vectors it is a · (b × c)."""
    a, b, c = (blocks[ell] @ mixtures[:, k] for k, ell in enumerate(degrees))
    table = jnp.asarray(math.sqrt(6.0) * clebsch_gordan(*degrees), a.dtype)
    return jnp.sum(a * jnp.einsum("ijk,njo,nko->nio", table, b, c), axis=1)


def _size(source: Mace | SoapPowerSpectrum) -> tuple[int, int]:
    """How many channels of features the source gives each atom, and up to which degree."""
    if isinstance(source, SoapPowerSpectrum):
        functions = jax.eval_shape(source.radial, jnp.ones(())).shape[-1]
        return len(source.numbers) * functions, source.max_ell
    layers = source.products[:-1]
    return source.channels * len(layers), min((len(layer.weights) - 1 for layer in layers), default=0)


def _check_degrees(degrees: tuple[Triple, ...], max_ell: int) -> None:
    for triple in degrees:
        if max(triple) > max_ell:
            reason = f"degrees {triple} need features of degree {max(triple)}, the source has up to {max_ell}"
            raise ValueError(f"{reason}: raise max_ell, or hidden_ell and the number of layers")
        if sum(triple) % 2 == 0 or 2 * max(triple) > sum(triple) or min(triple) < 0:
            raise ValueError(
                f"degrees {triple} make no pseudoscalar; expected for example (1, 1, 1) or (1, 2, 2)"
            )
    if not degrees:
        raise ValueError("degrees must have a triple or more, received none")
