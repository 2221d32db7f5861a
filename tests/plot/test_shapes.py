"""Pictures of shapes."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from geoembed import plot, sdf


def pixels(shape) -> np.ndarray:
    buffer = io.BytesIO()
    plot.shape_figure(shape, pixels=100).savefig(buffer, format="png")
    buffer.seek(0)
    return imread(buffer)[..., :3]


def test_a_ball_covers_its_disc():
    """The picture is 2 · 0.52 diagonals of the box wide, and the ball's outline is a circle in the middle."""
    picture = pixels(sdf.Sphere(1.0))
    assert picture.shape == (100, 100, 3)
    covered = picture.min(axis=2) < 0.95
    assert covered.mean() == pytest.approx(np.pi / (2 * 0.52 * 12**0.5) ** 2, rel=0.03)
    np.testing.assert_allclose(np.argwhere(covered).mean(axis=0), 49.5, atol=0.5)


def test_an_unbounded_shape_is_cut():
    covered = pixels(sdf.HalfSpace((0.0, 0.0, 1.0))).min(axis=2) < 0.95
    assert 0.05 < covered.mean() < 0.5


def test_the_inside_is_blue_in_the_plane():
    """Half the height is the strip, by the room of 0.22 around the square of side 2 in which it is shown."""
    picture = pixels(sdf.Slab((0.0, 1.0), 1.0))
    blue = picture[..., 2] > picture[..., 0] + 0.05
    assert blue[50].mean() > 0.9
    assert not blue[:20].any()
    assert blue.mean() == pytest.approx(1.0 / (3.0 * (1 + 2 * 0.22)), abs=0.04)


def test_an_implicit_solid_cannot_be_drawn():
    with pytest.raises(ValueError, match="no safe step"):
        plot.shape_figure(sdf.Slab((1.0, 0.0, 0.0), 0.5).twist(1.0))
