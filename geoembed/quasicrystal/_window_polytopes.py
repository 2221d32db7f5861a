"""Zonotopes and convex polytopes as windows, their volumes and their Fourier transforms in closed form."""

import dataclasses
import itertools
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.spatial import ConvexHull

from ..core import register, sinc
from ._complex import as_complex, wave
from ._frames import decimals, exactly, frame, matches
from ._simplex import determinant, fan, simplex_transform, simplex_volumes
from ._window import ConvexWindow, Points, Window


@register
@dataclasses.dataclass(frozen=True)
class Projected:
    """Vectors that are projections of rational lattice vectors, by which their exact values are known.

    Args:
        frame: The name of the frame.
        rows: Integer vectors.
        divisor: What they are divided by.
    """

    frame: str
    rows: tuple[tuple[int, ...], ...]
    divisor: int = 1

    @exactly
    def exact(self) -> np.ndarray:
        """The perpendicular projections of the rows [k, m], as decimal numbers."""
        return decimals(np.array(self.rows)) @ frame(self.frame).perpendicular.T / self.divisor

    def floats(self) -> Array:
        """The same in jax's default float type."""
        return jnp.asarray(self.exact().astype(float), jnp.result_type(float))


@register
class Zonotope(ConvexWindow):
    """The set of Σ tᵢ gᵢ + c with |tᵢ| ≤ ½: interval, parallelogram, octagon, triacontahedron, …

    The projection of a cube of the D-dimensional lattice is one, which makes it the window of the tilings by
    parallelograms or rhombohedra.

    Args:
        generators: The vectors gᵢ, in 1, 2 or 3 dimensions; in space no two of them parallel.
        centre: c; the origin by default.
        origin: The exact vectors, if the generators are projections.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{Zonotope(jnp.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])).volume():.2f}")
        2.00

    References:
        The transform sums over the parallelepipeds of a fine zonotopal tiling: G. M. Ziegler, Lectures on Polytopes,
        1995, chapter 7; R. J. Baake and U. Grimm, Aperiodic Order, volume 1, 2013, section 9.4 on diffraction.
    """

    generators: Float[Array, "k m"]
    centre: Float[Array, " m"]
    origin: Projected | None = eqx.field(static=True)

    def __init__(
        self,
        generators: Float[Array, "k m"],
        centre: Float[Array, " m"] | None = None,
        origin: Projected | None = None,
    ):
        if not 1 <= generators.shape[1] <= 3:
            raise ValueError(
                f"Zonotope needs generators of 1, 2 or 3 components, received {generators.shape[1]}"
            )
        self.generators = generators
        self.centre = jnp.zeros(generators.shape[1], generators.dtype) if centre is None else centre
        self.origin = origin

    def half_spaces(self) -> tuple[Any, Any]:
        return _zonotope_faces(self.generators, self.centre)

    @exactly
    def exact_half_spaces(self) -> tuple[np.ndarray, np.ndarray]:
        return _zonotope_faces(exact_vectors(self.generators, self.origin), decimals(self.centre))

    def volume(self) -> Float[Array, ""]:
        chosen = np.array(list(itertools.combinations(range(len(self.generators)), self.generators.shape[1])))
        return jnp.sum(jnp.abs(determinant(self.generators[chosen])))

    def transform(self, k: Float[Array, "*n m"]) -> Array:
        chosen, volumes, centres = self._tiles()
        phases = k @ self.generators.T
        waves = wave(-(k @ (centres + self.centre[None]).T))
        sincs = jnp.prod(sinc(phases / (2.0 * math.pi))[..., chosen], axis=-1)
        return (waves * as_complex(sincs)) @ as_complex(volumes)

    def _tiles(self) -> tuple[np.ndarray, Array, Array]:
        """The parallelepipeds of a fine tiling: the numbers of their generators, their volumes and centres.

        Lift the generators by generic heights: the lower faces of the lifted zonotope, one for every choice of m
        generators, tile it. A generator that is not chosen adds half of itself, on the side where the hyperplane
        through the chosen ones leaves it. There the sign of a determinant decides, which holds for all generators
        near these; choices whose generators are dependent have no volume.
        """
        count, m = self.generators.shape
        chosen = np.array(list(itertools.combinations(range(count), m)))
        volumes = determinant(self.generators[chosen])
        heights = jnp.asarray(np.random.default_rng(1).normal(size=(count, 1)), self.generators.dtype)
        lifted = jax.lax.stop_gradient(jnp.concatenate([self.generators, heights], axis=1))
        others = np.broadcast_to(np.arange(count)[None, :, None], (len(chosen), count, 1))
        sets = np.concatenate([np.broadcast_to(chosen[:, None], (len(chosen), count, m)), others], axis=2)
        sides = -jnp.sign(determinant(lifted[sets])) * jnp.sign(volumes)[:, None]
        sides = jnp.where(jnp.asarray((chosen[:, None, :] == others).any(-1)), 0.0, sides)
        return chosen, jnp.abs(volumes), 0.5 * jax.lax.stop_gradient(sides) @ self.generators

    def support(self, directions: Points) -> Any:
        return directions @ self.centre + 0.5 * abs(directions @ self.generators.T).sum(-1)


