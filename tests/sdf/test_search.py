"""Clusters, the order along a Hilbert curve, keys, and the search against brute force."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.sdf._meshes._blocks import BLOCK, _boxed
from geoembed.sdf._meshes._clusters import grouped_clusters
from geoembed.sdf._meshes._hilbert import hilbert_order
from geoembed.sdf._meshes._keys import NONE, keys, least, limit, number_mask
from geoembed.sdf._meshes._mesh_tables import triangle_tables
from geoembed.sdf._meshes._search import _search_block, nearest_triangle, search_table
from tests.sdf.test_mesh import ericson_distance


def soup(count, seed=0, size=0.1):
    """Triangles of many sizes without any order."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-0.45, 0.45, (count, 1, 3))
    return centres + size * rng.exponential(size=(count, 1, 1)) * rng.normal(size=(count, 3, 3)) / 3


def table_of(corners, dtype):
    triangles = triangle_tables(corners, np.arange(3 * len(corners)).reshape(-1, 3))
    members = grouped_clusters(corners.min(axis=1), corners.max(axis=1))
    cast = lambda leaf: jnp.asarray(leaf, dtype if leaf.dtype == np.float64 else leaf.dtype)  # noqa: E731
    return jax.tree.map(cast, search_table(triangles, members))


@pytest.mark.parametrize("count", [1, 31, 32, 33, 512, 513, 2000])
def test_every_triangle_has_a_place_in_full_clusters(count):
    corners = soup(count)
    members = grouped_clusters(corners.min(axis=1), corners.max(axis=1))
    groups, per_group, per_cluster = members.shape
    assert (per_group, per_cluster) == (16, 32)
    assert groups & (groups - 1) == 0
    assert groups <= 2 * -(-count // 512)
    assert set(members[members >= 0]) == set(range(count))
    filled = members >= 0
    np.testing.assert_array_equal(filled.all(axis=2), filled.any(axis=2))
    assert np.sum(filled) == -(-count // 32) * 32


def test_clusters_follow_the_shape():
    """Two far patches of 64 triangles, mixed in the list: no cluster holds some of both."""
    rng = np.random.default_rng(3)
    corners = soup(128) * 0.1
    patch = rng.permutation(np.arange(128) % 2)
    corners += patch[:, None, None] * np.array([5.0, 0, 0])
    members = grouped_clusters(corners.min(axis=1), corners.max(axis=1))
    for cluster in members.reshape(-1, 32):
        if cluster[0] >= 0:
            assert len(set(patch[cluster])) == 1


def test_neighbours_on_the_hilbert_curve_are_neighbours_in_space():
    lattice = np.stack(np.meshgrid(*[np.arange(8)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    points = jnp.asarray(lattice / 10 - 0.4, jnp.float32)
    order = np.asarray(jax.jit(hilbert_order)(points))
    np.testing.assert_array_equal(np.sort(order), np.arange(512))
    steps = np.abs(np.diff(lattice[order], axis=0)).sum(axis=1)
    np.testing.assert_array_equal(steps, 1)


@pytest.mark.parametrize("count", [2, 1000, 2**17])
def test_the_order_is_a_permutation(count):
    points = jnp.asarray(np.random.default_rng(0).normal(size=(count, 3)), jnp.float32)
    order = np.asarray(jax.jit(hilbert_order)(points))
    np.testing.assert_array_equal(np.sort(order), np.arange(count))


def test_keys_never_hide_a_box(precision):
    """A box whose bound is below the limit's has a key below the limit; keys are unique and name their box."""
    rng = np.random.default_rng(1)
    bounds = np.concatenate([10.0 ** rng.uniform(-12, 12, 4000), np.zeros(96)])
    near = bounds[rng.permutation(4096)] * (1 - 1e-7 * rng.random(4096))
    found = np.asarray(keys(jnp.asarray(bounds, precision)))
    assert len(set(found)) == 4096
    np.testing.assert_array_equal(found & number_mask(4096), np.arange(4096))
    stop = np.asarray(limit(jnp.asarray(near, precision), 4096))
    below = bounds.astype(precision)[:, None] < near.astype(precision)[None]
    assert np.all((found[:, None] < stop[None]) | ~below)
    assert int(least(jnp.asarray(found))) == found.min()
    assert found.max() < NONE


many = jax.jit(jax.vmap(nearest_triangle, (None, 0)))


@pytest.mark.parametrize("count", [1, 40, 3000])  # one group of clusters, one, and eight
def test_the_nearest_triangle_is_nearest(count, precision):
    corners = soup(count, seed=count)
    rng = np.random.default_rng(5)
    around = rng.uniform(-0.6, 0.6, (300, 3))
    crowd = corners[0, 0] + 1e-3 * rng.normal(size=(200, 3))
    far = rng.normal(size=(20, 3)) * 1e4
    points = np.concatenate([around, crowd, far]).astype(np.float32).astype(np.float64)
    face = many(table_of(corners, precision), jnp.asarray(points, precision))
    chosen = corners[np.asarray(face)]
    got = np.array([ericson_distance(one[None], p[None])[0] for one, p in zip(chosen, points, strict=True)])
    exact = np.concatenate([ericson_distance(corners, part) for part in np.array_split(points, 10)])
    bar = {"float32": 1e-7, "float64": 1e-13}[precision.name]
    assert np.all(got - exact <= bar * np.maximum(1, np.linalg.norm(points, axis=1)))


def test_any_number_of_points_and_any_nest_of_vmaps():
    corners = soup(700)
    table = table_of(corners, jnp.float32)
    points = jnp.asarray(np.random.default_rng(2).uniform(-0.6, 0.6, (140_000, 3)), jnp.float32)
    everything = many(table, points)  # two chunks
    for count in (0, BLOCK + 1):
        np.testing.assert_array_equal(many(table, points[:count]), everything[:count])
    nested = jax.jit(jax.vmap(jax.vmap(nearest_triangle, (None, 0)), (None, 1), 1))
    np.testing.assert_array_equal(nested(table, points[:60].reshape(12, 5, 3)).reshape(-1), everything[:60])
    assert jax.jit(nearest_triangle)(table, points[3]) == everything[3]


def test_a_point_that_is_not_finite_spoils_no_other():
    table = table_of(soup(3000), jnp.float32)
    points = np.random.default_rng(2).uniform(-0.6, 0.6, (520, 3)).astype(np.float32)
    expected = many(table, jnp.asarray(points))
    points[[3, 20, 40]] = [[np.nan, 0, 0], [0, np.inf, 0], [0, 0, -np.inf]]
    kept = np.setdiff1d(np.arange(520), [3, 20, 40])
    np.testing.assert_array_equal(many(table, jnp.asarray(points))[kept], expected[kept])


def test_blocks_side_by_side_find_what_blocks_in_turn_find():
    """The way taken on accelerators."""
    table = table_of(soup(3000), jnp.float32)
    points = jnp.asarray(np.random.default_rng(2).uniform(-0.6, 0.6, (640, 3)), jnp.float32)
    blocks = jax.jit(lambda x: _boxed(x[hilbert_order(x)].reshape(-1, BLOCK, 3)))(points)
    together = jax.jit(jax.vmap(_search_block, (None, 0)))(table, blocks)
    in_turn = jax.jit(lambda t, b: jax.lax.map(lambda one: _search_block(t, one), b))(table, blocks)
    np.testing.assert_array_equal(together, in_turn)
