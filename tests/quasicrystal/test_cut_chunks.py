"""Large cuts: chunks, positions only, pieces and threads, memory."""

import os
import tracemalloc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc
from geoembed.quasicrystal import _cut_enumerate, _cut_write
from geoembed.quasicrystal._cut_columns import Columns, Parts

pytestmark = pytest.mark.usefixtures("compiled_quickly")


def pieces_of_windows():
    """Two surfaces with windows that are not convex, on a lattice with slanted axes."""
    model = qc.penrose()
    window = model.surfaces[1].window
    small = qc.Polytope(0.5 * window.vertices)
    return qc.Model(model.lattice, [qc.Surface(window - small, species=4), qc.Surface(small, species=7)])


def strained():
    model = qc.ammann_beenker()
    return eqx.tree_at(lambda m: m.lattice.strain, model, jnp.array([[0.02, 0.0], [0.01, 0.0]]))


CASES = {
    "box": (qc.icosahedral, {"box": (4.0, 3.0, 5.0)}, 97),
    "ball": (qc.icosahedral, {"radius": 4.0}, 64),
    "chain": (qc.fibonacci, {"box": 60.0}, 13),
    "several surfaces": (qc.penrose, {"radius": 9.0}, 50),
    "not convex": (pieces_of_windows, {"box": 8.0}, 31),
    "margin": (qc.ammann_beenker, {"box": 6.0, "margin": 0.1}, 40),
    "enumerated": (strained, {"radius": 8.0}, 45),
}


@pytest.mark.parametrize("kind", CASES)
def test_chunks_are_the_points_of_one_cut(kind, precision, monkeypatch):
    make, size, points = CASES[kind]
    monkeypatch.setattr(_cut_enumerate, "_CANDIDATES", 1000)
    model = make()
    whole = qc.cut(model, **size)
    chunks = list(qc.cut_chunks(model, **size, points=points))
    assert len(chunks) > 3
    sizes = np.array([chunk.counts for chunk in chunks])
    assert sizes.sum(0).tolist() == list(whole.counts)
    for ours in sizes.T:
        assert (ours[ours > 0][:-1] == points).all()
    for name in ("points", "perp", "indices", "species"):
        together = np.concatenate([getattr(chunk, name) for chunk in chunks])
        expected = np.asarray(getattr(whole, name))
        assert together.dtype == expected.dtype
        if kind == "enumerated":
            order, other = (
                np.lexsort(np.asarray(n).T)
                for n in (np.concatenate([c.indices for c in chunks]), whole.indices)
            )
            together, expected = together[order], expected[other]
        assert np.array_equal(together, expected)
    if "margin" not in size:
        assert np.array_equal(qc.cut_points(model, **size), whole.points)


def test_pieces_on_several_threads_are_the_same_points(precision, monkeypatch):
    """Columns lie in two pieces; each thread has its own mode of precision."""
    models = {"box": qc.icosahedral(), "radius": qc.penrose()}
    few = {size: qc.cut(model, **{size: 7.0}) for size, model in models.items()}
    monkeypatch.setattr(_cut_write, "PIECE", 100)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    for size, model in models.items():
        assert len(few[size]) > 100
        assert eqx.tree_equal(qc.cut(model, **{size: 7.0}), few[size])


def test_a_singular_cut_is_flagged_in_chunks():
    with jax.enable_x64(True):
        for shift, singular in ((0.5, True), (0.4, False)):
            model = qc.ammann_beenker(shift=jnp.array([shift, 0.0]))
            assert any(chunk.singular for chunk in qc.cut_chunks(model, radius=5.0, points=20)) is singular


def test_more_points_than_32_bits_count(monkeypatch):
    monkeypatch.setattr(_cut_write, "PIECE", 64)
    length, number = 2**12, 2**20 + 1
    heads = np.arange(number)[:, None]
    entries = np.arange(length)[:, None] / length
    columns = Columns(
        [
            Parts(heads.astype(float), 0.0 * heads, heads.astype(np.int32)),
            Parts(entries, entries, np.zeros((length, 1), np.int32)),
        ],
        1,
        [np.arange(number)],
        np.zeros(number, int),
        np.full(number, length),
        singular=False,
        loose=False,
    )
    with jax.enable_x64(True):
        writer = _cut_write.Writer(columns, np.dtype(np.float64))
        for begin in (2**31 - 50, 2**32 - 50):
            outs = writer.empty(100)
            writer.write(outs, begin)
            point, column = np.arange(begin, begin + 100), np.arange(begin, begin + 100) // length
            assert np.array_equal(outs[0][:, 0], point / length)
            assert np.array_equal(outs[1][:, 0], point / length - column)
            assert np.array_equal(outs[2][:, 0], column)


def test_memory_is_that_of_the_result(precision):
    model = qc.icosahedral()
    qc.cut(model, box=1.0)
    for make in (qc.cut, qc.cut_points):
        tracemalloc.start()
        found = make(model, box=14.0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(found))
        assert len(jax.tree.leaves(found)[0]) > 90_000
        # the points, and besides them the columns and what counting them takes
        assert peak < 1.05 * size + 4_000_000


def test_no_points():
    model = qc.fibonacci()
    odd = qc.Coset(((1, 0),), 2, (1,))
    model = qc.Model(model.lattice, [qc.Surface(model.surfaces[0].window, coset=odd)])
    for method in ("columns", "enumerate"):
        nothing = qc.cut(model, box=0.1, method=method)
        assert nothing.points.shape == (0, 1)
        assert nothing.indices.shape == (0, 2)
        assert nothing.counts == (0,)
        assert not list(qc.cut_chunks(model, box=0.1, method=method))
    assert qc.cut_points(model, box=0.1).shape == (0, 1)


def test_refusals_come_at_once():
    for wrong in ({}, {"box": 1.0, "points": 0}, {"radius": 1.0, "method": "fast"}):
        with pytest.raises(ValueError, match="needs"):
            qc.cut_chunks(qc.fibonacci(), **wrong)
    with pytest.raises(ValueError, match="either a radius or a box"):
        qc.cut_points(qc.fibonacci())