@register
class Polytope(ConvexWindow):
    """The convex hull of points: interval, polygon or polyhedron.

    Which points span which faces is found once, when it is made, and kept while they move.

    Args:
        vertices: The points, in 1, 2 or 3 dimensions, not traced here; afterwards they may be.
        origin: The exact points, if they are projections.

    Example:
        >>> import jax.numpy as jnp
        >>> print(f"{Polytope(jnp.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])).volume():.2f}")
        1.00
    """

    vertices: Float[Array, "k m"]
    faces: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    origin: Projected | None = eqx.field(static=True)

    def __init__(self, vertices: Float[Array, "k m"], origin: Projected | None = None):
        points = np.asarray(vertices, np.float64)
        if not 1 <= points.shape[1] <= 3:
            raise ValueError(f"Polytope needs vertices of 1, 2 or 3 components, received {points.shape[1]}")
        if points.shape[1] == 1:
            ends = (int(np.argmin(points)), int(np.argmax(points)))
            self.faces = ((ends[0],), (ends[1],))
        else:
            self.faces = tuple(tuple(int(i) for i in face) for face in ConvexHull(points).simplices)
        self.vertices, self.origin = vertices, origin

    def half_spaces(self) -> tuple[Any, Any]:
        return _polytope_faces(self.vertices, self.faces)

    @exactly
    def exact_half_spaces(self) -> tuple[np.ndarray, np.ndarray]:
        return _polytope_faces(exact_vectors(self.vertices, self.origin), self.faces)

    def volume(self) -> Float[Array, ""]:
        return jnp.sum(simplex_volumes(fan(self.vertices, self.faces)))

    def transform(self, k: Float[Array, "*n m"]) -> Array:
        return jnp.sum(simplex_transform(fan(self.vertices, self.faces), k), axis=-1)

    def support(self, directions: Points) -> Any:
        return (directions @ self.vertices.T).max(-1)


def interval(lower: float, upper: float) -> Zonotope:
    """The window lower ≤ q ≤ upper in one dimension, in units of the lattice constant.

    Raises:
        ValueError: It is empty.
    """
    if not lower < upper:
        raise ValueError(f"interval needs lower < upper, received {lower} and {upper}")
    return Zonotope(jnp.array([[upper - lower]]), jnp.array([0.5 * (lower + upper)]))


def on_host(window: Window) -> Window:
    """The window with float64 arrays of numpy, as exact as known: `margin` and `support` then compute on the host."""

    def known(part: Any) -> bool:
        return isinstance(part, Zonotope | Polytope)

    def converted(part: Any) -> Any:
        if not known(part):
            return part if callable(part) else np.asarray(part, np.float64)
        vectors = part.generators if isinstance(part, Zonotope) else part.vertices
        exact = exact_vectors(vectors, part.origin).astype(np.float64)
        plain = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), part)
        name = (lambda w: w.generators) if isinstance(part, Zonotope) else (lambda w: w.vertices)
        return eqx.tree_at(name, plain, exact)

    return jax.tree.map(converted, window, is_leaf=known)


def exact_vectors(vectors: Any, origin: Projected | None) -> np.ndarray:
    """Decimal vectors: the exact ones if the floats are these, else what the floats say."""
    values = np.asarray(vectors)
    if origin is not None and matches(values, exact := origin.exact()):
        return exact
    return decimals(values)


def _zonotope_faces(generators: Any, centre: Any) -> tuple[Any, Any]:
    xp = np if isinstance(generators, np.ndarray) else jnp
    count, m = generators.shape
    spanning = np.array(list(itertools.combinations(range(count), m - 1)), int)
    normals = cross_product(generators[spanning], xp)
    widths, offsets = abs(normals @ generators.T).sum(-1) / 2, normals @ centre
    return xp.concatenate([normals, -normals]), xp.concatenate([widths + offsets, widths - offsets])


def _polytope_faces(vertices: Any, faces: tuple[tuple[int, ...], ...]) -> tuple[Any, Any]:
    xp = np if isinstance(vertices, np.ndarray) else jnp
    corners = vertices[np.array(faces)]
    normals = cross_product(corners[:, 1:] - corners[:, :1], xp)
    offsets = (normals * corners[:, 0]).sum(-1)
    middle = vertices.sum(0) / len(vertices)
    signs = xp.where(normals @ middle > offsets, -1, 1).astype(offsets.dtype)
    return normals * signs[:, None], offsets * signs


def cross_product(edges: Any, xp: Any) -> Any:
    """A vector orthogonal to m − 1 vectors, [n, m-1, m] -> [n, m]: the generalised cross product."""
    m = edges.shape[2]
    if m == 1:
        return xp.ones((len(edges), 1), edges.dtype)
    if m == 2:
        return xp.stack([-edges[:, 0, 1], edges[:, 0, 0]], axis=1)
    (ax, ay, az), (bx, by, bz) = (edges[:, i].T for i in (0, 1))
    return xp.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)
