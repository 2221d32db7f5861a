"""Point groups found from projections, and the shifts that leave approximants most of them."""

import numpy as np
import pytest

from geoembed import InputError
from geoembed import quasicrystal as qc
from geoembed.quasicrystal._frames import frame
from tests.quasicrystal.symmetry_cases import P, Q, rotation

# of the groups n/mm2 in the plane and of m-3-5
ORDERS = {"fibonacci": 2, "octagonal": 16, "pentagonal": 20, "dodecagonal": 24, "icosahedral": 120}


def projections(name):
    known = frame(name)
    return known.parallel.astype(float), known.perpendicular.astype(float)


@pytest.mark.parametrize("name", ORDERS)
def test_holohedries(name):
    parallel, perp = projections(name)
    group = qc.lattice_point_group(parallel, perp)
    assert len(group.parallel) == ORDERS[name]
    np.testing.assert_allclose(group.parallel[0], np.eye(len(parallel)), atol=1e-12)
    for part in group:
        np.testing.assert_allclose(
            part @ part.transpose(0, 2, 1), np.eye(part.shape[1])[None] + 0 * part, atol=1e-12
        )
    # each pair moves the lattice onto itself: in the basis of the lattice it is a matrix of whole numbers
    both, size = np.concatenate([parallel, perp]), sum(x.shape[1] for x in group)
    blocks = np.zeros((ORDERS[name], size, size))
    blocks[:, : len(parallel), : len(parallel)], blocks[:, len(parallel) :, len(parallel) :] = group
    matrices = np.linalg.inv(both) @ blocks @ both
    np.testing.assert_allclose(matrices, np.rint(matrices), atol=1e-9)
    assert len(np.unique(np.rint(matrices).reshape(len(matrices), -1), axis=0)) == ORDERS[name]


def test_the_elastic_constants_of_an_icosahedral_lattice():
    """The inversion changes nothing in quadratic invariants: (2, 2, 1) as for the rotations alone."""
    assert qc.count_invariants(qc.lattice_point_group(P, Q)) == (2, 2, 1)


def test_in_any_orientation_and_without_symmetry():
    turned = rotation([1, 2, 3], 0.7) @ P, rotation([0, 1, 1], 1.1) @ Q
    assert len(qc.lattice_point_group(*turned).parallel) == 120
    stretched = np.diag([1.0, 1.0, 1.1]) @ P
    assert len(qc.lattice_point_group(stretched, Q).parallel) == 8, (
        "mmm is left of a stretch along a twofold axis"
    )
    skew = np.random.default_rng(0).normal(size=(5, 5))
    assert len(qc.lattice_point_group(skew[:3], skew[3:]).parallel) == 2
    with pytest.raises(InputError, match="more than 10 matrices"):
        qc.lattice_point_group(P, Q, limit=10)


def test_a_palindrome():
    """The chain of three long and two short tiles about its symmetric shift reads the same both ways."""
    parallel, perp = projections("fibonacci")
    periods = np.array([[3, 2]])
    shift, order = qc.symmetric_shift(parallel, perp, periods)
    assert order == 2
    chain = qc.approximant(parallel, perp, periods, shift=shift)
    x = np.sort(chain.positions[:, 0])
    gaps = np.diff(np.append(x, x[0] + chain.cell[0, 0]))
    assert any(np.allclose(gaps, np.roll(gaps[::-1], k)) for k in range(5))


def test_the_shift_of_a_cubic_approximant():
    """Of 1/1 all symmetric shifts are singular; without the sites on the rim m-3 maps what is left on itself."""
    periods = qc.icosahedral_periods(1, 1)
    with pytest.raises(InputError, match="on the rim of the window"):
        qc.symmetric_shift(P, Q, periods)
    shift, order = qc.symmetric_shift(P, Q, periods, open_window=True)
    assert order == 24
    strained = Q + qc.approximant(P, Q, periods).phason_strain @ P
    radius = qc.shadow_radius(strained)
    found = qc.approximant(
        P,
        Q,
        periods,
        shift=shift,
        window=lambda q: qc.in_shadow(strained, q * (1 + 1e-6)),
        window_radius=radius,
    )
    assert len(found.positions) == 26
    kept = 0
    for element in qc.lattice_point_group(P, Q).parallel:
        moved = np.linalg.solve(found.cell.T, element @ found.positions.T).T
        # any translation may come with it: one that takes the first image to some site
        for origin in found.fractional:
            apart = (moved - moved[0] + origin)[:, None] - found.fractional[None]
            apart = np.abs(apart - np.rint(apart)).max(axis=2)
            if apart.min(axis=1).max() < 1e-9:
                kept += 1
                break
    assert kept == 24
