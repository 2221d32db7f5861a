"""What an atom learns from its neighbours: messages summed over them."""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..core import register
from ._gain import SILU_GAIN
from ._gather import at_neighbours
from ._messages import Edges, Path, hidden_units, sums_by_path
from ._normals import normals


class Species(eqx.Module):
    """The kinds of atoms of a batch.

    Args:
        vectors: The element vector of each kind.
        kind: The kind of each atom.
    """

    vectors: Float[Array, "kinds size"]
    kind: Int[Array, " atoms"]

    def mix(self, x: Float[Array, "atoms components channels"], weight: Array) -> Array:
        """x W(z) with W(z) = Σ_d v_d(z) W[:, d, :]: as many products as there are kinds, one of them kept."""
        by_kind = jnp.einsum("zd,cdk->zck", self.vectors, weight)
        every = jnp.einsum("nmc,zck->nmzk", x, by_kind)
        return jnp.einsum("nmzk,nz->nmk", every, self.one_hot(x.dtype))

    def one_hot(self, dtype: jnp.dtype) -> Float[Array, "atoms kinds"]:
        """1 for the kind of each atom, else 0."""
        return jax.nn.one_hot(self.kind, self.vectors.shape[0], dtype=dtype)


def coupling_paths(input_ell: int, edge_ell: int, output_ell: int) -> tuple[Path, ...]:
    """All (l₁, l₂, l₃) by which features of degree l₁ and harmonics of degree l₂ make messages of degree l₃.

    Only those that keep the parity (−1)ˡ; ordered by l₃, then l₁, then l₂.
    """
    found = [
        (l1, l2, l3)
        for l1 in range(input_ell + 1)
        for l2 in range(edge_ell + 1)
        for l3 in range(abs(l1 - l2), min(l1 + l2, output_ell) + 1)
        if (l1 + l2 + l3) % 2 == 0
    ]
    return tuple(sorted(found, key=lambda path: path[2]))


