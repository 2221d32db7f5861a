"""The surface rule: exact area, bounded pieces, convergence."""

import numpy as np
import trimesh

from geoembed.sdf import triangle_rule

SLIVER = np.array([[[0, 0, 0], [10, 0, 0], [5, 1e-3, 0]]], float)


def sphere():
    mesh = trimesh.creation.icosphere(subdivisions=2, radius=1.5)
    return np.asarray(mesh.vertices)[mesh.faces], mesh.area


def test_weights_sum_to_the_area_of_each_face():
    corners, area = sphere()
    rule = triangle_rule(corners, 0.1)
    np.testing.assert_allclose(rule.weights.sum(), area, rtol=1e-12)
    each = 0.5 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    np.testing.assert_allclose(np.bincount(rule.faces, rule.weights), each, rtol=1e-12)
    assert np.all(np.diff(rule.faces) >= 0)


def test_pieces_are_small():
    for corners in (sphere()[0], SLIVER):
        rule = triangle_rule(corners, 0.1)
        assert rule.weights.max() <= 0.5 * 0.1**2
    assert len(triangle_rule(SLIVER, 0.1).points) >= 10 / 0.2  # edges, not only areas, are bounded


def test_a_small_triangle_is_left_whole():
    corners = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]]], float)
    rule = triangle_rule(corners, 5.0)
    np.testing.assert_allclose(rule.points, [[1 / 3, 1 / 3, 0]])


def test_linear_functions_are_exact_and_squares_converge():
    corners = np.array([[[0, 0, 0], [3, 0, 0], [0, 2, 0]]], float)
    errors = []
    for spacing in (0.5, 0.25, 0.125):
        rule = triangle_rule(corners, spacing)
        np.testing.assert_allclose(rule.weights @ rule.points, [3.0, 2.0, 0.0], rtol=1e-12)
        errors.append(abs(rule.weights @ rule.points[:, 0] ** 2 - 4.5))  # ∫ x² = 3³ · 2 / 12
    assert errors[2] < 0.3 * errors[1] < 0.3 * 0.6 * errors[0]
    assert errors[2] < 0.02


def test_points_lie_on_their_faces():
    corners, _ = sphere()
    rule = triangle_rule(corners, 0.2)
    a, b, c = np.moveaxis(corners[rule.faces], 1, 0)
    normal = np.cross(b - a, c - a)
    assert np.abs(np.einsum("ni,ni->n", rule.points - a, normal)).max() < 1e-12
