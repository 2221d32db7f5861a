"""Pictures of quasicrystals show what they say."""

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection

from geoembed import plot
from geoembed import quasicrystal as qc


def test_tiling_figure():
    cut = qc.cut(qc.ammann_beenker(), box=6.0)
    figure = plot.tiling_figure(cut, edge=1.0)
    tiling, window = figure.axes
    assert [axes.get_label() for axes in figure.axes] == ["tiling", "window"]
    (edges,) = [c for c in tiling.collections if isinstance(c, LineCollection)]
    lengths = [np.linalg.norm(b - a) for a, b in edges.get_segments()]
    np.testing.assert_allclose(lengths, 1.0, atol=1e-5)
    drawn = sum(len(c.get_offsets()) for c in tiling.collections if c is not edges)
    assert drawn == len(cut)
    named = [text.get_text() for text in window.get_legend().get_texts()]
    assert set(named) <= set("345678")
    # each kind has its own part of the octagon: the vertices with 8 neighbours are nearest to its centre
    spread = [np.linalg.norm(c.get_offsets(), axis=1).mean() for c in window.collections]
    assert np.all(np.diff(spread) < 0)
    with pytest.raises(ValueError, match="2 components"):
        plot.tiling_figure(qc.cut(qc.icosahedral(), box=1.0), edge=1.0)


def reflections(dimension):
    factors = np.array([1.0, 0.7j, -0.5, 0.01])
    q = np.arange(4.0 * dimension).reshape(4, dimension)
    q[:, 2:] = [[0.0]] * 3 + [[1.0]]
    arrays = (np.zeros((4, 4)), q, np.zeros((4, 2)), factors)
    return qc.Bragg(*[jnp.asarray(a.astype(np.complex64 if a is factors else np.float32)) for a in arrays])


def test_diffraction_figure():
    (axes,) = plot.diffraction_figure(reflections(2), least=1e-3).axes
    (spots,) = axes.collections
    np.testing.assert_allclose(spots.get_sizes() / spots.get_sizes().max(), [1.0, 0.49, 0.25], rtol=1e-6)
    np.testing.assert_allclose(spots.get_offsets(), [[0, 1], [2, 3], [4, 5]])
    (axes,) = plot.diffraction_figure(reflections(3), least=0.0).axes
    assert len(axes.collections[0].get_offsets()) == 3, "the plane of the first two components"
    with pytest.raises(ValueError, match="2 or 3"):
        plot.diffraction_figure(reflections(1))


def test_tiles_figure():
    model = qc.penrose()
    cut = qc.cut(model, box=6.0)
    tiling = qc.tiling(model, cut)
    left, right = plot.tiles_figure(cut, tiling).axes
    polygons = [c for c in left.collections if isinstance(c, PolyCollection)]
    areas = []
    for drawn, tiles in zip(polygons, tiling.tiles, strict=True):
        assert len(drawn.get_paths()) == len(tiles.corners)
        x, y = drawn.get_paths()[0].vertices[:4].T
        areas.append(0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))))
    np.testing.assert_allclose(areas, np.sin(np.radians([36, 72])), atol=1e-5)
    assert sum(len(c.get_offsets()) for c in right.collections) == len(cut)
    assert len(right.get_legend().get_texts()) == len(np.unique(tiling.types))
    three = qc.icosahedral()
    with pytest.raises(ValueError, match="2 components"):
        plot.tiles_figure(qc.cut(three, box=1.0), tiling)
