"""Windows (atomic surfaces, occupation domains): the regions of perpendicular space whose lattice points are atoms."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import norm, register
from ._frames import exactly

# A sum of at most 1e9 of algebraic numbers of these frames and of floats is 0 or larger than this.
_NOTHING = 1e-90

Points = Float[Array, "*n m"] | Float[np.ndarray, "*n m"]


class Window(eqx.Module):
    """A closed region of perpendicular space, measured in units of the lattice constant.

    Windows combine: `a | b` for windows that do not overlap, `a - b` where b lies inside a, `a & b` for convex ones.
    The volume and the transform of the first two are right under their condition, which is not checked; membership is
    right without it.
    """

    @abc.abstractmethod
    def margin(self, q: Points) -> Any:
        """How deep points lie inside, negative outside: the distance to the nearest plane of a face.

        Inside a convex window it is the distance to the boundary, outside a lower bound of it.
        """

    @abc.abstractmethod
    def volume(self) -> Float[Array, ""]:
        """The volume: exact up to rounding, differentiable."""

    @abc.abstractmethod
    def transform(self, k: Float[Array, "*n m"]) -> Array:
        """∫ exp(−i k·q) dq over the window: exact up to rounding, differentiable everywhere.

        Args:
            k: Wave vectors in perpendicular space.
        """

    @abc.abstractmethod
    def support(self, directions: Points) -> Any:
        """max d·q over the convex hull for each direction d."""

    @abc.abstractmethod
    def exact_depth(self, q: np.ndarray) -> np.ndarray:
        """A number with the sign of `margin`, for decimal points [n, m]; 0 on the boundary."""

    def soft(self, q: Float[Array, "*n m"], width: Float[Array, ""] | float) -> Float[Array, "*n"]:
        """The window with a soft edge: 1 deeper inside than the width, 0 farther outside, C² between.

        Its limit for width → 0 is the hard window; at width 0 it is the hard one, with gradient 0.

        Args:
            q: Points in perpendicular space.
            width: Half the thickness of the edge, ≥ 0, in units of the lattice constant.
        """
        depth = self.margin(q)
        width = jnp.asarray(width, depth.dtype)
        hard = width <= 0
        t = jnp.clip(0.5 + 0.5 * depth / jnp.where(hard, 1.0, width), 0.0, 1.0)
        return jnp.where(hard, (depth >= 0).astype(depth.dtype), t**3 * (10.0 + t * (6.0 * t - 15.0)))

    def __or__(self, other: "Window") -> "Window":
        return Union(self, other)

    def __sub__(self, other: "Window") -> "Window":
        return Difference(self, other)

    def __and__(self, other: "Window") -> "Window":
        from ._window_intersection import Intersection  # which needs this file

        return Intersection(self, other)


class ConvexWindow(Window):
    """A window that is the intersection of half-spaces."""

    @abc.abstractmethod
    def half_spaces(self) -> tuple[Any, Any]:
        """Normals [f, m] of any length and offsets [f]: the window is where n·q ≤ c for all of them."""

    @abc.abstractmethod
    def exact_half_spaces(self) -> tuple[np.ndarray, np.ndarray]:
        """The half-spaces as decimal numbers."""

    def margin(self, q: Points) -> Any:
        normals, offsets = unit_half_spaces(self)
        return (offsets.reshape((1,) * (q.ndim - 1) + (-1,)) - q @ normals.T).min(-1)

    @exactly
    def exact_depth(self, q: np.ndarray) -> np.ndarray:
        normals, offsets = self.exact_half_spaces()
        return (offsets[None, :] - q @ normals.T).min(-1)


def unit_half_spaces(window: ConvexWindow) -> tuple[Any, Any]:
    """The half-spaces with normals of length 1; those without a normal (parallel generators) become void."""
    normals, offsets = window.half_spaces()
    xp = np if isinstance(normals, np.ndarray) else jnp
    lengths = np.linalg.norm(normals, axis=-1) if xp is np else norm(normals)
    void = lengths == 0
    lengths = xp.where(void, 1.0, lengths)
    return normals / lengths[:, None], xp.where(void, 1e9, offsets / lengths)


@register
class Union(Window):
    """Two windows that do not overlap; the same as `first | second`."""

    first: Window
    second: Window

    def margin(self, q: Points) -> Any:
        return _where_larger(self.first.margin(q), self.second.margin(q))

    def volume(self) -> Float[Array, ""]:
        return self.first.volume() + self.second.volume()

    def transform(self, k: Float[Array, "*n m"]) -> Array:
        return self.first.transform(k) + self.second.transform(k)

    def support(self, directions: Points) -> Any:
        return _where_larger(self.first.support(directions), self.second.support(directions))

    def exact_depth(self, q: np.ndarray) -> np.ndarray:
        return np.maximum(self.first.exact_depth(q), self.second.exact_depth(q))


@register
class Difference(Window):
    """A window without another that lies inside it; the same as `first - second`."""

    first: Window
    second: Window

    def margin(self, q: Points) -> Any:
        return -_where_larger(-self.first.margin(q), self.second.margin(q))

    def volume(self) -> Float[Array, ""]:
        return self.first.volume() - self.second.volume()

    def transform(self, k: Float[Array, "*n m"]) -> Array:
        return self.first.transform(k) - self.second.transform(k)

    def support(self, directions: Points) -> Any:
        return self.first.support(directions)

    def exact_depth(self, q: np.ndarray) -> np.ndarray:
        return np.minimum(self.first.exact_depth(q), -self.second.exact_depth(q))


def inside(window: Window, q: np.ndarray, exact_q: Any) -> tuple[np.ndarray, bool]:
    """Which points lie in the closed window, decided exactly, and whether one lies on its boundary.

    Args:
        window: A window on the host.
        q: Points [n, m] in float64.
        exact_q: A function of the numbers of some points that returns them as decimal numbers.
    """
    depth = window.margin(q)
    result = depth >= 0
    near = np.flatnonzero(np.abs(depth) < 1e-9 * (1.0 + np.max(np.abs(q), initial=0.0)))
    if near.size == 0:
        return result, False
    exact = window.exact_depth(exact_q(near)).astype(float)
    result[near] = exact >= -_NOTHING
    return result, bool(np.any(np.abs(exact) <= _NOTHING))


def _where_larger(a: Any, b: Any) -> Any:
    return np.maximum(a, b) if isinstance(a, np.ndarray) else jnp.maximum(a, b)
