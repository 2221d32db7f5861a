"""An encoder of atoms in their neighbourhoods, and the potential on top of it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int, PRNGKeyArray

from ..core import register
from ._batch import Batch
from ._cast import cast
from ._chebyshev import ChebyshevBasis
from ._distance_transform import AgnesiTransform, SoftTransform
from ._element_arrays import element_arrays
from ._element_embedding import ElementEmbedding
from ._expansion import expand
from ._gain import SILU_GAIN
from ._interaction import Interaction, Species
from ._nequip import Nequip
from ._product import Couplings, Product
from ._radial import BesselBasis, GaussianBasis
from ._readout import LinearReadout, NonlinearReadout
from ._repulsion import Repulsion


@register
class Mace(eqx.Module):
    """Equivariant features of atoms from their neighbourhoods: MACE's architecture over element vectors.

    Every layer sums messages from the neighbours and takes products of up to `correlation` of them, so that one
    layer sees angles and torsions, and two see neighbours of neighbours. The last layer keeps degree 0 only.

    Args:
        elements: The element vectors; all that depends on the species is linear in them.
        cutoff: Up to which distance atoms are neighbours, Å.
        channels: Channels of features and messages.
        hidden_ell: Largest degree of the features between layers (MACE: max_L).
        max_ell: Largest degree of the spherical harmonics.
        correlation: How many messages are multiplied at most, 1 to 4.
        num_interactions: How many layers.
        radial: The radial functions; None for eight Bessel functions with the cutoff polynomial of power 5.
        transform: Of the distance, before the radial functions.
        radial_layers: Hidden units of the radial networks.
        average_neighbours: By which sums over neighbours are divided: the average number in the data.
        residual_first: Whether the first layer has a skip connection too.
        couplings: The basis of products, see `Product`.
        pair_weights: Whether radial functions depend on the elements of both atoms; those of MACE do not. Then each
            channel of a message is multiplied by a function of the neighbour's vector before the sum and by one of the
            atom's own behind it, both 1 at the start.
        gain: By which the SiLU of the radial networks is multiplied.
        key: Random key of the weights.

    References:
        Batatia, Kovács, Simm, Ortner, Csányi, "MACE: Higher order equivariant message passing neural networks for
        fast and accurate force fields", NeurIPS 2022.
    """

    elements: ElementEmbedding
    radial: BesselBasis | GaussianBasis | ChebyshevBasis
    transform: AgnesiTransform | SoftTransform | None
    embed: Float[Array, "size channels"]
    interactions: tuple[Interaction, ...]
    products: tuple[Product, ...]
    max_ell: int = eqx.field(static=True)

    def __init__(
        self,
        elements: ElementEmbedding,
        *,
        cutoff: float = 5.0,
        channels: int = 32,
        hidden_ell: int = 1,
        max_ell: int = 3,
        correlation: int = 3,
        num_interactions: int = 2,
        radial: BesselBasis | GaussianBasis | ChebyshevBasis | None = None,
        transform: AgnesiTransform | SoftTransform | None = None,
        radial_layers: tuple[int, ...] = (64, 64, 64),
        average_neighbours: float = 20.0,
        residual_first: bool = True,
        couplings: Couplings = "independent",
        pair_weights: bool = False,
        gain: float = SILU_GAIN,
        key: PRNGKeyArray,
    ):
        first, *keys = jax.random.split(key, 1 + 2 * num_interactions)
        size = elements.vectors.shape[1]
        self.elements = elements
        self.radial = BesselBasis(cutoff) if radial is None else radial
        self.transform = transform
        self.embed = jax.random.normal(first, (size, channels))
        self.max_ell = max_ell
        functions = jax.eval_shape(self.radial, jnp.ones(())).shape[-1]
        ells = [0, *[hidden_ell] * (num_interactions - 1), 0]
        self.interactions = tuple(
            Interaction(
                channels,
                input_ell=ells[k],
                output_ell=ells[k + 1],
                max_ell=max_ell,
                radial=functions,
                radial_layers=radial_layers,
                size=size,
                average_neighbours=average_neighbours,
                residual=residual_first or k > 0,
                pairs=pair_weights,
                gain=gain,
                key=keys[2 * k],
            )
            for k in range(num_interactions)
        )
        self.products = tuple(
            Product(
                channels,
                max_ell=max_ell,
                output_ell=ells[k + 1],
                correlation=correlation,
                size=size,
                couplings=couplings,
                key=keys[2 * k + 1],
            )
            for k in range(num_interactions)
        )

    @property
    def cutoff(self) -> float:
        """Up to which distance it looks at neighbours, Å."""
        return self.radial.cutoff

    @property
    def channels(self) -> int:
        """Channels of features and messages."""
        return self.embed.shape[1]

    @property
    def num_interactions(self) -> int:
        """How many layers there are."""
        return len(self.interactions)

    @property
    def by_element(self) -> tuple[Array, ...]:
        """The arrays that element vectors are multiplied with, along the first axis."""
        return tuple(jnp.moveaxis(array.values, array.axis, 0) for array in element_arrays(self))

    def __call__(self, batch: Batch) -> tuple[Float[Array, "atoms _ channels"], ...]:
        """The features behind each layer: components of degree 0, 1, … by channels."""
        model = cast(self, batch.positions.dtype)
        species = Species(model.elements(batch.kinds), batch.kind)
        edges = expand(batch, model.radial, model.max_ell, model.transform)
        features = []
        for k, (interaction, product) in enumerate(zip(model.interactions, model.products, strict=True)):
            if k == 0:
                messages, skip = interaction.first(species.vectors @ model.embed, species, edges)
            else:
                messages, skip = interaction(features[-1], species, edges)
            features.append(product(messages, species, skip, reverse_only=edges.halves is not None))
        return tuple(features)


Encoder = Mace | Nequip


@register
class MacePotential(eqx.Module):
    """The energy of every atom: E₀(z) + scale · (Σ readouts of the layers + repulsion) + shift.

    Args:
        encoder: Makes the features: `Mace` or `Nequip`.
        energies: E₀, the energy of a free atom for each row of the encoder's element table, eV; None for zeros.
        scale: eV.
        shift: eV.
        hidden: Hidden units of the last readout; with one layer the readout is linear.
        repulsion: Between atoms that nearly touch; None for none.
        gain: By which its SiLU is multiplied.
        key: Random key of the readouts.
    """

    encoder: Encoder
    readouts: tuple[LinearReadout | NonlinearReadout | None, ...]
    energies: Float[Array, " capacity"]
    scale: Float[Array, ""]
    shift: Float[Array, ""]
    repulsion: Repulsion | None

    def __init__(
        self,
        encoder: Encoder,
        *,
        energies: Float[Array, " capacity"] | None = None,
        scale: float = 1.0,
        shift: float = 0.0,
        hidden: int = 16,
        gain: float = SILU_GAIN,
        repulsion: Repulsion | None = None,
        key: PRNGKeyArray,
    ):
        *keys, last = jax.random.split(key, encoder.num_interactions)
        self.encoder = encoder
        linear = tuple(LinearReadout(encoder.channels, key=k) for k in keys or [last])
        deep = (NonlinearReadout(encoder.channels, hidden, gain=gain, key=last),) if keys else ()
        self.readouts = (*linear, *deep)
        capacity = encoder.elements.numbers.shape[0]
        self.energies = jnp.zeros(capacity) if energies is None else jnp.asarray(energies)
        self.scale = jnp.asarray(float(scale))
        self.shift = jnp.asarray(float(shift))
        self.repulsion = repulsion

    @property
    def cutoff(self) -> float:
        """Up to which distance it looks at neighbours, Å."""
        return self.encoder.cutoff

    @property
    def numbers(self) -> Int[np.ndarray, " capacity"]:
        """The atomic numbers that it knows; 0 where a row of the table is free."""
        return np.asarray(self.encoder.elements.numbers)

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]:
        """The energies of the atoms, eV; without meaning for padding."""
        energies = cast(self.energies, batch.positions.dtype)
        return self.encoder.elements.take(energies, batch.kinds)[batch.kind] + self.interaction(batch)

    def interaction(self, batch: Batch) -> Float[Array, " atoms"]:
        """The energies of the atoms without E₀, which float32 cannot hold beside the rest; eV."""
        features = self.encoder(batch)
        readouts, scale, shift = cast((self.readouts, self.scale, self.shift), batch.positions.dtype)
        pairs = zip(readouts, features, strict=True)
        parts = [readout(h) for readout, h in pairs if readout is not None]
        if self.repulsion is not None:
            parts.append(self.repulsion(batch))
        return scale * sum(parts[1:], parts[0]) + shift

    def isolated(self, numbers: Int[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """E₀ of atoms by their atomic numbers, on the host, eV."""
        table = dict(zip(self.numbers.tolist(), np.asarray(self.energies, np.float64).tolist(), strict=True))
        return np.array([table[number] for number in numbers.tolist()])
