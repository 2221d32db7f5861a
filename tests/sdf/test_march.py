"""Shape → mesh → STL → mesh → shape."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import InputError
from geoembed.sdf import (
    Box,
    Sphere,
    Torus,
    load_mesh,
    march,
    mesh_integrals,
    mesh_quality,
    mesh_sdf,
    write_stl,
)
from geoembed.sdf import value_and_gradient as evaluate

pytest.importorskip("skimage")


def torus(x):
    return jnp.sqrt((jnp.sqrt(x[0] ** 2 + x[1] ** 2) - 1.0) ** 2 + x[2] ** 2) - 0.35


LOWER, UPPER = np.array([-1.5, -1.45, -0.5]), np.array([1.4, 1.5, 0.5])
VOLUME = 2 * np.pi**2 * 0.35**2


def test_there_and_back(tmp_path):
    """The distance of the mesh that comes back is within half a cell, the volume of order two."""
    errors = []
    for cells in (16, 32):
        mesh = march(torus, LOWER, UPPER, cells=cells)
        assert mesh_quality(mesh, "mm").watertight
        write_stl(tmp_path / "torus.stl", mesh.vertices, mesh.faces)
        back = load_mesh(tmp_path / "torus.stl", unit="mm")
        assert back.sign_reliable
        points = LOWER + (UPPER - LOWER) * np.random.default_rng(0).random((2000, 3))
        there, again = np.asarray(jax.vmap(torus)(points)), evaluate(back, points)[0]
        assert np.max(np.abs(again - there)) < 0.5 * 2.95 / cells
        errors.append(abs(float(mesh_integrals(back.vertices, back.faces).volume) / VOLUME - 1))
    assert errors[1] < 0.015
    assert 1.8 < np.log2(errors[0] / errors[1]) < 2.3


def test_vertices_lie_on_the_interpolant_in_float64():
    """A plane between grid points is its own interpolant: the mesh has it to rounding, though far off."""
    lower, upper = np.array([1000.0, 0, 0]), np.array([1001.0, 1, 1])
    mesh = march(lambda x: x[0] - 1000.3000000001, lower, upper, cells=7)
    np.testing.assert_allclose(mesh.vertices[:, 0], 1000.3000000001, rtol=0, atol=5e-13)


def test_shapes_bring_their_box():
    ball = march(Sphere(0.5).translate((3.0, 0.0, 0.0)), cells=20)
    assert np.abs(np.linalg.norm(ball.vertices - np.array([3.0, 0, 0]), axis=1) - 0.5).max() < 1e-3 + 0.05**2
    found = mesh_integrals(ball.vertices, ball.faces)
    assert float(found.volume) > 0  # outwards
    np.testing.assert_allclose(found.centre, [3, 0, 0], atol=1e-5)  # the box is of float32


def test_the_box_need_not_be_a_cube_and_the_surface_may_meet_nodes():
    plate = march(Box((4.0, 2.0, 0.5)), np.array([-3.0, -2, -1]), np.array([3.0, 2, 1]), cells=(12, 8, 16))
    assert mesh_sdf(plate.vertices, plate.faces, unit="m").sign_reliable
    assert mesh_integrals(plate.vertices, plate.faces).volume == pytest.approx(
        4, rel=0.15
    )  # edges are cut off
    assert len(march(Torus(1.0, 0.3), cells=12).notes) == 1


def test_the_mode_of_the_caller_does_not_matter():
    with jax.enable_x64(True):
        wide = march(torus, LOWER, UPPER, cells=8)
    np.testing.assert_array_equal(wide.vertices, march(torus, LOWER, UPPER, cells=8).vertices)


def test_what_cannot_be_marched():
    with pytest.raises(InputError, match="every point of the grid is outside"):
        march(lambda x: x[0] + 10.0, LOWER, UPPER, cells=4)
    with pytest.raises(InputError, match="not finite"):
        march(lambda x: jnp.log(x[0]), LOWER, UPPER, cells=4)
    with pytest.raises(ValueError, match="no bounds"):
        march(torus)
    with pytest.raises(ValueError, match="both corners"):
        march(torus, LOWER)
    with pytest.raises(ValueError, match="cells"):
        march(torus, LOWER, UPPER, cells=0)


def test_without_scikit_image(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "skimage.measure", None)
    with pytest.raises(ModuleNotFoundError, match=r"geoembed\[march\]"):
        march(torus, LOWER, UPPER, cells=4)
