"""Lattices and generators of symmetry groups, written down from their definitions in numpy."""

import itertools

import numpy as np

TAU = (1 + np.sqrt(5)) / 2
FIVEFOLD = np.array([[1, TAU, 0], [-1, TAU, 0], [0, 1, TAU], [0, -1, TAU], [TAU, 0, 1], [TAU, 0, -1]])
SIGMA = -1 / TAU
CONJUGATE = np.array(
    [[1, SIGMA, 0], [-1, SIGMA, 0], [0, 1, SIGMA], [0, -1, SIGMA], [SIGMA, 0, 1], [SIGMA, 0, -1]]
)
SCALE = 1 / np.sqrt(2 * (TAU + 2))
P = SCALE * FIVEFOLD.T  # [3, 6]
Q = SCALE * TAU * CONJUGATE.T  # [3, 6]; [P; Q] is orthogonal
HALF_WIDTH = np.abs(Q[0]).sum() / 2
TWOFOLD = np.array(
    [
        *np.eye(3),
        *(np.roll([1, s * TAU, t / TAU], k) / 2 for s, t, k in itertools.product((1, -1), (1, -1), range(3))),
    ]
)


def in_triacontahedron(q: np.ndarray) -> np.ndarray:
    """The shadow of the unit cube of Z⁶: 15 pairs of faces."""
    return np.all(np.abs(q @ TWOFOLD.T) <= HALF_WIDTH, axis=-1)


def turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def rotation(axis, angle: float) -> np.ndarray:
    """Rodrigues' formula."""
    x, y, z = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def icosahedral() -> tuple[np.ndarray, np.ndarray]:
    """A fivefold and a threefold rotation; in perpendicular space by what they do to the six lattice vectors."""
    parallel = np.stack([rotation(FIVEFOLD[0], 2 * np.pi / 5), rotation([1, 1, 1], 2 * np.pi / 3)])
    moved = np.einsum("gij,aj,bi->gab", parallel, FIVEFOLD, FIVEFOLD) / (TAU + 2)
    permutation = np.where(np.abs(moved) > 0.99, np.sign(moved), 0.0)
    assert np.all(np.abs(permutation).sum(axis=2) == 1)
    perp = np.einsum("ai,gab,bj->gij", CONJUGATE, permutation, CONJUGATE) / (2 + 2 * SIGMA**2)
    return parallel, perp.transpose(0, 2, 1)


def axial(fold: int, power: int, mirror: bool) -> tuple[np.ndarray, np.ndarray]:
    """Class n or nmm with a periodic axis: a turn by 1/n in parallel, by power/n in perpendicular space."""
    parallel, perp = [np.eye(3)], [turn(2 * np.pi * power / fold)]
    parallel[0][:2, :2] = turn(2 * np.pi / fold)
    if mirror:
        parallel.append(np.diag([1.0, -1, 1]))
        perp.append(np.diag([1.0, -1]))
    return np.stack(parallel), np.stack(perp)
