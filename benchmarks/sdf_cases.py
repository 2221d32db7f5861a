"""What the rows of benchmarks/sdf.py share: a mesh with its points and the exact answers, and timing in turns."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import igl
import jax
import jax.numpy as jnp
import numpy as np
import trimesh

from geoembed import sdf


class Case:
    """A mesh of unit diagonal, its points, and the exact distances."""

    def __init__(self, data: Path, name: str, count: int, frame: str = "", subdivisions: int = 0):
        whole = _read(data / "sdf" / (frame or name))
        mesh = _read(data / "sdf" / name)
        for _ in range(subdivisions):
            mesh = mesh.subdivide()
        size = np.linalg.norm(whole.extents)
        self.vertices = np.ascontiguousarray((mesh.vertices - whole.bounds.mean(axis=0)) / size)
        self.faces = np.ascontiguousarray(mesh.faces, np.int64)
        uniform = np.random.default_rng(0).random((count, 3)) - 0.5
        self.points = (uniform * 1.1 * whole.extents / size).astype(np.float32)
        self.exact_points = self.points.astype(np.float64)

    def distance(self) -> np.ndarray:
        """Exact distances without sign."""
        return np.sqrt(igl.point_mesh_squared_distance(self.exact_points, self.vertices, self.faces)[0])

    def inside(self) -> np.ndarray:
        """Whether the exact winding number is beyond ½."""
        return np.abs(igl.winding_number(self.vertices, self.faces, self.exact_points)) > 0.5

    def mesh(self) -> sdf.MeshSDF:
        return sdf.mesh_sdf(self.vertices, self.faces, unit="m")


def _read(path: Path) -> trimesh.Trimesh:
    mesh = trimesh.load(path, force="mesh", process=True)
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)


def run(mesh: sdf.MeshSDF, points: np.ndarray) -> np.ndarray:
    return np.asarray(many(mesh, jnp.asarray(points)))


many = jax.jit(lambda mesh, points: jax.vmap(mesh)(points))


def in_turns(
    runs: dict[str, Callable[[], Any]], repeats: int = 7, limit: float = 60.0
) -> tuple[dict[str, float], dict[str, float]]:
    """The median seconds of each function, and those of all cores together, called in turns after one call each."""
    for run in runs.values():
        run()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    start = time.perf_counter()
    for _ in range(repeats):
        for name, run in runs.items():
            before = time.perf_counter(), time.process_time()
            run()
            seconds[name].append((time.perf_counter() - before[0], time.process_time() - before[1]))
        if time.perf_counter() - start > limit:
            break
    median = {name: np.median(times, axis=0) for name, times in seconds.items()}
    return {name: float(t[0]) for name, t in median.items()}, {
        name: float(t[1]) for name, t in median.items()
    }
