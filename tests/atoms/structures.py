"""Structures that the tests of `atoms` share, and neighbours by brute force."""

import itertools

import numpy as np

from geoembed.atoms import Frame


def frame(positions, cell=None, pbc=None, numbers=None, **labels) -> Frame:
    positions = np.atleast_2d(np.asarray(positions, float))
    cell = None if cell is None else np.asarray(cell, float)
    periodic = [cell is not None] * 3 if pbc is None else pbc
    numbers = np.ones(len(positions), np.int64) if numbers is None else np.asarray(numbers, np.int64)
    return Frame(numbers, positions, cell, np.array(periodic), **labels)


def brute_pairs(one: Frame, cutoff: float, reach: int) -> set[tuple[int, ...]]:
    """(atom, neighbour, three shifts) by looking at every image up to `reach` cells away."""
    axes = [range(-reach, reach + 1) if p else (0,) for p in one.pbc]
    shifts = np.array(list(itertools.product(*axes)))
    cell = np.zeros((3, 3)) if one.cell is None else one.cell
    images = (shifts @ cell)[:, None, None] + one.positions[None, None] - one.positions[None, :, None]
    near = np.linalg.norm(images, axis=-1) < cutoff
    near[(shifts == 0).all(1)] &= ~np.eye(len(one.positions), dtype=bool)[None]
    return {(int(i), int(j), *shifts[s].tolist()) for s, i, j in zip(*np.nonzero(near), strict=True)}


def random_frames(seed: int, sizes, periodic: bool = True, elements=(1, 6, 8), labels: bool = True):
    """Atoms at random in cells of equal density, with labels at random."""
    rng = np.random.default_rng(seed)
    frames = []
    for size in sizes:
        edge = 2.2 * size ** (1 / 3)
        cell = np.eye(3) * edge + rng.uniform(-0.2, 0.2, (3, 3)) if periodic else None
        known = {
            "energy": float(rng.normal()),
            "forces": rng.normal(size=(size, 3)),
            "stress": np.eye(3) * float(rng.normal()),
        }
        frames.append(
            frame(
                rng.uniform(0, edge, (size, 3)),
                cell,
                numbers=rng.choice(np.array(elements), size),
                **(known if labels else {}),
            )
        )
    return frames
