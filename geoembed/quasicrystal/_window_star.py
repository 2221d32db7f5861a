"""Star-shaped windows whose radii can be learned."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.spatial import ConvexHull

from ..core import norm, register
from ._frames import decimals, exactly
from ._simplex import simplex_transform, simplex_volumes
from ._window import Points, Window
from ._window_polytopes import cross_product


@register
class Star(Window):
    """A polygon or polyhedron that is seen whole from its centre, given by the radii in fixed directions.

    The boundary between directions is flat: the window consists of the simplices from the centre to the corners c + rᵢ
    uᵢ of neighbouring directions. Volume and transform are exact, and differentiable in the radii, without condition as
    long as they are positive. The margin is the distance to the boundary along the ray from the centre, hence
    continuous, and differentiable in the radii almost everywhere.

    Args:
        radii: r, positive, in units of the lattice constant.
        directions: u, of any length, which must surround the centre; in the plane as many evenly spaced ones as there
            are radii by default. `sphere_directions` has some for space. They are not learned.
        centre: c; the origin by default.

    Raises:
        ValueError: The directions are missing in space, do not fit the radii, or do not surround the centre.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{Star(jnp.array([1.0, 0.5, 1.0, 0.5])).volume():.2f}")
        1.00
    """

    radii: Float[Array, " k"]
    directions: Float[Array, "k m"]
    centre: Float[Array, " m"]
    faces: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def __init__(
        self,
        radii: Float[Array, " k"],
        directions: Float[np.ndarray, "k m"] | Float[Array, "k m"] | None = None,
        centre: Float[Array, " m"] | None = None,
    ):
        if directions is None:
            if centre is not None and centre.shape != (2,):
                raise ValueError("Star needs directions in space: sphere_directions has some")
            angles = 2.0 * np.pi * np.arange(len(radii)) / len(radii)
            directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        unit = np.asarray(directions, np.float64)
        if unit.shape[0] != len(radii) or unit.shape[1] not in (2, 3):
            raise ValueError(
                f"Star needs a direction of 2 or 3 components for each of its {len(radii)} radii, received {unit.shape}"
            )
        unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
        self.faces = _around(unit)
        self.radii, self.directions = radii, jnp.asarray(unit, radii.dtype)
        self.centre = jnp.zeros(unit.shape[1], radii.dtype) if centre is None else centre

    def _corners(self) -> Any:
        """The corners of each face, seen from the centre [f, m, m]."""
        directions = self.directions
        if not isinstance(directions, np.ndarray):
            directions = jax.lax.stop_gradient(directions)
        return (self.radii[:, None] * directions)[np.array(self.faces)]

    def margin(self, q: Points) -> Any:
        if isinstance(q, np.ndarray):
            return self._margin_on_host(q)
        x = q - self.centre.reshape((1,) * (q.ndim - 1) + (-1,))
        parts = jnp.einsum("...j,fij->...fi", x, _forms(self._corners(), jnp))
        face = jnp.argmax(
            parts.min(axis=-1), axis=-1
        )  # the one whose cone holds x: its parts are all positive
        gauge = jnp.take_along_axis(parts.sum(axis=-1), face[..., None], axis=-1)[..., 0]
        centred = gauge <= 1e-20
        gauge = jnp.where(centred, 1.0, gauge)
        return jnp.where(centred, self.radii.min(), norm(x) * (1.0 / gauge - 1.0))

    def _margin_on_host(self, q: np.ndarray) -> np.ndarray:
        x = q - self.centre
        best, gauge = np.full(x.shape[:-1], -np.inf), np.zeros(x.shape[:-1])
        for form in _forms(self._corners(), np):  # one after the other: memory for the points only
            parts = x @ form.T
            least = parts.min(axis=-1)
            gauge = np.where(least > best, parts.sum(axis=-1), gauge)
            best = np.maximum(best, least)
        centred = gauge <= 1e-20
        gauge = np.where(centred, 1.0, gauge)
        return np.where(centred, self.radii.min(), np.linalg.norm(x, axis=-1) * (1.0 / gauge - 1.0))

    def volume(self) -> Float[Array, ""]:
        return jnp.sum(simplex_volumes(self._simplices()))

    def transform(self, k: Float[Array, "*n m"]) -> Array:
        return jnp.sum(simplex_transform(self._simplices(), k), axis=-1)

    def _simplices(self) -> Float[Array, "f corners m"]:
        corners = self._corners()
        full = jnp.concatenate([jnp.zeros_like(corners[:, :1]), corners], axis=1)
        return full + self.centre[None, None]

    def support(self, directions: Points) -> Any:
        corners = self.radii[:, None] * self.directions + self.centre[None]
        return (directions @ corners.T).max(-1)

    @exactly
    def exact_depth(self, q: np.ndarray) -> np.ndarray:
        corners = (decimals(self.radii)[:, None] * decimals(self.directions))[np.array(self.faces)]
        x = q - decimals(self.centre)
        parts = np.stack([x @ form.T for form in _forms(corners, np)], axis=1)  # [n, f, m]
        face = parts.min(axis=2).argmax(axis=1)
        return 1 - parts.sum(axis=2)[np.arange(len(x)), face]


def sphere_directions(level: int = 1) -> Float[np.ndarray, "k 3"]:
    """Directions spread over the sphere: an icosahedron whose faces are divided into four again and again.

    Its corners are the fivefold axes of `icosahedral` in perpendicular space.

    Args:
        level: How often: 12, 42, 162, … directions for 0, 1, 2, …

    Returns:
        Unit vectors in float64.

    Example:
        >>> len(sphere_directions(2))
        162
    """
    golden = (1 + 5**0.5) / 2
    corners = [(a * golden, b, 0.0) for a in (-1, 1) for b in (-1, 1)]
    points = np.array([np.roll(corner, shift) for shift in range(3) for corner in corners])
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    for _ in range(level):
        faces = ConvexHull(points).simplices
        sides = np.unique(
            np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [0, 2]]]), axis=1), axis=0
        )
        middles = points[sides].sum(axis=1)
        points = np.concatenate([points, middles / np.linalg.norm(middles, axis=1, keepdims=True)])
    return points


def _around(unit: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """The sets of neighbouring directions, whose cones fill the space."""
    if unit.shape[1] == 2:
        order = np.argsort(np.arctan2(unit[:, 1], unit[:, 0]))
        faces = np.stack([order, np.roll(order, -1)], axis=1)
        surround = len(unit) > 2 and np.linalg.det(unit[faces]).min() > 1e-9
    else:
        hull = ConvexHull(unit)
        faces = hull.simplices
        surround = len(unit) > 3 and hull.equations[:, -1].max() < -1e-9
    if not surround:
        raise ValueError("Star needs directions that surround its centre, no two of them equal")
    return tuple(tuple(int(i) for i in face) for face in faces)


def _forms(corners: Any, xp: Any) -> Any:
    """The forms [f, i, m] whose values are the shares of a vector in the corners of a face."""
    m = corners.shape[1]
    rows = []
    for i in range(m):
        normal = cross_product(corners[:, [j for j in range(m) if j != i]], xp)
        rows.append(normal / (normal * corners[:, i]).sum(-1)[:, None])
    return xp.stack(rows, axis=1)
