"""Derivatives of the distance to a mesh, in points and in vertices, against central differences."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sdf_cases import Case

from geoembed import sdf


def gradients(data: Path, name: str, count: int = 2000) -> dict[str, Any]:
    """Gradients in points and vertices against central differences, in float64.

    A point is away from the medial axis where the nearest point of the surface moves by a small multiple of the step
    from one end of the difference to the other, rather than jump; the surface itself is left out, too.
    """
    case = Case(data, name, count)
    mesh = case.mesh()
    random = np.random.default_rng(1)
    with jax.enable_x64(True):
        points, vertices = jnp.asarray(case.exact_points), jnp.asarray(mesh.vertices)
        ways = np.eye(3)

        def shifted(amount, way):
            return jax.vmap(mesh.closest)(points + amount * way[None])

        found = [_against_differences(jax.jit(shifted), jnp.asarray(way)) for way in ways]
        # A smooth motion of space: one for each vertex alone turns small faces fast, and differences miss that.
        motion = jnp.asarray(np.sin(mesh.vertices @ random.normal(0, 3, (3, 3)) + random.normal(size=3)))

        def moved(amount, motion):
            return jax.vmap(mesh.with_vertices(vertices + amount * motion).closest)(points)

        slopes = jax.jit(
            lambda motion: jax.jvp(
                lambda t: jax.vmap(mesh.with_vertices(vertices + t * motion))(points), (0.0,), (1.0,)
            )[1]
        )(motion)
        numeric, smooth = _against_differences(jax.jit(moved), motion)
        gradient = np.asarray(jax.jit(jax.vmap(jax.grad(mesh)))(points))
        special = np.concatenate([mesh.vertices, mesh.vertices[mesh.faces].mean(axis=1)])  # on the surface
        on_surface = sdf.value_and_gradient(mesh, special)[1]
    in_points = np.stack([gradient[:, i] - found[i][0] for i in range(3)], axis=1)
    away = np.all([one[1] for one in found], axis=0)
    in_vertices = (np.asarray(slopes) - numeric) / np.maximum(1, np.abs(numeric))
    return {
        "away_from_medial_axis": [float(away.mean()), float(smooth.mean())],
        "error_in_points": float(np.abs(in_points)[away].max()),
        "error_in_vertices": float(np.abs(in_vertices)[smooth].max()),
        "finite": bool(np.isfinite(gradient).all() and np.isfinite(slopes).all()),
        "finite_on_surface": bool(np.isfinite(on_surface).all()),
        "length_on_surface_error": float(np.abs(np.linalg.norm(on_surface, axis=1) - 1).max()),
    }


def _against_differences(function, way, step: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
    """Central differences of a distance along a way, and where no medial axis lies between their ends."""
    ahead, behind = function(step, way), function(-step, way)
    numeric = np.asarray(ahead.distance - behind.distance) / (2 * step)
    jump = np.linalg.norm(np.asarray(ahead.point - behind.point), axis=1)
    far = np.abs(np.asarray(ahead.distance)) > 1e3 * step
    return numeric, (jump < 100 * step) & far
