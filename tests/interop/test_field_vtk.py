"""Files for ParaView of fields: cells fill the domain, nodes lie on its boundary, values are the field's."""

import xml.etree.ElementTree as ElementTree

import jax.numpy as jnp
import meshio
import numpy as np
import pytest

from geoembed.interop import write_field_series, write_field_vtu
from geoembed.pinn import AllenCahn, Interval, Isotropic, LinearElasticity, NavierStokes2D, Poisson, Problem
from geoembed.sdf import Box, Circle, Sphere
from tests.drawn_field import drawn


def areas(grid):
    """Signed areas of the quadrilaterals of a plane grid, by the formula for polygons."""
    x, y = np.moveaxis(grid.points[grid.cells_dict["quad"]][..., :2], -1, 0)
    return 0.5 * np.sum(x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1), axis=1)


def test_cells_fill_a_plate_with_a_hole(tmp_path):
    problem = Problem(Box((2.0, 2.0)) - Circle(0.5), NavierStokes2D(0.1), [])
    network = lambda f: jnp.stack([f[0], f[1], f[0] * f[1]])  # noqa: E731
    write_field_vtu(tmp_path / "field.vtu", problem, drawn(problem, network), cells=40)
    grid = meshio.read(tmp_path / "field.vtu")
    x, y, z = grid.points.T
    assert np.all(z == 0)
    assert np.hypot(x, y).min() == pytest.approx(0.5, abs=1e-6)
    assert np.all(areas(grid) > 0)
    assert areas(grid).sum() == pytest.approx(4 - np.pi / 4, rel=2e-3)
    np.testing.assert_allclose(grid.point_data["p"], x * y, atol=1e-12)
    np.testing.assert_allclose(grid.point_data["velocity"], np.stack([x, y, 0 * x], axis=1), atol=1e-12)


def test_cells_fill_a_ball(tmp_path):
    problem = Problem(Sphere(1.0), LinearElasticity(Isotropic(1.0, 0.3)), [])
    write_field_vtu(tmp_path / "field.vtu", problem, drawn(problem, lambda f: f), cells=16)
    grid = meshio.read(tmp_path / "field.vtu")
    corners = grid.points[grid.cells_dict["hexahedron"]]
    edges = [corners[:, i] - corners[:, 0] for i in (1, 3, 4)]
    turn = np.einsum("ij,ij->i", np.cross(edges[0], edges[1]), edges[2])  # positive in the order of VTK
    assert np.mean(turn > 0) > 0.99
    assert turn.min() > -0.002 * (2 / 16) ** 3  # a corner of a few cells at the surface is flat
    assert np.linalg.norm(grid.points, axis=1).max() == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(grid.point_data["displacement"], grid.points, atol=1e-12)


def test_a_series_is_one_file_for_each_moment(tmp_path):
    problem = Problem(Box((1.0, 1.0)), AllenCahn(), [], time=(0.0, 4.0))
    write_field_series(tmp_path / "field.pvd", problem, drawn(problem, lambda f: f[2:]), cells=4, moments=3)
    sets = ElementTree.parse(tmp_path / "field.pvd").getroot().findall("./Collection/DataSet")
    assert [float(one.attrib["timestep"]) for one in sets] == [0.0, 2.0, 4.0]
    for one, value in zip(sets, (-1.0, 0.0, 1.0), strict=True):
        np.testing.assert_allclose(
            meshio.read(tmp_path / one.attrib["file"]).point_data["u"], value, atol=1e-12
        )


def test_what_cannot_be_written(tmp_path):
    line = Problem(Interval(0.0, 1.0), Poisson(), [])
    with pytest.raises(ValueError, match="one dimension"):
        write_field_vtu(tmp_path / "a.vtu", line, drawn(line, lambda f: f))
    with pytest.raises(ValueError, match="needs a problem with time"):
        write_field_series(tmp_path / "a.pvd", line, drawn(line, lambda f: f))
