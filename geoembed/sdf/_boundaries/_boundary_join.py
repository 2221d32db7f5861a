"""Several pieces of boundary as one, by R-equivalence."""

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...core import register
from .._shapes._parameters import like
from ._boundary import Boundary, Corners, boundary_point, check_order

_HIGHEST = 6


@register
class JoinedBoundary(Boundary):
    """The union of pieces of boundary: φ⁻ᵐ = Σ φᵢ⁻ᵐ (R-equivalence of order m).

    φ lies between n^(−1/m) times the smallest of n pieces and the smallest. On one of them, off the others, it is
    φᵢ − φᵢᵐ⁺¹ Σ φⱼ⁻ᵐ/m + …, hence normalised to order m if the pieces are. Where two pieces meet φ is continuous, with
    a bounded gradient that depends on the direction of approach; its second derivatives grow like 1/r for every order.

    Meant for few pieces, as in a drawing. A curve or surface cut into many small ones would lower φ by n^(−1/m) and
    break the normalisation at every cut: use `PolylineBoundary` or `boundary_function`, which do not see cuts.

    Args:
        pieces: The pieces, all in the plane or all in space.
        order: m, 1 to 6. The result is normalised to the lowest of m and the orders of the pieces.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.sdf import ArcBoundary, LineBoundary
        >>> lid = ArcBoundary((0.0, 0.0), 1.0, 0.0, 3.141592653589793)
        >>> half_disc = JoinedBoundary([LineBoundary((-1.0, 0.0), (1.0, 0.0)), lid])
        >>> round(float(half_disc(jnp.array([0.3, 0.01]))), 4)
        0.01

    References:
        N. Sukumar and A. Srivastava, Comput. Methods Appl. Mech. Eng. 389, 114333 (2022): R-equivalence.
        V. Shapiro, Acta Numerica 16, 239 (2007).
    """

    pieces: tuple[Boundary, ...] = eqx.field(converter=tuple)
    power: int = eqx.field(static=True)

    def __init__(self, pieces: Sequence[Boundary], order: int = 2) -> None:
        self.pieces = tuple(pieces)
        self.power = order

    def __check_init__(self) -> None:
        check_order("JoinedBoundary", self.power, _HIGHEST)
        check_pieces("JoinedBoundary", self.pieces)

    @property
    def order(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The lowest of the order of the join and those of the pieces."""
        return min(self.power, *(piece.order for piece in self.pieces))

    @property
    def dimension(self) -> int:
        return self.pieces[0].dimension

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        x = boundary_point(x, self)
        smallest, ratios = nearness(values_at(self.pieces, x))
        return smallest * jnp.sum(ratios**self.power) ** (-1.0 / self.power)

    def region(self, dtype: Any) -> Corners:
        boxes = [piece.region(dtype) for piece in self.pieces]
        low = jnp.min(jnp.stack([box[0] for box in boxes]), axis=0)
        return low, jnp.max(jnp.stack([box[1] for box in boxes]), axis=0)


def values_at(pieces: tuple[Boundary, ...], x: Float[Array, " d"]) -> Float[Array, " n"]:
    """Returns φᵢ(x) of each piece. Those of one kind are evaluated together, so that a hundred compile as one does."""
    kinds: dict[Hashable, list[int]] = {}
    for place, piece in enumerate(pieces):
        leaves, structure = jax.tree.flatten(piece)
        kinds.setdefault((structure, tuple(np.shape(leaf) for leaf in leaves)), []).append(place)
    values: dict[int, Array] = {}
    for places in kinds.values():
        if len(places) == 1:
            values[places[0]] = pieces[places[0]](x)
            continue
        members = [jax.tree.map(partial(_in_dtype, x=x), pieces[place]) for place in places]
        together = jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)
        values.update(zip(places, jax.vmap(lambda piece: piece(x))(together), strict=True))
    return jnp.stack([values[place] for place in range(len(pieces))])


def _in_dtype(leaf: Any, x: Array) -> Array:
    return like(leaf, x) if jnp.issubdtype(leaf.dtype, jnp.floating) else jnp.asarray(leaf)


def nearness(values: Float[Array, " n"]) -> tuple[Float[Array, ""], Float[Array, " n"]]:
    """Returns the smallest of numbers φᵢ ≥ 0, and it divided by each of them.

    Where several are 0 their ratios are 1: the point is on all of them. Derivatives are finite there too, and right
    where only one is 0.
    """
    first = jnp.argmin(jax.lax.stop_gradient(values))
    smallest = values[first]
    touching = (values == 0) | (jnp.arange(values.shape[0]) == first)
    return smallest, jnp.where(touching, 1.0, smallest / jnp.where(touching, 1.0, values))


def check_pieces(name: str, pieces: tuple[Boundary, ...]) -> None:
    """Raises ValueError unless there is a piece and all have one dimension."""
    dimensions = sorted({piece.dimension for piece in pieces})
    if len(dimensions) != 1:
        received = " and ".join(f"{d}D" for d in dimensions) or "none"
        raise ValueError(f"{name} needs boundaries of one dimension, received {received}")
