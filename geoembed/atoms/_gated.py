"""What an atom learns from its neighbours in NequIP: messages, a self-connection and a gate."""

import itertools
import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import register
from ._gain import SILU_GAIN, scaled_silu, scaled_tanh
from ._gather import at_neighbours
from ._interaction import Species
from ._messages import Edges, hidden_units, sums_by_path
from ._normals import normals

Irrep = tuple[int, int]
"""Degree l, and the factor under inversion: 1 or -1."""


def irreps_up_to(ell: int, *, odd: bool) -> tuple[Irrep, ...]:
    """Degrees 0 to `ell` with the parity (−1)ˡ of harmonics, then, where `odd`, with the other one."""
    usual = tuple((degree, (-1) ** degree) for degree in range(ell + 1))
    return usual + tuple((degree, -parity) for degree, parity in usual) if odd else usual


def gated_paths(
    inputs: tuple[Irrep, ...], edge_ell: int, outputs: tuple[Irrep, ...]
) -> tuple[tuple[int, int, int], ...]:
    """All (i, l₂, o) by which input i and harmonics of degree l₂ make output o; parities multiply. Ordered by o."""
    return tuple(
        (i, l2, o)
        for o, (l3, p3) in enumerate(outputs)
        for i, (l1, p1) in enumerate(inputs)
        for l2 in range(abs(l1 - l3), min(l1 + l3, edge_ell) + 1)
        if p1 * (-1) ** l2 == p3
    )


def reached(inputs: tuple[Irrep, ...], edge_ell: int, wanted: tuple[Irrep, ...]) -> tuple[Irrep, ...]:
    """Those of the wanted outputs to which a path leads."""
    ends = {o for _, _, o in gated_paths(inputs, edge_ell, wanted)}
    return tuple(irrep for o, irrep in enumerate(wanted) if o in ends)


@register
class GatedInteraction(eqx.Module):
    """h' = gate(Σⱼ R(rⱼ) h(j) ⊗ Y(r̂ⱼ) + W(z) h): NequIP's interaction block.

    The messages are summed over neighbours, coupled along every path of degrees and parities, mixed over channels and
    divided by the root of the average number of neighbours. What the atom knew already, mixed by its element vector, is
    added. Then a gate: even scalars pass through SiLU, odd ones through tanh, which keeps their sign under
    inversion, and everything else is multiplied by SiLU of an even scalar of its own.

    Args:
        channels: Channels of every irrep.
        inputs: The irreps of the features h, the even scalar first.
        outputs: Those of h', the even scalar first.
        max_ell: Largest degree of the spherical harmonics.
        radial: How many radial functions the edges bring.
        radial_layers: Hidden units of the radial network.
        size: Of an element vector.
        average_neighbours: By the root of which messages are divided.
        gain: By which SiLU is multiplied.
        key: Random key of the weights, normal numbers.

    References:
        Batzner, Musaelian, Sun, Geiger, Mailoa, Kornbluth, Molinari, Smidt, Kozinsky, "E(3)-equivariant graph neural
        networks for data-efficient and accurate interatomic potentials", Nature Communications 13, 2453 (2022),
        Methods; the gate: Weiler et al., "3D steerable CNNs", NeurIPS 2018, section 4.3.
    """

    up: tuple[Float[Array, "channels channels"], ...]
    radial: tuple[Float[Array, "_ _"], ...]
    down: tuple[Float[Array, "_ _"], ...]
    skip: tuple[Float[Array, "channels size _"] | None, ...]
    inputs: tuple[Irrep, ...] = eqx.field(static=True)
    outputs: tuple[Irrep, ...] = eqx.field(static=True)
    paths: tuple[tuple[int, int, int], ...] = eqx.field(static=True)
    average_neighbours: float = eqx.field(static=True)
    gain: float = eqx.field(static=True)

    def __init__(
        self,
        channels: int,
        *,
        inputs: tuple[Irrep, ...],
        outputs: tuple[Irrep, ...],
        max_ell: int,
        radial: int,
        radial_layers: tuple[int, ...],
        size: int,
        average_neighbours: float,
        gain: float = SILU_GAIN,
        key: PRNGKeyArray,
    ):
        self.inputs, self.outputs = inputs, outputs
        self.paths = gated_paths(inputs, max_ell, outputs)
        gates = sum(ell > 0 for ell, _ in outputs)
        widths = [channels * (1 + gates), *[channels] * (len(outputs) - 1)]
        counts = [sum(path[2] == o for path in self.paths) for o in range(len(outputs))]
        self.up, self.radial, self.down, around = normals(
            key,
            [(channels, channels)] * len(inputs),
            list(itertools.pairwise([radial, *radial_layers, len(self.paths) * channels])),
            [(n * channels, width) for n, width in zip(counts, widths, strict=True)],
            [(channels, size, width) for width in widths],
        )
        self.skip = tuple(w if irrep in inputs else None for irrep, w in zip(outputs, around, strict=True))
        self.average_neighbours = average_neighbours
        self.gain = gain

    def __call__(
        self, h: Float[Array, "atoms _ channels"], species: Species, edges: Edges
    ) -> Float[Array, "atoms _ channels"]:
        """The new features, irrep after irrep."""
        parts = dict(zip(self.inputs, irreps_apart(h, self.inputs), strict=True))
        sums = self._messages(list(parts.values()), edges)
        for o, (irrep, weight) in enumerate(zip(self.outputs, self.skip, strict=True)):
            if weight is not None:
                sums[o] = sums[o] + species.mix(parts[irrep], weight) / math.sqrt(weight.shape[0])
        return self._gate(sums)

    def _messages(self, h: list[Array], edges: Edges) -> list[Array]:
        """The messages of each output irrep, summed over neighbours and mixed."""
        near = [
            at_neighbours(x @ (w / math.sqrt(w.shape[0])), edges.neighbours)
            for x, w in zip(h, self.up, strict=True)
        ]
        last = self.radial[-1] / math.sqrt(self.radial[-1].shape[0])
        weights = hidden_units(edges.radial, self.radial, self.gain) @ last
        degrees = tuple((self.inputs[i][0], l2, self.outputs[o][0]) for i, l2, o in self.paths)
        found = sums_by_path(degrees, [near[i] for i, _, _ in self.paths], weights, edges)
        sums: list[list[Array]] = [[] for _ in self.outputs]
        for (_, _, o), part in zip(self.paths, found, strict=True):
            sums[o].append(part)
        share = math.sqrt(self.average_neighbours)
        return [
            jnp.concatenate(parts, axis=-1) @ (w / (share * math.sqrt(w.shape[0])))
            for parts, w in zip(sums, self.down, strict=True)
        ]

    def _gate(self, blocks: list[Array]) -> Float[Array, "atoms _ channels"]:
        """Scalars through functions of their parity, the rest times even scalars."""
        gates = sum(ell > 0 for ell, _ in self.outputs)
        first, *factors = jnp.split(scaled_silu(blocks[0], self.gain), 1 + gates, axis=-1)
        rest = iter(factors)
        out = [first]
        for (ell, _), block in zip(self.outputs[1:], blocks[1:], strict=True):
            out.append(block * next(rest) if ell else scaled_tanh(block))
        return jnp.concatenate(out, axis=1)


def irreps_apart(h: Float[Array, "atoms _ channels"], irreps: tuple[Irrep, ...]) -> tuple[Array, ...]:
    """The components of each irrep."""
    ends = np.cumsum([2 * ell + 1 for ell, _ in irreps])[:-1]
    return tuple(jnp.split(h, ends.tolist(), axis=1))
