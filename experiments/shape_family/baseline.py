"""The same with principal components of the distance on a grid instead of a network."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.ndimage import map_coordinates

from geoembed.sdf import evaluate


class GridSDF(eqx.Module):
    """Values on a grid over a cube, interpolated linearly; beyond it those at its wall."""

    values: jnp.ndarray
    half: float = eqx.field(static=True)

    def __call__(self, x):
        """The value at one point."""
        places = (x / self.half + 1) * 0.5 * (self.values.shape[0] - 1)
        return map_coordinates(self.values.astype(x.dtype), list(places), order=1, mode="nearest")


class PrincipalComponents:
    """Codes from the principal components of the distance on a grid.

    Args:
        shapes: The shapes of training.
        size: Numbers in a code.
        grid: Values along each axis.
        half: Half the side of the cube.
        noise: Standard deviation of distances when a code is sought from points.
    """

    def __init__(self, shapes, *, size, grid, half, noise):
        self.grid, self.half, self.noise = grid, half, noise
        axis = np.linspace(-half, half, grid)
        self.nodes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
        data = np.stack([self._sampled(shape) for shape in shapes])
        self.mean = data.mean(axis=0)
        _, singular, rows = np.linalg.svd(data - self.mean, full_matrices=False)
        self.components = rows[:size]
        self.spread = singular[:size] / np.sqrt(len(shapes))  # standard deviation of each number
        self.codes = (data - self.mean) @ self.components.T

    def _sampled(self, shape):
        return evaluate(shape, self.nodes.astype(np.float32))

    def decode(self, code):
        """The shape of a code."""
        values = self.mean + np.asarray(code) @ self.components
        return GridSDF(jnp.asarray(values.reshape((self.grid,) * 3).astype(np.float32)), self.half)

    def embed(self, shape):
        """The code of a shape: a projection."""
        return (self._sampled(shape) - self.mean) @ self.components.T

    def embed_points(self, points, normals, offset):
        """The most probable code, given distances at the points and beside them, and the spread of training."""
        beside = np.concatenate([points, points + offset * normals, points - offset * normals])
        values = np.repeat([0.0, offset, -offset], len(points))
        at = lambda grid: evaluate(  # noqa: E731
            GridSDF(jnp.asarray(grid.reshape((self.grid,) * 3).astype(np.float32)), self.half),
            beside.astype(np.float32),
        )
        rows = np.stack([at(component) for component in self.components], axis=1) * self.spread
        left = rows.T @ rows + self.noise**2 * np.eye(len(self.spread))
        return self.spread * np.linalg.solve(left, rows.T @ (values - at(self.mean)))
