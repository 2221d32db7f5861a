"""Plane sections against what is known of an L-shaped prism."""

import numpy as np
import pytest

from geoembed.plot._section import middle_section, section, signed_distances
from geoembed.plot._view import angle_basis, best_angles, look
from geoembed.sdf import mesh_sdf, triangle_rule, value_and_gradient
from tests.solved_part import AREA, HEIGHT, PERIMETER, angle_part, in_angle


@pytest.mark.parametrize(
    ("axis", "position", "area", "perimeter"),
    [
        (2, 5.0, AREA, PERIMETER),
        (0, 5.0, 30 * HEIGHT, 84.0),
        (0, 20.0, 10 * HEIGHT, 44.0),
        (1, 29.0, 120.0, 44.0),
    ],
)
def test_area_and_outline(axis, position, area, perimeter):
    cut = section(angle_part(), axis, position)
    assert cut.area == pytest.approx(area, rel=1e-12)
    along = cut.outline[:, 1] - cut.outline[:, 0]
    assert np.linalg.norm(along, axis=1).sum() == pytest.approx(perimeter, rel=1e-12)
    left = cut.outline.mean(axis=1) + 1e-3 * np.stack([-along[:, 1], along[:, 0]], axis=1)
    assert in_angle(cut.points(left))[np.linalg.norm(along, axis=1) > 0.1].all()


def test_the_middle_section_cuts_most():
    cut = middle_section(angle_part())
    assert cut.axis == 2
    assert cut.position == pytest.approx(HEIGHT / 2, abs=1e-4)


def test_grid_of_distances_is_right_in_sign_and_near_the_surface():
    part = angle_part()
    cut = section(part, 2, 6.0)
    spacing = 0.17
    across, up = -0.5 + spacing * np.arange(187), -0.4 + spacing * np.arange(185)
    grid = signed_distances(part, cut, across, up)
    points = cut.points(np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2))
    exact = value_and_gradient(part, points)[0].reshape(grid.shape)
    assert grid.shape == (185, 187)
    assert (np.sign(grid) == np.sign(exact)).all()
    near = np.abs(exact) <= spacing
    np.testing.assert_allclose(grid[near], exact[near], atol=1e-12)


def test_what_is_seen_lies_on_the_part():
    part = angle_part()
    projection = angle_basis(28.0, -60.0)
    picture = look(part, projection, 90)
    assert max(picture.face.shape) in (92, 93)
    distance, _ = value_and_gradient(part, picture.points)
    assert np.abs(distance).max() < 1e-6
    # a ray from the point towards the eye meets the part no more
    ray = picture.points[:, None] + np.array([0.05, 0.5, 2.0, 8.0])[:, None] * projection.toward
    assert not in_angle(ray.reshape(-1, 3), margin=-1e-6).any()
    assert picture.pixel * picture.face.shape[1] == pytest.approx(picture.extent[1] - picture.extent[0])


@pytest.mark.parametrize("mirror", [(1, 1, 1), (-1, -1, 1), (1, -1, -1)])
def test_a_part_is_seen_from_where_most_of_it_is_seen(mirror):
    part = angle_part()
    part = mesh_sdf(part.vertices * mirror, part.faces, unit="mm")
    angles = best_angles(part)
    assert angles[0] > 0  # above and below show the same of a prism

    def area(elevation, azimuth):
        """Of the points of a fine lattice on the surface, those with nothing between them and the eye."""
        toward = angle_basis(elevation, azimuth).toward
        rule = triangle_rule(part.vertices[part.faces], 1.5)
        ray = rule.points[:, None] + np.geomspace(1e-3, 60, 60)[:, None] * toward
        free = ~in_angle(ray.reshape(-1, 3) * mirror, -1e-9)
        seen = free.reshape(len(rule.points), -1).all(axis=1) & (part.normals[rule.faces] @ toward > 0)
        return rule.weights[seen].sum()

    assert area(*angles) > 0.9 * max(area(28.0, azimuth) for azimuth in (-60.0, 30.0, 120.0, -150.0))
