"""Approximants against their lattice constants, numbers of sites and smallest distance."""

import itertools

import numpy as np
import pytest

from geoembed import InputError
from geoembed.quasicrystal import approximant, ball_points, icosahedral_periods, minimum_distance
from tests.quasicrystal.symmetry_cases import P, Q

EDGE = np.sqrt(0.5)  # of the rhombohedra, where the lattice constant in six dimensions is 1

# p, q, cubic edge in edges of the tiling, vertices in the cell, translations in the cell
CUBIC = [
    (1, 1, 2.752763840942347, 32, 2),
    (2, 1, 4.454065457646427, 136, 1),
    (3, 2, 7.206829298588774, 576, 1),
]


@pytest.mark.parametrize(("p", "q", "edge", "sites", "translations"), CUBIC)
def test_cubic_approximants(p, q, edge, sites, translations):
    found = approximant(P, Q, icosahedral_periods(p, q))
    np.testing.assert_allclose(found.cell, edge * EDGE * np.eye(3), rtol=0, atol=1e-13)
    assert len(found.positions) == sites
    assert found.lattice_points == translations
    np.testing.assert_allclose(minimum_distance(found.cell, found.positions) / EDGE, 0.562777, atol=5e-7)
    np.testing.assert_allclose(found.fractional @ found.cell, found.positions, atol=1e-12)
    assert ((found.fractional >= 0) & (found.fractional < 1)).all()
    # τ → p/q in perpendicular space only: (1, −1/τ, 0) becomes a multiple of (p/q, −1, 0)
    ratio = (Q + found.phason_strain @ P)[:, [0, 4]]
    np.testing.assert_allclose(-ratio[0, 0] / ratio[1, 0], p / q, rtol=1e-12)
    np.testing.assert_allclose(icosahedral_periods(p, q) @ (Q + found.phason_strain @ P).T, 0, atol=1e-13)
    other = approximant(P, Q, icosahedral_periods(p, q), shift=np.array([0.11, -0.23, 0.31]))
    assert len(other.positions) == sites, "the number of vertices does not depend on the shift"
    assert set(map(tuple, other.indices)) != set(map(tuple, found.indices))


def test_a_body_centred_cell():
    found = approximant(P, Q, icosahedral_periods(1, 1))
    moved = (found.fractional + 0.5) % 1
    apart = np.abs(moved[:, None] - found.fractional[None])
    assert np.minimum(apart, 1 - apart).max(axis=2).min(axis=1).max() < 1e-9


def test_real_lattice_constants():
    """Sc-Mg-Zn, 1/1: 13.863 Å and 2/1: 22.412 Å (Lin, Corbett, Inorg. Chem. 45, 10504 (2006)) have one edge."""
    edges = [
        length / (approximant(P, Q, icosahedral_periods(p, 1)).cell[0, 0] / EDGE)
        for p, length in ((1, 13.863), (2, 22.412))
    ]
    np.testing.assert_allclose(edges[0], edges[1], rtol=2e-3)


def test_another_cell_and_window():
    """A skew cell; with a spherical window the number of sites is the volume of the window on average."""
    periods = np.stack([icosahedral_periods(1, 1)[0], icosahedral_periods(2, 1)[1], [1, 1, 1, 1, 1, 1]])
    found = approximant(P, Q, periods, window=lambda q: np.linalg.norm(q, axis=1) < 0.9, window_radius=0.9)
    np.testing.assert_allclose(found.cell, periods @ P.T)
    assert np.linalg.norm(found.perp, axis=1).max() < 0.9
    expected = np.abs(np.linalg.det(found.cell)) * 4 / 3 * np.pi * 0.9**3
    assert abs(len(found.positions) - expected) < 0.2 * expected
    np.testing.assert_allclose(periods @ (Q + found.phason_strain @ P).T, 0, atol=1e-13)


def test_octagonal_approximant_is_a_tiling():
    """Ammann-Beenker: √2 → 3/2. As many tiles as vertices in the cell, edges of one length, four at a vertex."""
    angle = np.pi / 4 * np.arange(4)
    parallel = np.stack([np.cos(angle), np.sin(angle)])
    perp = np.stack([np.cos(3 * angle), np.sin(3 * angle)])
    periods = np.array([[3, 2, 0, -2], [0, 2, 3, 2]])
    found = approximant(parallel, perp, periods)
    np.testing.assert_allclose(found.cell, (3 + 2 * np.sqrt(2)) * np.eye(2), atol=1e-12)
    shifts = np.array(list(itertools.product((-1, 0, 1), repeat=2))) @ found.cell
    images = (found.positions[None] + shifts[:, None]).reshape(-1, 2)
    lengths = np.linalg.norm(images[None] - found.positions[:, None], axis=-1)
    neighbours = (np.abs(lengths - 1) < 1e-9).sum(axis=1)
    assert neighbours.mean() == 4
    assert neighbours.min() >= 3
    strained = perp + found.phason_strain @ parallel
    pairs = itertools.combinations(range(4), 2)
    assert len(found.positions) == round(
        np.abs(np.linalg.det(found.cell)) * sum(abs(np.linalg.det(strained[:, c])) for c in pairs) / 4
    )


def test_minimum_distance_across_the_cell():
    skew = np.array([[1.0, 0, 0], [0.9, 0.3, 0], [0.2, 0.1, 1.0]])
    assert minimum_distance(skew, np.array([[0.2, 0.1, 0.3], [0.5, 0.2, 0.8]])) == pytest.approx(np.sqrt(0.1))


def test_points_near_the_slice():
    box = np.array(list(itertools.product(range(-3, 4), repeat=6)))
    near = (np.linalg.norm(box @ P.T, axis=1) <= 1.5) & (np.linalg.norm(box @ Q.T, axis=1) <= 1.2)
    assert not (np.abs(box[near]) == 3).any(), "the box is large enough"
    found = ball_points(P, Q, 1.5, 1.2)
    assert len(found) == near.sum() > 50
    assert set(map(tuple, found)) == set(map(tuple, box[near]))


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="do not span it"):
        approximant(P, Q, icosahedral_periods(1, 1)[[0, 0, 1]])
    with pytest.raises(InputError, match="window_radius: it is missing"):
        approximant(P, Q, icosahedral_periods(1, 1), window=lambda q: np.ones(len(q), bool))
    with pytest.raises(InputError, match="of rank 3"):
        ball_points(P, P, 1.0, 1.0)
    with pytest.raises(InputError, match="not both positive"):
        ball_points(P, Q, 1.0, 0.0)
