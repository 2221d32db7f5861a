"""Closed parts that cut or touch each other, and parts that do not."""

import numpy as np
import pytest
import trimesh

from geoembed.sdf import mesh_sdf
from geoembed.sdf._overlap import _edges_meet, parts_meet


def box(size, at=(0.0, 0.0, 0.0)):
    made = trimesh.creation.box(size)
    made.apply_translation(at)
    return made


def meet(*parts, scale=1.0):
    whole = trimesh.util.concatenate(parts)
    components = np.repeat(np.arange(len(parts)), [len(part.faces) for part in parts])
    return parts_meet(scale * np.array(whole.vertices), np.array(whole.faces, np.int64), components)


CUBE = box((2, 2, 2))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((CUBE, box((2, 2, 2), (1, 0.3, 0.2))), True),
        ((CUBE, box((2, 2, 2), (1, 0.3, 0))), True),  # two sides of each in the same planes
        ((box((6, 1, 1)), box((1, 6, 1))), True),  # no corner of one lies in the other
        ((box((6, 1, 1)), box((1, 6, 1), (0, 0, 0.5))), True),
        ((CUBE, box((1, 1, 1), (0, 0, 1.5))), True),  # on top of it
        ((box((6, 1, 1)), box((1, 6, 1), (0, 0, 1))), True),  # crosswise on top of it
        ((CUBE, box((1, 1, 3))), True),  # a bolt
        ((CUBE, box((1, 1, 1))), False),  # within it
        ((CUBE, box((2, 2, 2), (2.001, 0, 0))), False),
        ((trimesh.creation.icosphere(3), box((0.2, 0.2, 0.2), (0.9, 0.9, 0.9))), False),  # in its box only
        ((CUBE, box((2, 2, 2), (2, 2, 2))), False),  # touching in a corner
        ((CUBE, box((2, 2, 2), (2, 2, 0.3))), False),  # along an edge
        ((CUBE,), False),
    ],
)
def test_boxes(parts, expected):
    assert meet(*parts) == expected
    assert meet(*parts[::-1], scale=1e30) == expected


def test_many_faces():
    sphere = trimesh.creation.icosphere(4)
    beside, within = sphere.copy(), sphere.copy()
    beside.apply_translation((1.5, 0.1, 0.2))
    within.apply_scale(0.95)
    assert meet(sphere, beside)
    assert not meet(sphere, within)


def test_edges_through_triangles_by_linear_equations():
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 2000, 3, 3))
    found = _edges_meet(first, second)
    for k in range(3):
        along = first[:, (k + 1) % 3] - first[:, k]
        matrix = np.stack([second[:, 1] - second[:, 0], second[:, 2] - second[:, 0], -along], axis=2)
        u, v, t = np.linalg.solve(matrix, (first[:, k] - second[:, 0])[..., None])[..., 0].T
        np.testing.assert_array_equal(found[:, k], (u >= 0) & (v >= 0) & (u + v <= 1) & (t >= 0) & (t <= 1))
    assert 100 < found.sum() < 2000


def test_a_hollow_part_keeps_its_exact_sign():
    hollow = trimesh.util.concatenate([CUBE, box((1, 1, 1))])
    faces = np.array(hollow.faces)
    faces[12:] = faces[12:, ::-1]
    part = mesh_sdf(np.array(hollow.vertices), faces, unit="mm")
    assert (part.sign, part.sign_reliable) == ("pseudonormal", True)