@register
class Interaction(eqx.Module):
    """Messages from neighbours, A = Σⱼ R(rⱼ) h(j) ⊗ Y(r̂ⱼ), mixed over channels.

    The product of features h and harmonics Y is coupled along every path (l₁, l₂, l₃), each with radial functions R
    of its own: a network of the distance. The sum over neighbours comes first and the coupling after it, because
    that is linear.

    Args:
        channels: Channels of features and messages.
        input_ell: Largest degree of the features h.
        output_ell: Largest degree of the features behind the following product, reached by the skip connection.
        max_ell: Largest degree of harmonics and messages.
        radial: How many radial functions the edges bring.
        radial_layers: Hidden units of the radial network.
        size: Of an element vector.
        average_neighbours: By which messages are divided.
        residual: Whether h, mixed by element, goes around the block; else the messages are mixed by element.
        density: Whether messages are divided by 1 + Σⱼ tanh(d²), d linear in the radial functions, and not by
            `average_neighbours`: then an atom with many neighbours has no larger messages (MACE-MP-0b).
        pairs: Whether radial functions depend on the elements of both atoms: along every path each channel of h is
            multiplied by 1 + v·S, v the neighbour's vector, and each channel of the sum by 1 + v·T, v the atom's own.
            Behind the mixing this is R_k(r; z, z′) = Σ_c D_kc t_c(z) R_c(r) s_c(z′), as many terms as there are
            channels, and no network runs for every pair of elements. S and T start as zeros.
        gain: By which the SiLU of the radial network is multiplied.
        key: Random key of the weights, normal numbers.

    References:
        Batatia et al., NeurIPS 2022 (MACE), eq. 8 and 9.
    """

    up: tuple[Float[Array, "channels channels"], ...]
    radial: tuple[Float[Array, "_ _"], ...]
    down: tuple[Float[Array, "_ channels"], ...]
    skip: tuple[Float[Array, "channels size channels"], ...]
    density: Float[Array, "functions 1"] | None
    average_neighbours: float = eqx.field(static=True)
    residual: bool = eqx.field(static=True)
    paths: tuple[Path, ...] = eqx.field(static=True)
    gain: float = eqx.field(static=True)
    sender: Float[Array, "size _"] | None = None  # S; artefacts of before it came are without
    receiver: Float[Array, "size _"] | None = None  # T

    def __init__(
        self,
        channels: int,
        *,
        input_ell: int,
        output_ell: int,
        max_ell: int,
        radial: int,
        radial_layers: tuple[int, ...],
        size: int,
        average_neighbours: float,
        residual: bool,
        density: bool = False,
        pairs: bool = False,
        gain: float = SILU_GAIN,
        key: PRNGKeyArray,
    ):
        self.paths = coupling_paths(input_ell, max_ell, max_ell)
        counts = [sum(path[2] == ell for path in self.paths) for ell in range(max_ell + 1)]
        sizes = [radial, *radial_layers, len(self.paths) * channels]
        around = min(input_ell, output_ell) if residual else max_ell
        self.up, self.radial, self.down, self.skip, one = normals(
            key,
            [(channels, channels)] * (input_ell + 1),
            list(itertools.pairwise(sizes)),
            [(count * channels, channels) for count in counts],
            [(channels, size, channels)] * (around + 1),
            [(radial, 1)] * density,
        )
        self.density = one[0] if density else None
        factors = jnp.zeros((size, len(self.paths) * channels)) if pairs else None
        self.sender = self.receiver = factors
        self.average_neighbours = average_neighbours
        self.residual = residual
        self.gain = gain

    def __call__(
        self, h: Float[Array, "atoms inputs channels"], species: Species, edges: Edges
    ) -> tuple[Float[Array, "atoms components channels"], tuple[Array, ...]]:
        """The messages, and what goes around the product: one array for each degree, none if not residual."""
        messages = self._messages(split(mix(h, self.up)), species, edges)
        return self._around(messages, split(h), species, edges)

    def first(
        self, h: Float[Array, "kinds channels"], species: Species, edges: Edges
    ) -> tuple[Float[Array, "atoms components channels"], tuple[Array, ...]]:
        """The same for the first layer, where the features are the same for all atoms of one kind."""
        source = h[species.kind][:, None]
        if self.sender is not None or not self._by_kind_is_cheaper(h.shape[0], edges):
            return self(source, species, edges)
        messages = self._messages_by_kind(mix(h[:, None], self.up)[:, 0], species, edges)
        return self._around(messages, (source,), species, edges)

    def _around(
        self, messages: list[Array], h: tuple[Array, ...], species: Species, edges: Edges
    ) -> tuple[Float[Array, "atoms components channels"], tuple[Array, ...]]:
        share = self._share(edges)
        blocks = tuple(block / share for block in messages)
        source = h if self.residual else blocks
        skipped = tuple(
            species.mix(x, w) / math.sqrt(w.shape[0]) for x, w in zip(source, self.skip, strict=False)
        )
        if self.residual:
            return jnp.concatenate(blocks, axis=1), skipped
        return jnp.concatenate(skipped, axis=1), ()

    def _share(self, edges: Edges) -> float | Float[Array, "atoms 1 1"]:
        """By what messages are divided."""
        if self.density is None:
            return self.average_neighbours
        d = edges.radial @ (self.density / math.sqrt(self.density.shape[0]))
        return 1 + jnp.sum(edges.spread(jnp.tanh(d**2)), axis=1)[:, :, None]

    def _messages(self, h: tuple[Array, ...], species: Species, edges: Edges) -> list[Array]:
        """Messages of each degree, summed over neighbours and mixed."""
        last = self.radial[-1] / math.sqrt(self.radial[-1].shape[0])
        weights = self._hidden(edges.radial) @ last
        found = sums_by_path(self.paths, self._near(h, species, edges), weights, edges)
        if self.receiver is not None:
            factors = self._factors(self.receiver, species)
            found = [part * factor for part, factor in zip(found, factors, strict=True)]
        sums: list[list[Array]] = [[] for _ in self.down]
        for (_, _, l3), part in zip(self.paths, found, strict=True):
            sums[l3].append(part)
        return [
            jnp.concatenate(a, axis=-1) @ (w / math.sqrt(w.shape[0]))
            for a, w in zip(sums, self.down, strict=True)
        ]

    def _near(self, h: tuple[Array, ...], species: Species, edges: Edges) -> list[Array]:
        """The features of the neighbours for each path."""
        if self.sender is None:
            near = [at_neighbours(x, edges.neighbours) for x in h]
            return [near[l1] for l1, _, _ in self.paths]
        factors = self._factors(self.sender, species)
        pairs = zip(self.paths, factors, strict=True)
        return [at_neighbours(h[l1] * factor, edges.neighbours) for (l1, _, _), factor in pairs]

    def _factors(self, weight: Array, species: Species) -> list[Float[Array, "atoms 1 channels"]]:
        """What the element vectors of the atoms multiply channels with, for each path."""
        of_kind = 1 + species.vectors @ weight
        return jnp.split((species.one_hot(of_kind.dtype) @ of_kind)[:, None], len(self.paths), axis=-1)

    def _messages_by_kind(
        self, h: Float[Array, "kinds channels"], species: Species, edges: Edges
    ) -> list[Array]:
        """`_messages` where h(j) depends on the kind only: then it need not be known pair by pair.

        The sum over neighbours of one kind is over the hidden units of the radial network times the harmonics; what
        comes behind, last layer, h and mixing, is one matrix for each degree and kind.
        """
        hidden = edges.spread(self._hidden(edges.radial))
        kinds = jax.nn.one_hot(species.kind[edges.neighbours.index], h.shape[0], dtype=h.dtype)
        left = kinds[..., None] * edges.harmonics[:, :, None]
        sums = split(jax.lax.dot_general(left, hidden, (((1,), (1,)), ((0,), (0,)))), axis=2)
        last = jnp.split(self.radial[-1] / math.sqrt(self.radial[-1].shape[0]), len(self.paths), axis=1)
        blocks = []
        for w, down, part in zip(last, self.down, sums, strict=True):
            matrix = (w[None] * h[:, None]) @ (down / math.sqrt(down.shape[0]))
            blocks.append(jnp.einsum("nzmh,zhc->nmc", part, matrix))
        return blocks

    def _by_kind_is_cheaper(self, kinds: int, edges: Edges) -> bool:
        """Counts multiplications for one atom."""
        units, channels = self.radial[-1].shape[0], self.down[0].shape[1]
        slots, components = edges.harmonics.shape[1:]
        return kinds * components * units * (slots + channels) < slots * units * len(self.paths) * channels

    def _hidden(self, x: Float[Array, "rows functions"]) -> Array:
        return hidden_units(x, self.radial, self.gain)


def split(x: Array, axis: int = 1) -> tuple[Array, ...]:
    """Components of degree 0, 1, … apart."""
    count = math.isqrt(x.shape[axis])
    return tuple(jnp.split(x, [ell * ell for ell in range(1, count)], axis=axis))


def mix(x: Float[Array, "atoms components channels"], weights: tuple[Array, ...]) -> Array:
    """Mixes the channels of each degree by a matrix, divided by the root of its inputs."""
    pairs = zip(split(x), weights, strict=True)
    return jnp.concatenate([part @ (w / math.sqrt(w.shape[0])) for part, w in pairs], axis=1)
