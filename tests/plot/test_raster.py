"""The depth buffer against a test of every pixel with every triangle."""

import numpy as np
import pytest

from geoembed.plot import _raster
from geoembed.plot._raster import rasterise


def _by_hand(corners, width, height):
    """The nearest triangle at each pixel's middle, from barycentric coordinates."""
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    best, owner = np.full((height, width), np.inf), np.full((height, width), -1)
    for number, triangle in enumerate(corners):
        matrix = np.stack([triangle[:, 0], triangle[:, 1], np.ones(3)])
        weights = np.einsum("ij,jhw->ihw", np.linalg.inv(matrix), np.stack([column, row, np.ones_like(row)]))
        depth = np.where((weights >= 0).all(axis=0), np.einsum("i,ihw->hw", triangle[:, 2], weights), np.inf)
        owner = np.where(depth < best, number, owner)
        best = np.minimum(best, depth)
    return owner, best


@pytest.mark.parametrize("batch", [1_000_000, 50])
def test_matches_every_pixel_of_random_triangles(monkeypatch, batch):
    monkeypatch.setattr(_raster, "_BATCH", batch)
    rng = np.random.default_rng(3)
    corners = rng.uniform([-10, -10, 0], [50, 40, 7], size=(60, 3, 3))  # some reach beyond the picture
    seen = rasterise(corners, 40, 30)
    owner, depth = _by_hand(corners, 40, 30)
    assert (owner >= 0).mean() > 0.5
    np.testing.assert_array_equal(seen.triangle, owner)
    np.testing.assert_allclose(seen.depth, depth, atol=1e-6)


def test_neighbours_leave_no_crack():
    rng = np.random.default_rng(0)
    middle = rng.uniform(5, 15, 2)
    ring = np.array([[0, 0], [20, 0], [20, 20], [0, 20]], float)
    corners = np.array([[middle, ring[i], ring[(i + 1) % 4]] for i in range(4)])
    seen = rasterise(np.concatenate([corners, np.zeros((4, 3, 1))], axis=2), 20, 20)
    assert (seen.triangle >= 0).all()


def test_nothing_and_triangles_without_area():
    assert (rasterise(np.empty((0, 3, 3)), 3, 2).triangle == -1).all()
    line = np.array([[[0, 0.5, 1], [4, 0.5, 1], [2, 0.5, 3]]], float)
    assert np.isfinite(rasterise(line, 4, 4).depth[0]).all()
