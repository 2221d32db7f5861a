"""The edges of a part at which a temperature or a displacement is singular."""

import numpy as np
from jaxtyping import Bool, Float

from ._problem import Problem
from ._williams import edge_exponents

STIFF = 100.0  # Biot number above which a face is as good as held
_SMOOTH = 0.9  # exponents above this cost no accuracy that matters


def singular_edges(
    problem: Problem,
) -> tuple[Float[np.ndarray, "e 2 3"], Float[np.ndarray, " e"]]:
    """Returns the edges at which the gradient of the field is infinite, and the exponents there.

    At distance r from an edge with the inner angle ω the temperature behaves as r^λ. Between two faces that are both
    held or both not, λ = π/ω: 2/3 at the root of a fin. Between a held and another face λ = π/(2ω): 1/2 where they
    lie in one plane. In an anisotropic solid ω is the angle in the coordinates K^(-1/2) x, with the mean of K over the
    part. For a displacement see `edge_exponents`; a face counts as held if any of its components is.
    Edges with λ < 0.9 are returned.

    Args:
        problem: The problem.

    Returns:
        The two ends of each edge, in the part's unit, and λ.

    References:
        P. Grisvard, Elliptic Problems in Nonsmooth Domains, SIAM 2011, ch. 4.
    """
    vertices, faces = problem.domain.vertices, problem.domain.faces
    held = held_faces(problem)
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    home = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort((sides[:, 1], sides[:, 0]))
    sides, home = sides[order], home[order]
    pair = np.flatnonzero(np.all(sides[1:] == sides[:-1], axis=1))
    one, other = home[pair], home[pair + 1]
    angle = _inner_angle(_as_if_isotropic(problem)[faces], one, other)
    if problem.elastic:
        exponent = edge_exponents(angle, held[one], held[other], problem.equation.poisson)
    else:
        exponent = np.where(held[one] != held[other], 0.5, 1.0) * np.pi / np.maximum(angle, 1e-9)
    singular = exponent < _SMOOTH
    return vertices[sides[pair[singular]]], exponent[singular]


def _as_if_isotropic(problem: Problem) -> Float[np.ndarray, "v 3"]:
    """The vertices, moved by K^(-1/2) where a solid is anisotropic: there it conducts alike in all directions."""
    vertices = problem.domain.vertices.astype(np.float64)
    if problem.elastic or problem.conduction.plain or problem.conduction.samples.ndim == 1:
        return vertices
    principal, axes = np.linalg.eigh(problem.conduction.mean_tensor / problem.conduction.mean)
    return vertices @ (axes / np.sqrt(principal)) @ axes.T


def held_faces(problem: Problem) -> Bool[np.ndarray, " f"]:
    """The faces that are held, or as good as held."""
    if problem.elastic:
        loads = problem.face_loads
        stiff = loads.stiffness * problem.scales.metres / problem.equation.young > STIFF
        return np.any(loads.held | stiff, axis=1)
    table, scales = problem.face_conditions, problem.scales
    return table.held | (table.transfer * scales.metres / problem.conduction.mean > STIFF)


def _inner_angle(corners: Float[np.ndarray, "f 3 3"], one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The angle inside the part between two faces that share an edge."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    between = np.arctan2(
        np.linalg.norm(np.cross(normal[one], normal[other]), axis=1),
        np.sum(normal[one] * normal[other], axis=1),
    )
    middle = corners.mean(axis=1)
    re_entrant = np.sum((middle[other] - middle[one]) * normal[one], axis=1) > 0
    return np.pi + np.where(re_entrant, between, -between)


def points_along(edges: Float[np.ndarray, "e 2 3"], step: float) -> Float[np.ndarray, "n 3"]:
    """Returns points on edges, at most `step` apart."""
    along = edges[:, 1] - edges[:, 0]
    counts = np.maximum(np.ceil(np.linalg.norm(along, axis=1) / step).astype(np.int64), 1)
    home = np.repeat(np.arange(len(edges)), counts + 1)
    number = np.arange(len(home)) - np.repeat(np.cumsum(counts + 1) - (counts + 1), counts + 1)
    return edges[home, 0] + (number / counts[home])[:, None] * along[home]
