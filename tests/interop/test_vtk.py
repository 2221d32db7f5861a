"""What ParaView gets is the part and the field."""

import dataclasses

import meshio
import numpy as np
import pytest

import geoembed
from geoembed.interop import write_field_series, write_surface_vtu, write_vtu
from geoembed.interop._hexahedra import fitted_hexahedra
from geoembed.pinn import Initial, Problem, TransientField, TransientHeat
from geoembed.sdf._subdivide import subdivide
from tests.solved_part import AREA, HEIGHT, PERIMETER, in_angle, solved_angle

FACES = [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]  # VTK, outwards


def _field(result, points):
    value, gradient = geoembed.sdf.value_and_gradient(result.field, points)
    return value, gradient


def _volumes(corners):
    """By the divergence theorem, each face as a fan of four triangles around its middle."""
    total = np.zeros(len(corners))
    origin = corners.mean(axis=1)
    for face in FACES:
        ring = corners[:, face] - origin[:, None]
        middle = ring.mean(axis=1)
        for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
            total += np.linalg.det(np.stack([middle, ring[:, a], ring[:, b]], axis=1)) / 6
    return total


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    path = tmp_path_factory.mktemp("vtu") / "temperature.vtu"
    write_vtu(path, *solved_angle())
    return meshio.read(path)


@pytest.fixture(scope="module")
def surface(tmp_path_factory):
    path = tmp_path_factory.mktemp("vtu") / "surface.vtu"
    write_surface_vtu(path, *solved_angle())
    return meshio.read(path)


def test_volume_is_hexahedra_that_fill_the_part(volume):
    (block,) = volume.cells
    assert block.type == "hexahedron"
    volumes = _volumes(volume.points[block.data])
    assert volumes.min() > 0
    assert volumes.sum() == pytest.approx(AREA * HEIGHT, rel=0.03)


def test_volume_stays_in_the_part_and_reaches_its_edges(volume):
    assert in_angle(volume.points, margin=1e-9).all()
    # where three convex edges meet, a corner of the mesh sits on the corner of the part
    for corner in ([0, 0, 0], [30, 0, HEIGHT], [0, 30, 0]):
        assert np.linalg.norm(volume.points - corner, axis=1).min() < 1e-9


def test_volume_has_no_stray_points_and_neighbours_share_faces(volume):
    cells = volume.cells[0].data
    assert np.array_equal(np.unique(cells), np.arange(len(volume.points)))
    faces = np.sort(cells[:, np.array(FACES)].reshape(-1, 4), axis=1)
    _, seen = np.unique(faces, axis=0, return_counts=True)
    assert set(seen) == {1, 2}
    assert (seen == 2).sum() > len(cells)  # most faces lie between two cells


def test_volume_carries_the_field(volume):
    problem, result = solved_angle()
    temperature = volume.point_data["temperature"]
    assert temperature.dtype == np.float64
    np.testing.assert_array_equal(temperature, _field(result, volume.points)[0])
    distance = volume.point_data["signed_distance"]
    inside = in_angle(volume.points, margin=-1e-6)
    assert (distance[inside] < 0).all()
    assert np.abs(distance[~inside]).max() < 2e-6
    assert problem.domain.unit == "mm"


def test_heat_flux_is_minus_k_times_the_slope_in_si(volume):
    _, result = solved_angle()
    middle = volume.points[volume.cells[0].data].mean(axis=1)
    step = 1e-4  # mm
    slope = np.stack(
        [
            (_field(result, middle + step * e)[0] - _field(result, middle - step * e)[0]) / (2 * step)
            for e in np.eye(3)
        ],
        axis=1,
    )
    flux = volume.cell_data["heat_flux"][0]
    np.testing.assert_allclose(flux, -0.5 * slope / 1e-3, atol=2e-3 * np.abs(flux).max())
    assert flux[:, 1].mean() > 0  # heat enters at y = 0


