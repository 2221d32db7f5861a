"""Pictures of quasicrystals show what they say."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection

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


def test_diffraction_figure():
    listed = qc.bragg(qc.ammann_beenker(), q_max=9.0, q_perp_max=4.0)
    (axes,) = plot.diffraction_figure(listed, least=1e-3).axes
    (spots,) = axes.collections
    shown = np.asarray(listed.intensities)
    shown = shown[shown >= 1e-3]
    np.testing.assert_allclose(spots.get_sizes() / spots.get_sizes().max(), shown, rtol=1e-5)
    with pytest.raises(ValueError, match="2 or 3"):
        plot.diffraction_figure(qc.bragg(qc.fibonacci(), q_max=9.0, q_perp_max=4.0))
