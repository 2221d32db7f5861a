"""Neighbour pairs against brute force over all images."""

import itertools

import numpy as np
import pytest

from geoembed.atoms import _pairs as module
from geoembed.atoms import neighbour_pairs
from geoembed.atoms._neighbours import pair_order
from geoembed.core import InputError
from tests.atoms.structures import brute_pairs, frame


def found(one, cutoff) -> set[tuple[int, ...]]:
    pairs = neighbour_pairs(one, cutoff)
    rows = [(int(i), int(j), *map(int, s)) for i, j, s in zip(*pairs, strict=True)]
    assert len(set(rows)) == len(rows), "a pair came twice"
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    return set(rows)


def cells(rng, count):
    """Well-shaped cells of volumes between 4 and 100 Å³, left-handed ones among them."""
    while count:
        cell = rng.normal(size=(3, 3)) * rng.uniform(1.5, 4)
        volume = abs(np.linalg.det(cell))
        if volume > 4 and volume > 0.3 * np.prod(np.linalg.norm(cell, axis=1)):
            count -= 1
            yield cell


@pytest.mark.parametrize("pbc", list(itertools.product((True, False), repeat=3)))
@pytest.mark.parametrize("atoms", [1, 2, 7])
@pytest.mark.parametrize("tree", [False, True])
def test_against_all_images(pbc, atoms, tree, monkeypatch):
    if tree:
        monkeypatch.setattr(module, "_fits_boxes", lambda boxes: False)
    rng = np.random.default_rng(atoms)
    hands = set()
    for cell in cells(rng, 3):
        hands.add(np.linalg.det(cell) > 0)
        one = frame(rng.uniform(-2, 3, (atoms, 3)) @ cell, cell, pbc)
        assert found(one, 2.9) == brute_pairs(one, 2.9, 10)
    assert atoms != 7 or hands == {True, False}


def test_one_atom_in_a_tiny_triclinic_cell():
    cell = np.array([[1.1, 0, 0], [0.4, 1.3, 0], [-0.5, 0.2, 1.2]])
    one = frame([[9.7, -3.1, 0.4]], cell)
    pairs = found(one, 5.0)
    assert pairs == brute_pairs(one, 5.0, 9)
    assert len(pairs) == pytest.approx(4 / 3 * np.pi * 5**3 / np.linalg.det(cell), rel=0.05)


def test_skewed_cells_describe_the_same_crystal():
    rng = np.random.default_rng(3)
    cell = np.diag([3.0, 4.0, 5.0])
    positions = rng.random((4, 3)) @ cell
    expected = found(frame(positions, cell), 4.2)
    change = np.array([[1, 40, -7], [0, 1, 90], [0, 0, 1]])
    skewed = found(frame(positions, change @ cell), 4.2)
    back = {(i, j, *(np.array(s) @ change).tolist()) for i, j, *s in skewed}
    assert back == expected


def test_positions_far_outside_the_cell():
    rng = np.random.default_rng(4)
    cell = np.array([[4.0, 0, 0], [1, 5, 0], [0, -1, 3]])
    inside = rng.random((5, 3)) @ cell
    move = rng.integers(-1000, 1000, (5, 3))
    moved = found(frame(inside + move @ cell, cell), 3.5)
    back = {(i, j, *(np.array(s) + move[j] - move[i]).tolist()) for i, j, *s in moved}
    assert back == found(frame(inside, cell), 3.5)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e12])
@pytest.mark.parametrize("pbc", [(False, False, False), (True, False, False), (False, True, True)])
def test_an_atom_far_away(far, pbc):
    rng = np.random.default_rng(5)
    near = rng.uniform(0, 6, (20, 3))
    cell = np.diag([6.0, 6.0, 6.0])
    both = np.concatenate([near, far * np.array([[1.0, 0.3, 0]])])
    pairs = {p for p in found(frame(both, cell, pbc), 3.0) if 20 not in p[:2]}
    assert pairs == brute_pairs(frame(near, cell, pbc), 3.0, 1)


def test_slabs_whose_third_vector_is_anything():
    positions = [[0, 0, 0], [0, 0, 1.0], [0.5, 0, 40.0]]
    expected = found(frame(positions, np.diag([3.0, 3.0, 50.0]), (True, True, False)), 3.5)
    for third in ([0, 0, 0], [1, 1, 0], [0, 0, -1e-9], [0, 0, 1e9]):
        cell = np.array([[3.0, 0, 0], [0, 3.0, 0], third])
        assert found(frame(positions, cell, (True, True, False)), 3.5) == expected


def test_two_atoms_in_one_place_and_none():
    assert found(frame(np.zeros((2, 3))), 1.0) == {(0, 1, 0, 0, 0), (1, 0, 0, 0, 0)}
    assert found(frame(np.zeros((1, 3))), 1.0) == set()
    assert found(frame(np.zeros((0, 3)), np.eye(3)), 1.0) == set()


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf])
def test_cutoffs_that_are_refused(cutoff):
    with pytest.raises(InputError, match="positive"):
        neighbour_pairs(frame(np.zeros((2, 3))), cutoff)


@pytest.mark.parametrize(
    ("cell", "pbc"),
    [
        (None, (True, False, False)),
        (np.zeros((3, 3)), (True, True, True)),
        ([[1, 0, 0], [0, 1, 0], [1, 1, 0]], (True, True, True)),
        ([[1, 0, 0], [2, 0, 0], [0, 0, 1]], (True, True, False)),
        ([[np.nan, 0, 0], [0, 1, 0], [0, 0, 1]], (True, True, True)),
    ],
)
def test_cells_that_are_refused(cell, pbc):
    with pytest.raises(InputError, match="cell"):
        neighbour_pairs(frame(np.zeros((1, 3)), cell, pbc), 2.0)


def test_too_many_pairs_are_refused_before_they_are_made():
    with pytest.raises(InputError, match="pairs"):
        neighbour_pairs(frame(np.zeros((1, 3)), np.eye(3) * 0.01), 5.0)
    with pytest.raises(InputError, match="pairs"):
        neighbour_pairs(frame(np.zeros((20_000, 3))), 5.0)
    with pytest.raises(InputError, match="finite"):
        neighbour_pairs(frame([[np.nan, 0, 0]]), 5.0)


@pytest.mark.parametrize("far", [2, 10**15])
def test_order_of_pairs(far):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 9, (2, 200))
    shift = rng.integers(-far, far, (200, 3)).astype(float)
    rows = [(i, j, *s) for i, j, s in zip(first.tolist(), second.tolist(), shift.tolist(), strict=True)]
    assert [rows[k] for k in pair_order(first, second, shift)] == sorted(rows)