def test_coarse_cells_are_split_until_the_volume_is_right():
    problem, result = solved_angle(cells=300)
    mesh = fitted_hexahedra(problem.domain, result.field)
    assert len(mesh.cells) > 4 * len(result.field.keys)
    assert mesh.volume.sum() == pytest.approx(AREA * HEIGHT, rel=0.03)
    np.testing.assert_allclose(mesh.volume, _volumes(mesh.points[mesh.cells]), rtol=1e-9, atol=1e-12)


def test_surface_is_the_part_s_and_closed(surface):
    (block,) = surface.cells
    assert block.type == "triangle"
    corners = surface.points[block.data]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = 0.5 * np.linalg.norm(cross, axis=1)
    patch = surface.cell_data["patch"][0]
    problem, _ = solved_angle()
    assert problem.resolved.names == ("hot", "rest")
    assert area[patch == 0].sum() == pytest.approx(30 * HEIGHT, rel=1e-12)
    assert area.sum() == pytest.approx(2 * AREA + PERIMETER * HEIGHT, rel=1e-12)
    assert (cross[patch == 0] / (2 * area[patch == 0, None])).mean(axis=0) == pytest.approx([0, -1, 0])
    directed = np.concatenate([block.data[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    there, back = ({tuple(e) for e in edges.tolist()} for edges in (directed, directed[:, ::-1]))
    assert len(there) == len(directed)
    assert there == back


def test_surface_carries_the_field_and_the_heat(surface):
    problem, result = solved_angle()
    np.testing.assert_array_equal(surface.point_data["temperature"], _field(result, surface.points)[0])
    data = surface.cells[0].data
    corners = surface.points[data]
    area = 0.5e-6 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    rest = surface.cell_data["patch"][0] == 1
    leaving = surface.cell_data["outward_heat_flux"][0]
    at_middle, _ = _field(result, corners.mean(axis=1))
    np.testing.assert_allclose(leaving[rest], 25.0 * (at_middle[rest] - 293.0), rtol=1e-9)
    assert (area * leaving)[rest].sum() == pytest.approx(-dict(result.heat)["rest"], rel=0.02)
    # through the held patch, whose normal is −y, what the field conducts
    slope = _field(result, corners.mean(axis=1))[1][~rest, 1]
    np.testing.assert_allclose(leaving[~rest], 0.5 * slope / 1e-3, rtol=1e-9)
    assert (area * leaving)[~rest].sum() < 0  # heat enters
    assert np.unique(surface.cell_data["face"][0]).size == len(problem.domain.faces)


def test_subdivide_obeys_its_limits():
    vertices = np.array([[0, 0, 0], [10, 0, 0], [10, 0.1, 0], [0, 5, 0]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    points, pieces, home = subdivide(vertices, faces, 0.7, most=100_000)
    corners = points[pieces]
    assert np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max() <= 0.7
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = 0.5 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    assert np.bincount(home, area) == pytest.approx([0.5, 25.0])
    _, few, _ = subdivide(vertices, faces, 1e-3, most=64)
    assert len(few) <= 64


def test_a_series_of_a_part(tmp_path):
    """A field that is made up, T = 300 + t at every point: each file has its moment."""
    problem, result = solved_angle()
    steady = result.temperature
    times, size = np.array([0.0, 4.0]), len(steady.coefficients)
    rows = np.array([0.0, 4.0, 1.0, 1.0])[:, None] * np.ones((1, size))
    frames = dataclasses.replace(steady, coefficients=rows, finer=None, reference=300.0, scale=1.0)
    conditions = [Initial(300.0)]
    heated = Problem(problem.domain, TransientHeat(2.0, 1e6), conditions, problem.patches, time=(0.0, 4.0))
    write_field_series(
        tmp_path / "heat.pvd",
        heated,
        dataclasses.replace(result, field=TransientField(frames, times)),
        moments=3,
    )
    assert (tmp_path / "heat.pvd").read_text().count("<DataSet") == 3
    middle = meshio.read(tmp_path / "heat" / "heat_0001.vtu")
    np.testing.assert_allclose(middle.point_data["temperature"], 302.0)
    np.testing.assert_allclose(middle.cell_data["heat_flux"][0], 0.0, atol=1e-6)
