"""Occupied cells: volume and moments against exact figures, openings between cells, necks and crumbs."""

import numpy as np
import pytest
import trimesh
from scipy import sparse
from scipy.sparse import csgraph

from geoembed.core import InputError
from geoembed.sdf import mesh_sdf, micro_centres, occupied_cells, triangle_rule
from tests.pinn.parts import blocks, box, rotation, shell, together, u_shape


def cells_of(part, spacing, offset=(0.37, 0.71, 0.13), tied=None):
    surface = triangle_rule(part.vertices[part.faces], 0.7 * spacing).points
    surface = np.concatenate([surface, part.vertices])
    mask = None if tied is None else tied(surface)
    return occupied_cells(part, part.bounds, spacing, offset=np.array(offset), surface=surface, tied=mask)


def moments(cells):
    """Volume and ∫ x dV by the quadrature."""
    filled = np.ones((len(cells.index), len(micro_centres())))
    filled[cells.cut] = cells.filled
    weights = filled * cells.spacing**3 / filled.shape[1]
    points = cells.origin + cells.spacing * (cells.index[:, None] + micro_centres()[None])
    return weights.sum(), np.einsum("km,kmi->i", weights, points)


def pieces(cells):
    """The connected pieces of the cells, through open faces."""
    keys = {tuple(place): number for number, place in enumerate(cells.index)}
    pairs = [
        (number, keys[tuple(cells.index[number] + np.eye(3, dtype=int)[axis])])
        for number, axis in np.argwhere(cells.open_faces)
    ]
    a, b = np.array(pairs).T
    graph = sparse.coo_array((np.ones(len(a)), (a, b)), shape=(len(keys), len(keys)))
    return csgraph.connected_components(graph, directed=False)


@pytest.mark.parametrize("offset", [(0.0, 0.0, 0.0), (0.37, 0.71, 0.13), (0.999, 0.5, 0.25)])
def test_a_box_has_its_volume_and_centre(offset):
    size = np.array([1.0, 0.7, 0.43])
    volume, moment = moments(cells_of(box(size, (3.0, -2.0, 1.0)), 0.08, offset))
    exact = size.prod()
    assert abs(volume / exact - 1) < 4e-3
    np.testing.assert_allclose(moment / volume, np.array([3.0, -2.0, 1.0]) + size / 2, atol=1e-3)


def test_whole_cells_of_a_box_on_the_grid_are_exact():
    """Faces on cell planes: no cell is partly filled, so the volume is exact."""
    cells = cells_of(box((1.0, 0.5, 0.25)), 0.125, (0.0, 0.0, 0.0))
    np.testing.assert_allclose(cells.volume, 0.125, rtol=1e-6)


def test_a_turned_box_has_its_volume_and_centre():
    turn = rotation((1, 2, 3), 37.0)
    size = np.array([1.0, 0.7, 0.43])
    volume, moment = moments(cells_of(box(size, rotation=turn), 0.08))
    assert abs(volume / size.prod() - 1) < 5e-3
    np.testing.assert_allclose(moment / volume, turn @ (size / 2), atol=1e-3)


@pytest.mark.parametrize("offset", [(0.37, 0.71, 0.13), (0.15, 0.8, 0.24), (0.97, 0.02, 0.5)])
def test_cells_at_edges_and_corners_are_filled_as_they_should(offset):
    """A cell and an upright box share a box. In some cells no octant has its centre near the second face."""
    size = np.array([1.0, 0.7, 0.43])
    cells = cells_of(box(size), 0.15, offset)
    lower = cells.origin + cells.spacing * cells.index
    shared = np.clip(np.minimum(lower + cells.spacing, size) - np.maximum(lower, 0), 0, None).prod(axis=1)
    filled = np.ones(len(cells.index))
    filled[cells.cut] = cells.filled.mean(axis=1)
    np.testing.assert_allclose(filled, shared / cells.spacing**3, atol=0.012)
    assert abs(cells.volume / size.prod() - 1) < 3e-3


def test_a_ball_with_a_cavity_has_its_volume():
    part = shell(subdivisions=2)
    exact = trimesh.Trimesh(part.vertices, part.faces, process=False).volume
    errors = [abs(cells_of(part, spacing).volume / exact - 1) for spacing in (0.5, 0.25)]
    assert errors[1] < 5e-3
    assert errors[1] < errors[0]


