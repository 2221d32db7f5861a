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


def test_chain_figure():
    model = qc.fibonacci()
    cut = qc.cut(model, box=8.0)
    figure = plot.chain_figure(model, cut)
    lattice, chain = figure.axes
    assert [axes.get_label() for axes in figure.axes] == ["lattice", "chain"]
    long, short, _ = (c for c in chain.collections if isinstance(c, LineCollection))
    for tiles, length in ((long, (1 + 5**0.5) / 2), (short, 1.0)):
        ends = np.array(tiles.get_segments())
        np.testing.assert_allclose(ends[:, 1, 0] - ends[:, 0, 0], length, atol=1e-5)
    assert len(long.get_segments()) + len(short.get_segments()) == len(cut) - 1
    beside = lattice.collections[-2].get_offsets()
    assert len(beside) > 10
    assert np.all(np.abs(beside[:, 1]) > (1 + 5**0.5) / 4), "what is not in the chain is not in the strip"
    with pytest.raises(ValueError, match="one dimension"):
        plot.chain_figure(qc.penrose(), cut)


def test_sites_figure():
    cut = qc.cut(qc.icosahedral(), radius=2.0)
    sites, perp, _ = plot.sites_figure(cut).axes
    for axes, points in ((sites, cut.points), (perp, cut.perp)):
        (drawn,) = axes.collections
        order = np.argsort(-np.linalg.norm(np.asarray(cut.perp, float), axis=1))
        np.testing.assert_allclose(drawn.get_offsets(), np.asarray(points)[order, :2], rtol=1e-6)
    thin = plot.sites_figure(cut, view=np.eye(3)[[2, 0]], thickness=0.5).axes[0].collections[0].get_offsets()
    slab = np.abs(np.asarray(cut.points)[:, 1]) <= 0.25
    assert len(thin) == slab.sum() > 3
    oblique = np.linalg.qr(np.array([[1.0, 2, 3], [0, 1, 5]]).T)[0].T
    away = qc.cut(qc.icosahedral(shift=jnp.array([1.1, 0.0, 0.0])), radius=1.0)
    with pytest.raises(ValueError, match="no site is within"):
        plot.sites_figure(away, view=oblique, thickness=1e-6)
    with pytest.raises(ValueError, match="two components"):
        plot.sites_figure(qc.cut(qc.fibonacci(), box=3.0))


def test_dislocation_figure():
    """Drawn in perpendicular space are the lattice vectors as they were; edges cross the cut."""
    model = qc.ammann_beenker()
    along, across = (np.asarray(part, np.float64) for part in model.lattice.projections())
    vector = np.array([0, 1, 0, 1])
    field = qc.winding(jnp.asarray(np.concatenate([along @ vector, across @ vector]), jnp.float32))
    sites = qc.dislocated_cut(
        along, across, field, lambda q: qc.in_shadow(across, q), radius=5.0, core=1.0, branch=-3.0,
        window_radius=qc.shadow_radius(across), shift=np.array([0.031, 0.017]),
    )  # fmt: skip
    figure = plot.dislocation_figure(sites, across, vector, edge=1.0)
    places, window = figure.axes[:2]
    (edges,) = [c for c in places.collections if isinstance(c, LineCollection)]
    ends = np.array(edges.get_segments())
    assert np.abs(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) - 1).max() < 0.35
    # a vertex has four edges on average, those at the rim fewer
    assert 1.6 < len(ends) / len(sites.points) < 2.0
    cut = np.array([np.cos(-3.0), np.sin(-3.0)])
    sides = ends @ np.array([-cut[1], cut[0]])
    crossing = (sides[:, 0] * sides[:, 1] < 0) & ((ends @ cut).min(axis=1) > 0)
    assert crossing.sum() > 2
    (points,) = [c for c in window.collections if not isinstance(c, LineCollection)]
    np.testing.assert_allclose(points.get_offsets(), sites.indices @ across.T, atol=1e-9)
    assert len(window.patches) >= 6, "the window of every sector"
