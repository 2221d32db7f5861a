"""Which splines become features: one for a connected support, several for one that the surface cuts apart."""

import numpy as np
import pytest

from geoembed.pinn._features import SplineFeatures
from geoembed.sdf import occupied_cells, triangle_rule
from tests.pinn.parts import box, rotation, together, u_shape

LOCAL = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def features_of(part, spacing, offset):
    surface = triangle_rule(part.vertices[part.faces], 0.7 * spacing).points
    surface = np.concatenate([surface, part.vertices])
    return SplineFeatures(
        occupied_cells(part, part.bounds, spacing, offset=np.array(offset), surface=surface)
    )


def splines(features):
    """The number of each spline of the grid that reaches an occupied cell, for each cell."""
    position = (features.cells.index[:, None] + LOCAL[None]).reshape(-1, 3)
    _, number = np.unique(position, axis=0, return_inverse=True)
    return number.reshape(-1, 27)


def later_pieces(features):
    """The filled volume, in cells, of each feature but the largest of its spline."""
    volume = np.ones(len(features.cells.index))
    volume[features.cells.cut] = features.cells.filled.mean(axis=1)
    own = np.bincount(features.cell_features.ravel(), np.repeat(volume, 27))
    spline = np.zeros(features.count, int)
    spline[features.cell_features] = splines(features)
    order = np.lexsort((-own, spline))
    return own[order][1:][np.diff(spline[order]) == 0]


@pytest.fixture(scope="module")
def plain():
    return features_of(box((1.0, 0.7, 0.43)), 0.15, (0.37, 0.71, 0.13))


@pytest.fixture(scope="module")
def slabs():
    """0.05 apart on a grid of 0.25, which has a plane in the gap, x = 1.025."""
    return features_of(together(box((1, 1, 1)), box((1, 1, 1), (1.05, 0, 0))), 0.25, (0.9, 0.37, 0.37))


@pytest.mark.parametrize("offset", [(0.37, 0.71, 0.13), (0.999, 0.001, 0.5)])
@pytest.mark.parametrize("angle", [0.0, 37.0])
def test_a_convex_part_is_split_into_crumbs_at_most(offset, angle):
    """At its edges a support may hold two corners that meet outside it only; never two large pieces."""
    features = features_of(box((1.0, 0.7, 0.43), rotation=rotation((1, 2, 3), angle)), 0.15, offset)
    assert later_pieces(features).max() < 1.0


def test_a_part_on_the_grid_has_one_feature_a_spline():
    features = features_of(box((1.0, 0.75, 0.5)), 0.125, (0.5, 0.5, 0.5))
    assert features.count == splines(features).max() + 1


def test_numbers_are_complete(plain):
    assert np.array_equal(np.unique(plain.cell_features), np.arange(plain.count))
    assert plain.cell_features.shape == (len(plain.cells.index), 27)


def test_two_slabs_share_no_feature(slabs):
    right = (slabs.cells.origin + slabs.cells.spacing * (slabs.cells.index + 0.5))[:, 0] > 1.025
    ours, theirs = slabs.cell_features[right], slabs.cell_features[~right]
    assert not set(ours.ravel()) & set(theirs.ravel())
    assert later_pieces(slabs).max() > 1.0


def test_two_slabs_can_have_two_temperatures(slabs):
    right = (slabs.cells.origin + slabs.cells.spacing * (slabs.cells.index + 0.5))[:, 0] > 1.025
    coefficients = np.zeros(slabs.count)
    coefficients[slabs.cell_features[right]] = 1.0
    points = np.random.default_rng(0).uniform(0, 1, (500, 3))
    np.testing.assert_allclose(slabs.values(points) @ coefficients, 0, atol=1e-14)
    np.testing.assert_allclose(slabs.values(points + np.array([[1.05, 0, 0]])) @ coefficients, 1, atol=1e-14)


def test_the_legs_of_a_u_are_apart_above_and_together_below():
    features = features_of(u_shape(), 0.25, (0.9, 0.37, 0.37))
    middle = features.cells.origin + features.cells.spacing * (features.cells.index + 0.5)

    def shared(z):
        layer = np.argmin(np.abs(np.unique(middle[:, 2]) - z))
        here = np.isclose(middle[:, 2], np.unique(middle[:, 2])[layer])
        left = here & np.isclose(middle[:, 0], 0.9)
        right = here & np.isclose(middle[:, 0], 1.15)
        return set(features.cell_features[left].ravel()) & set(features.cell_features[right].ravel())

    assert not shared(2.0)
    assert shared(0.25)


def test_values_sum_to_one_inside_and_to_zero_far_away(plain):
    points = np.random.default_rng(0).uniform(0, 1, (300, 3)) * [[1.0, 0.7, 0.43]]
    np.testing.assert_allclose(plain.values(points).sum(axis=1), 1, atol=1e-13)
    assert plain.values(points + 10).nnz == 0 or np.all(plain.values(points + 10).data == 0)


def test_gradients_are_differences(plain):
    points = 0.1 + np.random.default_rng(0).uniform(0, 0.3, (40, 3))
    coefficients = np.random.default_rng(1).normal(size=plain.count)
    slope = (plain.gradients(points) @ coefficients).reshape(-1, 3)
    for axis in range(3):
        step = 1e-6 * np.eye(3)[None, axis]
        up, down = plain.values(points + step) @ coefficients, plain.values(points - step) @ coefficients
        np.testing.assert_allclose(slope[:, axis], (up - down) / 2e-6, atol=1e-6)
