"""A multiresolution hash grid: learned features on grids from coarse to fine."""

import itertools
from typing import Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt32

from .._properties import Property
from .._registry import register
from ._dense import draw, require_counts, uniform, vector

Blend = Literal["linear", "cubic", "quintic"]
_ORDER: dict[str, int] = {"linear": 0, "cubic": 1, "quintic": 2}  # continuous derivatives across the cells
_PRIMES = (1, 2_654_435_761, 805_459_861)
_START = 1e-4  # the features start uniform in ± this


@register
class HashGrid(eqx.Module):
    """Features at the vertices of grids of growing resolution, interpolated at a point of the unit cube.

    Level l has N_l = ⌊N₀ bˡ⌋ cells along each axis, with b such that the last level has `finest`. The 2ᵈ vertices of
    the cell around x are looked up in a table of T rows: by their own number where (N_l + 1)ᵈ ≤ T, else by the
    hash (⊕ᵢ vᵢ πᵢ) mod T with π = (1, 2654435761, 805459861), so that far vertices may share a row. The features of
    all levels are joined. The cost of a point does not depend on the resolution.

    With t the position in the cell, the weights along an axis are 1 − s(t) and s(t):

    - "linear", s = t: continuous; the gradient jumps at the faces of the cells, second derivatives within a cell are
      the mixed ones only and mean nothing for a Laplacian;
    - "cubic", s = 3t² − 2t³: once continuously differentiable; the second derivatives jump at the faces;
    - "quintic", s = 6t⁵ − 15t⁴ + 10t³: twice.

    Smooth weights make the gradient of every level zero at its vertices. Outside the cube the nearest point of it
    counts.

    Args:
        dimension: Numbers in: 2 or 3.
        levels: How many grids.
        features: Numbers per level.
        coarsest: N₀.
        finest: Cells of the last level.
        rows: T, a power of two.
        blend: How features are interpolated.
        key: Random key of the start, uniform in ±1e-4.

    Raises:
        ValueError: A size is out of its range.

    References:
        T. Müller et al., Instant neural graphics primitives with a multiresolution hash encoding, ACM Trans. Graph.
        41(4), 102 (2022), eqs. 2 to 4 and section 3; the smooth weights are those of its appendix A (cubic), one
        order further (quintic).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> grid = HashGrid(3, levels=4, features=2, finest=32, rows=2**10, key=jax.random.key(0))
        >>> grid(jnp.array([0.1, 0.5, 0.9])).shape
        (8,)
    """

    table: Float[Array, "levels rows features"]
    resolutions: tuple[int, ...] = eqx.field(static=True)
    dimension: int = eqx.field(static=True)
    blend: Blend = eqx.field(static=True)

    def __init__(
        self,
        dimension: int,
        *,
        levels: int = 8,
        features: int = 2,
        coarsest: int = 4,
        finest: int = 128,
        rows: int = 2**14,
        blend: Blend = "linear",
        key: PRNGKeyArray,
    ):
        require_counts("a HashGrid", levels=levels, features=features, coarsest=coarsest, rows=rows)
        if dimension not in (2, 3):
            raise ValueError(f"a HashGrid has 2 or 3 dimensions, received {dimension}")
        if finest < coarsest or rows & (rows - 1):
            raise ValueError(
                f"a HashGrid needs finest ≥ coarsest and a power of two of rows, "
                f"received coarsest={coarsest}, finest={finest}, rows={rows}"
            )
        if blend not in get_args(Blend):
            raise ValueError(f"unknown blend {blend!r}: use one of {', '.join(get_args(Blend))}")
        steps = np.linspace(0.0, 1.0, levels)
        exact = coarsest * (finest / coarsest) ** steps
        self.resolutions = tuple(int(n) for n in np.floor(exact * (1 + 1e-12)))
        self.table = uniform(key, (levels, rows, features), _START)
        self.dimension, self.blend = dimension, blend

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, " features"]:
        """Returns the features of one point of the unit cube, level after level, in its dtype.

        Args:
            x: The point.

        Raises:
            ValueError: It is not one vector of `dimension` floating-point numbers.
        """
        x = vector(x, self.dimension, "HashGrid")
        cells = np.array(self.resolutions, np.int32)[:, None]
        place = jnp.clip(x, 0.0, 1.0)[None] * jnp.asarray(cells.astype(x.dtype))
        corner = jnp.minimum(jnp.floor(jax.lax.stop_gradient(place)).astype(jnp.int32), cells - 1)
        share = _blended(self.blend, place - corner.astype(x.dtype))
        offsets = np.array(list(itertools.product((0, 1), repeat=self.dimension)))
        rows = self._rows(corner[:, None] + jnp.asarray(offsets, jnp.int32)[None])
        levels = np.arange(len(self.resolutions))[:, None]
        values = self.table[levels, rows].astype(x.dtype)
        factors = jnp.where(jnp.asarray(offsets == 1)[None], share[:, None], 1.0 - share[:, None])
        weights = jnp.prod(factors, axis=2)
        return jnp.sum(weights[:, :, None] * values, axis=1).reshape(-1)

    def _rows(self, vertices: Array) -> UInt32[Array, "levels corners"]:
        """The row of the table for each vertex of each level."""
        vertices = vertices.astype(jnp.uint32)
        sides = np.array(self.resolutions, np.uint64) + 1
        dense = sides**self.dimension <= self.table.shape[1]
        own = jnp.zeros(vertices.shape[:2], jnp.uint32)
        mixed = jnp.zeros(vertices.shape[:2], jnp.uint32)
        for axis in range(self.dimension):
            # A number beyond 32 bits belongs to a hashed level, where it is not used.
            stride = np.where(dense, sides**axis, 0).astype(np.uint32)
            own = own + vertices[:, :, axis] * jnp.asarray(stride)[:, None]
            mixed = mixed ^ (vertices[:, :, axis] * jnp.asarray(np.uint32(_PRIMES[axis])))
        hashed = mixed & jnp.asarray(np.uint32(self.table.shape[1] - 1))
        return jnp.where(jnp.asarray(dense)[:, None], own, hashed)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " d"]]:
        """Points of the unit cube."""
        return draw(self.dimension, count, key, low=0.0)

    def __hash__(self) -> int:
        return hash((self.table.shape, self.resolutions, self.blend))  # lets `jax.jit(grid)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises whatever it has learned; see `geoembed.check`."""
        return (Property("smooth", constant=_ORDER[self.blend], domain="inside the unit cube"),)


def _blended(blend: Blend, t: Float[Array, "levels d"]) -> Float[Array, "levels d"]:
    if blend == "linear":
        return t
    if blend == "cubic":
        return t * t * (3.0 - 2.0 * t)
    return t * t * t * (10.0 + t * (6.0 * t - 15.0))
