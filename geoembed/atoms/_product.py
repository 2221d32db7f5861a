"""Products of up to four messages: what makes the features of an atom depend on many neighbours at once."""

import math
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import register
from ._component_sums import squares, weighted
from ._contract import contract
from ._interaction import Species, split
from ._normals import normals
from ._product_basis import factor_pairs, product_matrices

Couplings = Literal["independent", "all"]


@register
class Product(eqx.Module):
    """B = Σ_ν Σ_paths w(z, path) · (A ⊗ … ⊗ A, ν times) of every channel, mixed, plus the skip connection.

    Args:
        channels: Channels.
        max_ell: Largest degree of the messages A.
        output_ell: Largest degree of B.
        correlation: The largest number ν of factors, 1 to 4; a fourth costs much more than three.
        size: Of an element vector.
        couplings: "independent" has one weight for each different function; "all" one for each order in which
            factors can be coupled, as MACE has without its reduced basis.
        key: Random key of the weights, normal numbers divided by the number of paths.

    References:
        Batatia et al., NeurIPS 2022 (MACE), eq. 10 and 11.
    """

    weights: tuple[tuple[Float[Array, "size _ channels"], ...], ...]
    linear: tuple[Float[Array, "channels channels"], ...]
    max_ell: int = eqx.field(static=True)
    couplings: Couplings = eqx.field(static=True)

    def __init__(
        self,
        channels: int,
        *,
        max_ell: int,
        output_ell: int,
        correlation: int,
        size: int,
        couplings: Couplings = "independent",
        key: PRNGKeyArray,
    ):
        degrees = range(output_ell + 1)
        counts = [
            [len(m) for m in product_matrices(max_ell, ell, correlation, couplings == "independent")]
            for ell in degrees
        ]
        self.linear, *weights = normals(
            key,
            [(channels, channels)] * (output_ell + 1),
            *[[(size, n, channels) for n in orders] for orders in counts],
        )
        self.weights = tuple(
            tuple(w / max(n, 1) for w, n in zip(own, orders, strict=True))
            for own, orders in zip(weights, counts, strict=True)
        )
        self.max_ell = max_ell
        self.couplings = couplings

    def __call__(
        self,
        a: Float[Array, "atoms components channels"],
        species: Species,
        skip: tuple[Array, ...],
        *,
        reverse_only: bool = False,
    ) -> Float[Array, "atoms outputs channels"]:
        """The new features; with `reverse_only` derivatives are faster, but only in reverse mode."""
        products = self._products(jnp.transpose(a, (2, 1, 0)), species, reverse_only)
        out = []
        for ell, (x, w) in enumerate(zip(products, self.linear, strict=True)):
            mixed = jnp.einsum("cmn,ck->nmk", x, w / math.sqrt(w.shape[0]))
            out.append(mixed + skip[ell] if ell < len(skip) else mixed)
        return jnp.concatenate(out, axis=1)

    def _products(
        self, a: Float[Array, "channels components atoms"], species: Species, reverse_only: bool
    ) -> list[Array]:
        """The symmetric contraction, as one matrix product for each channel; degree by degree."""
        blocks = split(a)
        even, odd = jnp.concatenate(blocks[::2], axis=1), jnp.concatenate(blocks[1::2], axis=1)
        one = jnp.ones_like(a[:, :1])
        pairs = [squares(x, reverse_only=reverse_only) for x in (even, odd) if x.shape[1]]
        features = jnp.concatenate([*pairs, even, one], axis=1)
        factors = [jnp.concatenate([even, one], axis=1), odd]
        chosen = species.one_hot(a.dtype).T
        out = []
        for ell in range(len(self.weights)):
            matrix = self._matrix(ell, species.vectors)
            channels, kinds, components, count, _ = matrix.shape
            rows = matrix.reshape(channels, -1, matrix.shape[-1])
            every = contract(jnp.swapaxes(rows, 1, 2), features, reverse_only=reverse_only)
            every = every.reshape(channels, kinds, components, count, -1)
            own = jnp.sum(every * chosen[None, :, None, None], axis=1)
            factor = factors[ell % 2]
            if len(self.weights[ell]) > 3:
                i, j = np.array(factor_pairs(self.max_ell, ell)).T
                factor = jnp.concatenate([factor, a[:, i] * a[:, j]], axis=1)
            out.append(weighted(own, factor, reverse_only=reverse_only))
        return out

    def _matrix(self, ell: int, vectors: Float[Array, "kinds size"]) -> Array:
        """From features to factors, for every kind and channel."""
        orders = len(self.weights[ell])
        tables = product_matrices(self.max_ell, ell, orders, self.couplings == "independent")
        table = jnp.asarray(np.concatenate(tables), vectors.dtype)
        weight = jnp.concatenate(self.weights[ell], axis=1)
        return jnp.einsum("zd,dqc,qmfp->czmfp", vectors, weight, table)
