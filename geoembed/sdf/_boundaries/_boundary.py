"""The base of boundary functions: smooth stand-ins for the distance to a piece of boundary."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import Property, host_generator, one_point, rows_on_device
from .._shapes._parameters import check_parameters

Corners = tuple[Float[Array, " d"], Float[Array, " d"]]

_ROUNDS = 20
_ROOM = 0.3  # beyond the region on every side, in parts of its longest side
_OFF = 0.1  # of an example from the boundary, in the same


class Boundary(eqx.Module):
    """A function φ of one point that is 0 on a piece of boundary and positive everywhere else.

    It is normalised to an order m: at a regular point of the boundary, at distance d,

        φ = d + O(dᵐ⁺¹),   that is   φ = 0,  ∂φ/∂n = 1,  ∂ᵏφ/∂nᵏ = 0 for 2 ≤ k ≤ m.

    Off the boundary it is smooth, unlike the exact distance, whose gradient jumps wherever two points of the boundary
    are equally near. Farther away φ is *not* the distance, nor a bound for it.

    A boundary has a side, that of the domain. Within rounding of the boundary the derivatives are their limits from
    there: ∇φ is the inward unit normal, at joins and ends finite. So −∇u·∇φ is the outward normal derivative at points
    that were sampled on the boundary.

    `sdf.boundary_function` makes one for a patch of a mesh; `sdf.LineBoundary`, `sdf.ArcBoundary`,
    `sdf.RoundBoundary` and `sdf.PolylineBoundary` are pieces, and `sdf.JoinedBoundary` joins any of them.

    References:
        N. Sukumar and A. Srivastava, Comput. Methods Appl. Mech. Eng. 389, 114333 (2022), arXiv:2104.08426.
        A. Biswas and V. Shapiro, Graph. Models 66, 133 (2004): normalisation.
    """

    order: eqx.AbstractVar[int]

    def __check_init__(self) -> None:
        check_parameters(self)

    @property
    @abc.abstractmethod
    def dimension(self) -> int:
        """2 for a boundary in the plane, 3 for one in space."""

    @abc.abstractmethod
    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """Returns φ at one point, in the boundary's unit of length and the dtype of the point."""

    @abc.abstractmethod
    def region(self, dtype: Any) -> Corners:
        """The lower and upper corner of a box around the boundary."""

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this function promises; see `geoembed.check`."""
        return (Property("smooth", constant=2, domain="off the boundary"),)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " d"]]:
        """Returns points in the domain of the properties: around the boundary, but not near it.

        Args:
            count: How many.
            key: Random key.

        Raises:
            ValueError: The boundary is everywhere: no point was found that keeps off it.
        """
        return draw_around(self, count, key)

    def __hash__(self) -> int:
        return hash_of(self)


def draw_around(boundary: Boundary, count: int, key: PRNGKeyArray) -> list[Float[Array, " d"]]:
    """See `Boundary.examples`."""
    low, high = (np.asarray(corner, np.float64) for corner in _region(boundary))
    longest = float((high - low).max())
    # Drawn by numpy: compiling a random number generator would cost more than all the rest.
    random = host_generator(key)
    found: list[Float[Array, " d"]] = []
    for _ in range(_ROUNDS):
        drawn = random.uniform(low - _ROOM * longest, high + _ROOM * longest, (max(64, 2 * count), len(low)))
        values = np.asarray(_values(boundary, jax.device_put(drawn.astype(jnp.result_type(float)))))
        near = values <= _OFF * longest  # never true of nan: a check shall see it
        found += rows_on_device(drawn[~near])
        if len(found) >= count:
            return found[:count]
    raise ValueError(f"{type(boundary).__name__}: {len(found)} of {count} points found that keep off it")


@jax.jit
def _region(boundary: Any) -> tuple[Float[Array, " d"], Float[Array, " d"]]:
    return boundary.region(jnp.zeros(()).dtype)


@jax.jit
def _values(boundary: Any, points: Float[Array, "n d"]) -> Float[Array, " n"]:
    """The boundary is an argument, so that boundaries of one structure share a compilation."""
    return jax.vmap(boundary)(points)


def hash_of(module: eqx.Module) -> int:
    """A hash that lets `jax.jit(module)` find its cache."""
    leaves, structure = jax.tree.flatten(module)
    return hash((structure, tuple((np.shape(leaf), leaf.dtype.name) for leaf in leaves)))


def boundary_point(x: Any, boundary: Any) -> Float[Array, " d"]:
    """Returns the argument of a boundary function as an array.

    Raises:
        ValueError: It is not one point of as many floating-point coordinates as the boundary has dimensions.
    """
    return one_point(x, f"a {type(boundary).__name__} in {boundary.dimension}D", boundary.dimension)


def check_order(name: str, order: Any, highest: int) -> None:
    """Raises ValueError unless an order is a whole number from 1 to `highest`."""
    if not isinstance(order, int) or isinstance(order, bool) or not 1 <= order <= highest:
        raise ValueError(f"{name}: order must be a whole number from 1 to {highest}, received {order!r}")


def one_sided(f: Float[Array, ""], slack: Float[Array, ""]) -> Float[Array, ""]:
    """|f|; where it is below the slack, with the derivatives of f: their limits from the side where f > 0."""
    size = jnp.abs(f)
    return jnp.where(size <= slack, f + jax.lax.stop_gradient(size - f), size)


def rounding_of(*lengths: Array) -> Float[Array, ""]:
    """How far from a boundary a point on it may lie by rounding, when coordinates are of these sizes."""
    sizes = jnp.stack([jnp.max(jnp.abs(jax.lax.stop_gradient(length))) for length in lengths])
    return 16.0 * float(jnp.finfo(sizes.dtype).eps) * jnp.max(sizes)
