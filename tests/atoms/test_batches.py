"""Batches of a data set: shapes, order, continuation, and the two layouts of neighbours."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms import (
    Batch,
    Cursor,
    Edges,
    batches,
    choose_buckets,
    neighbour_pairs,
    pack,
    to_edges,
    to_slots,
)
from geoembed.core import InputError
from tests.atoms.structures import random_frames
from tests.atoms.toy import toy

rng = np.random.default_rng(0)
FRAMES = random_frames(0, rng.integers(4, 40, 40), elements=(1, 6, 8, 16))


def same(one, other) -> bool:
    leaves = [jax.tree.leaves(one), jax.tree.leaves(other)]
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*leaves, strict=True))


def test_one_compilation_for_each_bucket():
    stream, seen, traces = batches(FRAMES, 3.0, 4, seed=3, shapes=4), set(), []

    @jax.jit
    def energies(batch):
        traces.append(batch.positions.shape)
        return jnp.sum(batch.positions) + jnp.sum(batch.neighbours.shift)

    for batch in itertools.islice(stream, 3 * stream.steps):
        energies(batch)
        seen.add((*batch.neighbours.index.shape, batch.cells.shape[0], batch.kinds.shape[0]))
    assert len(traces) == len(seen) <= stream.buckets.count == 4
    assert stream.cursor == (3, 0)
    assert {sizes[2:] for sizes in seen} == {(4, 4)}


def test_padding_is_as_small_as_stated():
    stream = batches(FRAMES, 3.0, 4, seed=3, shapes=4)
    tight = room = 0
    for epoch, step in itertools.product(range(20), range(stream.steps)):
        frames, sizes = [FRAMES[k] for k in stream.indices(epoch, step)], stream.sizes(epoch, step)
        most = (
            max(np.bincount(neighbour_pairs(one, 3.0).atom).max(initial=0) for one in frames)
            if epoch == 0
            else 0
        )
        assert sizes.slots >= most
        tight += sum(len(one.numbers) for one in frames) * int(
            stream._slots[stream.indices(epoch, step)].max()
        )
        room += sizes.atoms * sizes.slots
    assert 1 - tight / room == pytest.approx(stream.buckets.waste, abs=0.03)
    assert 0.02 < stream.buckets.waste < 0.25
    assert stream.buckets.waste < batches(FRAMES, 3.0, 4, seed=3, shapes=1).buckets.waste / 2


def test_every_frame_once_in_an_epoch_and_another_order_in_the_next():
    for last, count in ((True, 40), (False, 36)):
        stream = batches(FRAMES, 2.0, 6, seed=1, last=last)
        orders = [[k for step in range(stream.steps) for k in stream.indices(e, step)] for e in (0, 1)]
        assert all(len(set(order)) == len(order) == count for order in orders)
        assert orders[0] != orders[1]
    kept = batches(FRAMES, 2.0, 6, seed=None)
    assert [k for step in range(kept.steps) for k in kept.indices(7, step)] == list(range(40))
    energies = [float(e) for batch in kept.epoch(0) for e in batch.labels.energy if not np.isnan(e)]
    np.testing.assert_allclose(energies, [frame.energy for frame in FRAMES], rtol=1e-6)
    assert kept.cursor == (1, 0)


def test_continued_runs_are_the_same_bit_for_bit():
    whole = list(itertools.islice(batches(FRAMES, 2.5, 7, seed=5), 14))
    again = batches(FRAMES, 2.5, 7, seed=5)
    again.cursor = Cursor(1, 3)
    assert all(same(next(again), whole[k]) for k in range(9, 14))
    assert all(same(a, b) for a, b in zip(again.epoch(1, start=4), whole[10:12], strict=True))
    other = batches(FRAMES, 2.5, 7, seed=6)
    assert not same(other.at(0, 0), whole[0]) if other.sizes(0, 0) == again.sizes(0, 0) else True
    with pytest.raises(InputError, match="6 steps"):
        again.at(0, 6)


def test_many_elements_get_a_table_for_each_batch():
    frames = random_frames(2, [12] * 12, elements=tuple(range(1, 30)))
    stream = batches(frames, 2.0, 2, seed=0)
    for batch in itertools.islice(stream, stream.steps):
        kinds = np.unique(np.asarray(batch.kinds)[np.asarray(batch.kinds) > 0])
        assert len(batch.kinds) in stream.buckets.kinds
        chosen = np.concatenate([frames[k].numbers for k in stream.indices(0, stream.cursor.step - 1)]) \
            if stream.cursor.step else kinds  # fmt: skip
        assert kinds.tolist() == np.unique(chosen).tolist()
    assert len(stream.buckets.kinds) <= 3


def test_buckets():
    one = choose_buckets(np.full(50, 9), np.full(50, 8), np.array([3]), 5)
    assert (one.shapes, one.kinds, one.count, one.waste) == (((45, 8),), (3,), 1, 0)
    assert one.fit(45, 3, 2) == (45, 8, 5, 3)
    with pytest.raises(InputError, match=r"largest bucket has \(45, 8, 3\)"):
        one.fit(46, 3, 3)
    # Two sizes, nothing between: two shapes waste nothing, one shape half.
    sizes = np.array([10] * 50 + [30] * 50)
    assert choose_buckets(sizes, sizes, np.array([1, 4]), 1).shapes == ((10, 10), (30, 30))
    coarse = choose_buckets(sizes, sizes, np.array([1, 4]), 1, shapes=1)
    assert coarse.shapes == ((30, 30),)
    assert coarse.waste == pytest.approx(1 - 0.5 * (100 + 900) / 900, abs=1e-9)
    assert coarse.kinds == (1, 2, 4)
    # Whatever is drawn fits, also what the draws never saw.
    rare = np.concatenate([np.full(5000, 10), [1000]])
    wide = choose_buckets(rare, rare, np.array([1]), 4)
    assert wide.fit(1030, 1000, 1).atoms == 1030
    assert wide.fit(40, 10, 1)[:2] == (40, 10)
    for structures, shapes, frames in ((0, 6, FRAMES), (1, 0, FRAMES), (1, 6, [])):
        with pytest.raises(InputError):
            batches(frames, 3.0, structures, seed=0, shapes=shapes)


def test_edges_and_slots_say_the_same():
    with jax.enable_x64(True):
        batch = pack(FRAMES[:3], 3.0, atoms=100, slots=90, structures=4)
        edges = to_edges(batch.neighbours, edges=3000)
        mask = np.asarray(batch.neighbours.mask)
        vectors = np.asarray(jax.jit(Edges.to_receiver)(edges, batch))
        assert int(edges.mask.sum()) == mask.sum()
        centre = np.asarray(jax.jit(Batch.to_centre)(batch))
        np.testing.assert_allclose(vectors[np.asarray(edges.mask)], centre[mask], rtol=1e-14)
        assert (vectors[~np.asarray(edges.mask)] == [1, 0, 0]).all()
        assert same(to_slots(edges, 100, 90), batch.neighbours)
        sums = jax.ops.segment_sum(jnp.asarray(vectors), edges.receivers, 100)
        np.testing.assert_allclose(sums, (centre * mask[..., None]).sum(1), atol=1e-12)
    with pytest.raises(ValueError, match="too small"):
        to_edges(batch.neighbours, edges=3)
    with pytest.raises(ValueError, match="too small"):
        to_slots(edges, 100, 2)


@pytest.mark.slow
def test_a_potential_over_a_shuffled_set_is_compiled_once_for_each_bucket():
    from geoembed.atoms import predict

    stream, traces = batches(FRAMES, 3.0, 4, seed=3, shapes=4), []

    @jax.jit
    def forces(batch):
        traces.append(1)
        return predict(toy(cutoff=3.0), batch).forces

    sizes = set()
    for _ in range(2):
        for step in range(stream.steps):
            forces(stream.at(0, step))
            sizes.add(stream.sizes(0, step))
    assert len(traces) == len(sizes)


def test_isolated_atoms_alone_make_a_bucket():
    one = np.ones(3, np.int64)
    found = choose_buckets(one, 0 * one, one[:1], 2)
    assert found.waste == 0.0
    assert found.fit(2, 0, 1).atoms == 2
