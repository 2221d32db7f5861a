"""How the surface of a part moves with the parameters of a signed distance."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import InputError
from ..sdf import MeshSDF

ShapeOf = Callable[[Any], Callable[[Any], Any]]

# Places inside a face, in barycentric coordinates: away from its sides, where the distance has kinks.
_PLACES = np.full((3, 3), 1 / 6) + 0.5 * np.eye(3)
_TO_CORNERS = np.linalg.inv(_PLACES)  # linear extrapolation from these places to the corners
# Directions in which the normals around a vertex vary less than some ten degrees count as one smooth surface.
_LEAST_EIGENVALUE = 0.03
_OFF_SURFACE = 2e-2  # of the part's length: how far a face may be from where the distance is 0
_TURNED = 0.5  # the least cosine between a face's normal and the gradient of the distance


def pull_back(
    domain: MeshSDF,
    gradient: Float[np.ndarray, "v 3"],
    shape_of: ShapeOf,
    parameters: Any,
) -> Any:
    """Turns dJ/d(vertices of the surface) into dJ/d(parameters of its signed distance φ).

    A point of the surface moves along the normal with V_n = −∂φ/∂p / |∇φ|. It is read at three places inside each face
    and extrapolated to the face's corners; the velocity of a vertex is the shortest vector whose components along the
    normals of its faces are these. On an edge between a face that moves and one that rests the vertices thus move in
    the face that rests. One backward pass through φ serves any number of parameters.

    Args:
        domain: The surface.
        gradient: dJ/d(vertices).
        shape_of: φ from the parameters.
        parameters: A pytree of numbers.

    Returns:
        dJ/d(parameters), as the parameters are.

    Raises:
        InputError: The surface is not where φ vanishes.
    """
    vertices, faces = np.asarray(domain.vertices, np.float64), np.asarray(domain.faces)
    points = np.einsum("pc,fci->fpi", _PLACES, vertices[faces]).reshape(-1, 3)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), parameters)
        value, slope = _distances(shape_of, wide, jnp.asarray(points))
        steepness = _checked(domain, np.asarray(value), np.asarray(slope))
        share = -_to_places(domain, gradient).ravel() / steepness
        found = _weighted(shape_of, wide, jnp.asarray(points), jnp.asarray(share))
    return jax.tree.map(_as_given, found, parameters)


@partial(jax.jit, static_argnums=0)
def _distances(shape_of: ShapeOf, parameters: Any, points: Array) -> tuple[Array, Array]:
    return jax.vmap(jax.value_and_grad(lambda x: shape_of(parameters)(x)))(points)


@partial(jax.jit, static_argnums=0)
def _weighted(shape_of: ShapeOf, parameters: Any, points: Array, share: Array) -> Any:
    """The derivative of Σ share φ in the parameters."""
    return jax.grad(lambda p: jnp.sum(share * jax.vmap(lambda x: shape_of(p)(x))(points)))(parameters)


def _as_given(found: Array, given: Any) -> Any:
    if isinstance(given, float | int):
        return float(found)
    return np.asarray(found, np.result_type(given.dtype, np.float16))


def _checked(
    domain: MeshSDF, value: Float[np.ndarray, " n"], slope: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, " n"]:
    """|∇φ| at the places, after a look at whether φ and the surface belong together."""
    lower, upper = domain.bounds
    steepness = np.linalg.norm(slope, axis=1)
    normal = np.repeat(corner_normals(domain)[0], 3, axis=0)
    along = np.sum(slope * normal, axis=1)
    off = np.abs(value) > _OFF_SURFACE * float(np.max(upper - lower)) * steepness
    wrong = off | ~(along > _TURNED * steepness)
    if wrong.any():
        face = int(np.flatnonzero(wrong)[0]) // 3
        middle = ", ".join(f"{x:.6g}" for x in domain.vertices[domain.faces[face]].mean(axis=0))
        raise InputError(
            "shape_of",
            f"face {face}, around ({middle}) {domain.unit}",
            f"the surface of the part is not where the shape's distance vanishes ({wrong.sum() / 3:.0f} faces)",
            "Return the problem and the shape of the same parameters, in the same unit",
        )
    return steepness


def corner_normals(domain: MeshSDF) -> tuple[Float[np.ndarray, "f 3"], Float[np.ndarray, "f 3"]]:
    """The unit normal of each face, and the angles at its corners."""
    corners = np.asarray(domain.vertices, np.float64)[domain.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    angles = []
    for k in range(3):
        one, other = (corners[:, (k + step) % 3] - corners[:, k] for step in (1, 2))
        angles.append(
            np.arctan2(np.linalg.norm(np.cross(one, other), axis=1), np.einsum("fi,fi->f", one, other))
        )
    return across / np.linalg.norm(across, axis=1, keepdims=True), np.stack(angles, axis=1)


def _to_places(domain: MeshSDF, gradient: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "f 3"]:
    """dJ/dV_n at the places: the transpose of how vertices follow from V_n there."""
    faces = np.asarray(domain.faces)
    normal, angle = corner_normals(domain)
    pull = kept_directions(domain, normal, angle, gradient)
    at_corners = angle * np.einsum("fi,fki->fk", normal, pull[faces])
    return at_corners @ _TO_CORNERS


def kept_directions(
    domain: MeshSDF,
    normal: Float[np.ndarray, "f 3"],
    angle: Float[np.ndarray, "f 3"],
    pull: Float[np.ndarray, "v 3"],
) -> Float[np.ndarray, "v 3"]:
    """The shortest solutions of Σ angle n nᵀ v = pull at every vertex, over the faces that meet there."""
    faces = np.asarray(domain.faces)
    matrix = np.zeros((len(pull), 3, 3))
    for k in range(3):
        np.add.at(matrix, faces[:, k], angle[:, k, None, None] * normal[:, :, None] * normal[:, None, :])
    value, vector = np.linalg.eigh(matrix)
    kept = value > np.maximum(_LEAST_EIGENVALUE * value[:, -1:], 1e-12)
    found = np.einsum("vij,vi->vj", vector, pull) * kept / np.where(kept, value, 1.0)
    return np.einsum("vij,vj->vi", vector, found)