def test_every_cell_touches_the_part_and_none_is_missing():
    part = box((1.0, 0.7, 0.43))
    cells = cells_of(part, 0.08)
    assert np.array_equal(cells.keys, np.unique(cells.keys))
    lower = cells.origin + cells.spacing * cells.index
    assert np.all(lower <= part.bounds[1] + 1e-12)
    assert np.all(lower + cells.spacing >= part.bounds[0] - 1e-12)
    inside = np.random.default_rng(1).uniform(0, 1, (3000, 3)) * part.bounds[1]
    row = cells.locate(inside)
    assert np.all(row >= 0)
    local = (inside - cells.origin) / cells.spacing - cells.index[row]
    assert np.all((local >= 0) & (local <= 1))
    assert np.all(cells.locate(np.array([[5.0, 0, 0], [-5.0, 0, 0], [0, 0, 1e6]])) == -1)


def test_cells_with_surface_points_are_kept():
    part = box((1.0, 1.0, 1.0))
    surface = triangle_rule(part.vertices[part.faces], 0.05).points
    assert np.all(cells_of(part, 0.11, (0.999, 0.999, 0.999)).locate(surface) >= 0)


def test_a_convex_part_is_one_piece():
    for offset in ((0.37, 0.71, 0.13), (0.999, 0.999, 0.999), (0.001, 0.5, 0.999)):
        count, _ = pieces(cells_of(box((1.0, 0.7, 0.43), rotation=rotation((1, 2, 3), 37.0)), 0.08, offset))
        assert count == 1


def test_a_gap_thinner_than_a_cell_parts_two_bodies():
    """The plane x = 1.025 between the bodies is a plane of the grid: -0.25 · 1.9 + 6 · 0.25."""
    part = together(box((1, 1, 1)), box((1, 1, 1), (1.05, 0, 0)))
    cells = cells_of(part, 0.25, (0.9, 0.37, 0.37))
    count, label = pieces(cells)
    assert count == 2
    right = (cells.origin + cells.spacing * (cells.index + 0.5))[:, 0] > 1.025
    assert len(set(label[right])) == len(set(label[~right])) == 1


def test_the_legs_of_a_u_are_joined_by_its_base_only():
    part = u_shape()
    cells = cells_of(part, 0.25, (0.9, 0.37, 0.37))
    assert pieces(cells)[0] == 1
    middle = cells.origin + cells.spacing * (cells.index + 0.5)
    across = (np.abs(middle[:, 0] - 0.9) < 1e-9) & cells.open_faces[:, 0]  # the cells left of x = 1.025
    assert across.any()
    assert np.all(middle[across, 2] < 0.5 + 0.125)


@pytest.mark.parametrize("width", [0.02, 0.005])
def test_a_neck_thinner_than_the_test_points_does_not_part_a_body(width):
    """Two cubes joined by a rod; only the left end fixes the level of a field."""
    low, high = 0.5 - width / 2, 0.5 + width / 2
    solid = np.zeros((3, 3, 3), bool)
    solid[0], solid[2], solid[1, 1, 1] = True, True, True
    part = blocks([0, 1, 2, 3], [0, low, high, 1], [0, low, high, 1], solid)
    cells = cells_of(part, 0.2, tied=lambda points: points[:, 0] < 1e-9)
    assert pieces(cells)[0] == 1


def test_too_fine_a_spacing_is_refused():
    part = box((1, 1, 1))
    with pytest.raises(InputError, match="too many cells"):
        occupied_cells(part, part.bounds, 1e-4, offset=np.zeros(3), surface=np.zeros((0, 3)))


def test_the_unit_of_length_does_not_matter():
    small = mesh_sdf(
        box((1, 0.7, 0.43)).vertices * 1e-3, box((1, 0.7, 0.43)).faces.astype(np.int64), unit="m"
    )
    one, other = cells_of(box((1, 0.7, 0.43)), 0.08), cells_of(small, 0.08e-3)
    assert np.array_equal(one.keys, other.keys)
    np.testing.assert_allclose(one.filled, other.filled, atol=1e-6)
