"""Quasi-random points on the surface and in the interior of a mesh."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int, PRNGKeyArray

from ..core import InputError
from ._host import value_and_gradient
from ._mend import signed_volume
from ._meshes._mesh import MeshSDF
from ._meshes._mesh_tables import kd_clusters

_BATCH = 2**17  # candidate points tested at once; bounds the memory
_LEAST_FILL = 1e-7  # a part that fills less of its box than this has no interior worth sampling


@dataclass(frozen=True, eq=False)
class SurfaceSample:
    """Points on a surface; Σ wᵢ f(xᵢ) estimates ∫ f dA.

    Args:
        points: In the mesh's unit.
        normals: Unit, outward.
        weights: In the mesh's unit squared; their sum is the area.
        faces: The face of each point.
    """

    points: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    weights: Float[np.ndarray, " n"]
    faces: Int[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class InteriorSample:
    """Points inside a part; Σ wᵢ f(xᵢ) estimates ∫ f dV.

    Args:
        points: In the mesh's unit.
        distances: The signed distance of each point, in the mesh's unit; all negative.
        weights: In the mesh's unit cubed; their sum is the volume of the mesh.
    """

    points: Float[np.ndarray, "n 3"]
    distances: Float[np.ndarray, " n"]
    weights: Float[np.ndarray, " n"]


def sample_surface(
    domain: MeshSDF,
    n: int,
    *,
    key: PRNGKeyArray,
    faces: Bool[np.ndarray, " f"] | Int[np.ndarray, " m"] | None = None,
) -> SurfaceSample:
    """Draws points uniformly by area from the surface of a mesh, or from some of its faces.

    A scrambled Sobol sequence in three dimensions: the first coordinate picks the face from the cumulated
    areas, the other two a point of it by (1 − √u, √u (1 − v), √u v). Each point on its own is distributed
    uniformly, so the estimate of an integral is unbiased over keys.

    Args:
        domain: The mesh.
        n: How many points; powers of two are spread best.
        key: A random key, such as `jax.random.key(0)`.
        faces: A mask over all faces, or face numbers; None for the whole surface.

    Returns:
        The sample, on the host in float64.

    Raises:
        ValueError: `n` is negative or no face is chosen.
    """
    areas = domain.areas
    chosen = _chosen(domain, faces)
    cumulated = np.cumsum(areas[chosen])
    u = _sobol(3, n, key)
    position = np.searchsorted(cumulated, u[:, 0] * cumulated[-1], side="right")
    face = chosen[np.minimum(position, len(chosen) - 1)]
    root = np.sqrt(u[:, 1])
    weights = np.stack([1 - root, root * (1 - u[:, 2]), root * u[:, 2]], axis=1)
    points = np.sum(weights[:, :, None] * domain.vertices[domain.faces[face]], axis=1)
    normals = domain.normals[face]
    return SurfaceSample(points, normals, np.full(n, cumulated[-1] / max(n, 1)), face)


def sample_interior(domain: MeshSDF, n: int, *, key: PRNGKeyArray) -> InteriorSample:
    """Draws points uniformly by volume from the inside of a closed mesh.

    A scrambled Sobol sequence in the box of the mesh, from which the points with negative signed distance are
    kept, in order, until there are `n`. The weights are equal and sum to the exact volume of the mesh (a
    closed mesh has one), so the error of an integral comes from the spread of the points alone. The distances
    are computed in float64, whatever mode the caller is in.

    Args:
        domain: The mesh; it must be closed, else there is no inside.
        n: How many points.
        key: A random key, such as `jax.random.key(0)`.

    Returns:
        The sample, on the host in float64.

    Raises:
        ValueError: `n` is negative.
        InputError: The mesh is not closed, or has next to no volume.
    """
    volume = _volume(domain)
    lower, upper = domain.bounds
    fill = volume / float(np.prod(upper - lower))
    # A power of two that is likely to hold n points of the interior at once; more follow when it does not.
    batch = min(_BATCH, 2 ** int(np.ceil(np.log2(1.05 * n / fill + 64)))) if n > 0 else 0
    sequence = _sequence(3, key)
    kept, distances, count = [np.zeros((0, 3))], [np.zeros(0)], 0
    while count < n:
        candidates = lower + (upper - lower) * sequence.random(batch)
        distance, _ = value_and_gradient(domain, candidates)
        kept.append(candidates[distance < 0])
        distances.append(distance[distance < 0])
        count += len(kept[-1])
    points, inside = np.concatenate(kept)[:n], np.concatenate(distances)[:n]
    return InteriorSample(points, inside, np.full(n, volume / max(n, 1)))


def _chosen(domain: MeshSDF, faces: np.ndarray | None) -> Int[np.ndarray, " m"]:
    # In the order of compact clusters neighbours in the sequence are neighbours on the surface.
    clusters = kd_clusters(domain.vertices[domain.faces].mean(axis=1))
    members, first = np.unique(clusters, return_index=True)
    order = members[np.argsort(first)]
    if faces is None:
        return order
    mask = np.zeros(len(domain.faces), bool)
    mask[np.asarray(faces)] = True
    if not mask.any():
        raise ValueError(
            "faces selects no face to sample: pass a mask or face numbers with at least one face"
        )
    return order[mask[order]]


def _volume(domain: MeshSDF) -> float:
    if not domain.sign_reliable:
        reason = "the mesh is not a closed, orientable surface, so it has no inside to sample"
        raise InputError(domain.source, "", reason, "Close the holes; `geoembed inspect` lists what is wrong")
    volume = signed_volume(domain.vertices, domain.faces)
    lower, upper = domain.bounds
    if volume <= _LEAST_FILL * float(np.prod(upper - lower)):
        raise InputError(
            domain.source, "", "the mesh encloses next to no volume", "Check the thickness of the part"
        )
    return volume


def _sequence(dimension: int, key: PRNGKeyArray) -> Any:
    high, low = np.asarray(jax.random.bits(key, (2,), jnp.uint32)).tolist()
    generator = np.random.default_rng((high << 32) | low)
    # scipy before 1.15 knows no `rng=`, its successor
    from scipy.stats import qmc  # takes half a second to import

    return qmc.Sobol(dimension, scramble=True, seed=generator)  # pyright: ignore[reportCallIssue]


def _sobol(dimension: int, n: int, key: PRNGKeyArray) -> Float[np.ndarray, "n {dimension}"]:
    if n < 0:
        raise ValueError(f"n must not be negative, received {n}")
    return _sequence(dimension, key).random_base2(max(n - 1, 0).bit_length())[:n]
