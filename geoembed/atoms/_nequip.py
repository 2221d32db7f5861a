"""An encoder without products of messages: NequIP's."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import register
from ._batch import Batch
from ._cast import cast
from ._chebyshev import ChebyshevBasis
from ._distance_transform import AgnesiTransform, SoftTransform
from ._element_arrays import element_arrays
from ._element_embedding import ElementEmbedding
from ._expansion import expand
from ._gain import SILU_GAIN
from ._gated import GatedInteraction, Irrep, irreps_up_to, reached
from ._interaction import Species
from ._radial import BesselBasis, GaussianBasis


@register
class Nequip(eqx.Module):
    """Equivariant features of atoms from their neighbourhoods: NequIP's architecture over element vectors.

    Every layer sums messages from the neighbours, adds what the atom knew, and passes it through a gate. A message is
    the product of a neighbour's features and spherical harmonics: angles are seen from the second layer on,
    torsions from the third. Messages are not multiplied with each other as in `Mace`, so that a layer costs less
    and more layers are needed.

    With `odd`, features of both parities are kept for every degree: pseudoscalars, axial vectors and so on. Odd scalars
    change sign under inversion, and are 0 where an atom lies on a mirror plane of its neighbourhood. They take
    three layers to arise; `Pseudoscalars` gives them as descriptors. Without `odd` degree l has the parity (−1)ˡ
    only, as in `Mace`, whose products have these parities always.

    Args:
        elements: The element vectors; all that depends on the species is linear in them.
        cutoff: Up to which distance atoms are neighbours, Å.
        channels: Channels of every irrep.
        hidden_ell: Largest degree of the features between layers.
        max_ell: Largest degree of the spherical harmonics; more than twice `hidden_ell` has no effect.
        num_interactions: How many layers. The last one keeps degree 0 only.
        odd: Whether features of the parity −(−1)ˡ are kept too.
        radial: The radial functions; None for eight Bessel functions with the cutoff polynomial of power 5.
        transform: Of the distance, before the radial functions.
        radial_layers: Hidden units of the radial networks.
        average_neighbours: By the root of which sums over neighbours are divided: the average number in the data.
        gain: By which SiLU is multiplied.
        key: Random key of the weights.

    References:
        Batzner et al., Nature Communications 13, 2453 (2022), doi 10.1038/s41467-022-29939-5. There the energy is read
        from the last layer only, `MacePotential` reads it from all.

    Example:
        >>> elements = ElementEmbedding.one_hot([1, 8])
        >>> encoder = Nequip(elements, channels=4, hidden_ell=1, num_interactions=3, odd=True, key=jax.random.key(0))
        >>> encoder.irreps
        (((0, 1), (1, -1)), ((0, 1), (1, -1), (1, 1)), ((0, 1), (0, -1)))
    """

    elements: ElementEmbedding
    radial: BesselBasis | GaussianBasis | ChebyshevBasis
    transform: AgnesiTransform | SoftTransform | None
    embed: Float[Array, "size channels"]
    interactions: tuple[GatedInteraction, ...]
    max_ell: int = eqx.field(static=True)

    def __init__(
        self,
        elements: ElementEmbedding,
        *,
        cutoff: float = 5.0,
        channels: int = 32,
        hidden_ell: int = 1,
        max_ell: int = 3,
        num_interactions: int = 4,
        odd: bool = False,
        radial: BesselBasis | GaussianBasis | ChebyshevBasis | None = None,
        transform: AgnesiTransform | SoftTransform | None = None,
        radial_layers: tuple[int, ...] = (64, 64),
        average_neighbours: float = 20.0,
        gain: float = SILU_GAIN,
        key: PRNGKeyArray,
    ):
        first, *keys = jax.random.split(key, 1 + num_interactions)
        size = elements.vectors.shape[1]
        self.elements = elements
        self.radial = BesselBasis(cutoff) if radial is None else radial
        self.transform = transform
        self.embed = jax.random.normal(first, (size, channels))
        functions = jax.eval_shape(self.radial, jnp.ones(())).shape[-1]
        inputs, layers = ((0, 1),), []
        for k in range(num_interactions):
            wanted = irreps_up_to(hidden_ell if k < num_interactions - 1 else 0, odd=odd)
            layers.append(
                GatedInteraction(
                    channels,
                    inputs=inputs,
                    outputs=reached(inputs, max_ell, wanted),
                    max_ell=max_ell,
                    radial=functions,
                    radial_layers=radial_layers,
                    size=size,
                    average_neighbours=average_neighbours,
                    gain=gain,
                    key=keys[k],
                )
            )
            inputs = layers[-1].outputs
        self.interactions = tuple(layers)
        self.max_ell = max(l2 for layer in layers for _, l2, _ in layer.paths)

    @property
    def cutoff(self) -> float:
        """Up to which distance it looks at neighbours, Å."""
        return self.radial.cutoff

    @property
    def channels(self) -> int:
        """Channels of every irrep."""
        return self.embed.shape[1]

    @property
    def num_interactions(self) -> int:
        """How many layers there are."""
        return len(self.interactions)

    @property
    def irreps(self) -> tuple[tuple[Irrep, ...], ...]:
        """Degree and parity (1 or −1) of the features behind each layer, in their order; the even scalar is first."""
        return tuple(layer.outputs for layer in self.interactions)

    @property
    def by_element(self) -> tuple[Array, ...]:
        """The arrays that element vectors are multiplied with, along the first axis."""
        return tuple(jnp.moveaxis(array.values, array.axis, 0) for array in element_arrays(self))

    def __call__(self, batch: Batch) -> tuple[Float[Array, "atoms _ channels"], ...]:
        """The features behind each layer: the components of its `irreps` by channels."""
        model = cast(self, batch.positions.dtype)
        species = Species(model.elements(batch.kinds), batch.kind)
        edges = expand(batch, model.radial, model.max_ell, model.transform)
        features = [(species.vectors @ model.embed)[batch.kind][:, None]]
        for interaction in model.interactions:
            features.append(interaction(features[-1], species, edges))
        return tuple(features[1:])
