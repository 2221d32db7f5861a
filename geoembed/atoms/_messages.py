"""Sums of messages over the neighbours of every atom."""

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from ._contract import contract
from ._coupling import clebsch_gordan
from ._gain import scaled_silu
from ._halves import Halves
from ._neighbours import Neighbours

Path = tuple[int, int, int]


class Edges(eqx.Module):
    """The vectors from the neighbours to the atoms in the form that interactions take.

    Args:
        neighbours: Which atoms are near which.
        harmonics: Spherical harmonics of the direction.
        radial: Radial functions of the distance, 0 in empty rows: a row for each pair of neighbours, which serves both
            of its slots, or for each slot where `halves` is None.
        halves: Which slots a row of `radial` belongs to.
    """

    neighbours: Neighbours
    harmonics: Float[Array, "atoms slots components"]
    radial: Float[Array, "rows functions"]
    halves: Halves | None

    def spread(self, values: Float[Array, "rows columns"]) -> Float[Array, "atoms slots columns"]:
        """Brings what was computed from `radial` to the slots."""
        if self.halves is None:
            return values.reshape(*self.harmonics.shape[:2], values.shape[-1])
        return self.halves.spread(values)


def path_couplings(paths: tuple[Path, ...]) -> Float64[np.ndarray, "harmonics couplings"]:
    """From all harmonics to what features are multiplied with: for each path the components (l₁, l₃)."""
    size = (max(l2 for _, l2, _ in paths) + 1) ** 2
    blocks = []
    for l1, l2, l3 in paths:
        table = math.sqrt(2 * l3 + 1) * clebsch_gordan(l1, l2, l3).transpose(1, 0, 2)
        block = np.zeros((size, table[0].size))
        block[l2 * l2 : (l2 + 1) ** 2] = table.reshape(len(table), -1)
        blocks.append(block)
    return np.concatenate(blocks, axis=1)


def sums_by_path(
    paths: tuple[Path, ...],
    near: Sequence[Float[Array, "atoms slots _ channels"]],
    weights: Float[Array, "rows _"],
    edges: Edges,
) -> list[Float[Array, "atoms _ channels"]]:
    """Σⱼ R(rⱼ) h(j) ⊗ Y(r̂ⱼ), coupled along each path.

    The sum is a matrix product for each atom, over neighbours and components of h: on one side R h, on the other side
    the harmonics, already coupled as far as the path says.

    Args:
        paths: Degrees (l₁, l₂, l₃) of features, harmonics and result.
        near: The features of degree l₁ of the neighbour in every slot, for each path.
        weights: R, the channels of one path after those of another.
        edges: The vectors to the neighbours.
    """
    table = jnp.asarray(path_couplings(paths), weights.dtype)
    coupled = edges.harmonics[..., : len(table)] @ table
    ends = np.cumsum([(2 * l1 + 1) * (2 * l3 + 1) for l1, _, l3 in paths])[:-1]
    parts = zip(
        paths, near, jnp.split(weights, len(paths), axis=-1), jnp.split(coupled, ends, axis=-1), strict=True
    )
    return [_summed(left.reshape(len(left), -1, 2 * l3 + 1), r, h, edges) for (_, _, l3), h, r, left in parts]


@jax.checkpoint
def _summed(
    left: Float[Array, "atoms terms components"],
    weight: Float[Array, "rows channels"],
    near: Float[Array, "atoms slots inputs channels"],
    edges: Edges,
) -> Float[Array, "atoms components channels"]:
    """Recomputes R h for the derivative: to keep it costs more, in memory and in time."""
    right = edges.spread(weight)[:, :, None] * near
    right = right.reshape(*left.shape[:2], right.shape[-1])
    return contract(left, right, reverse_only=edges.halves is not None)


def hidden_units(
    x: Float[Array, "rows functions"], weights: Sequence[Float[Array, "_ _"]], gain: float
) -> Float[Array, "rows units"]:
    """A radial network but its last layer: 0 where all radial functions are 0."""
    for w in weights[:-1]:
        x = scaled_silu(x @ (w / math.sqrt(w.shape[0])), gain)
    return x
