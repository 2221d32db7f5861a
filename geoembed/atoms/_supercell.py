"""Several cells of a crystal as one structure."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from ..core import InputError
from ._frame import Frame


def supercell(frame: Frame, repeats: Sequence[int]) -> Frame:
    """Repeats a structure along its cell vectors; what is known about it is repeated too.

    Args:
        frame: The structure.
        repeats: How often along each cell vector, 1 or more; 1 along directions that are not periodic.

    Returns:
        The larger structure, one cell after the other; its energy is the sum, its stress the same.

    Raises:
        InputError: It is not periodic where it should repeat.

    Example:
        >>> chain = Frame(np.array([18]), np.zeros((1, 3)), np.diag([2.0, 9.0, 9.0]), np.array([True] * 3))
        >>> supercell(chain, (3, 1, 1)).positions[:, 0]
        array([0., 2., 4.])
    """
    times = np.asarray(repeats)
    if times.shape != (3,) or times.dtype.kind != "i" or times.min() < 1 or np.any((times > 1) & ~frame.pbc):
        reason = f"repeats={list(repeats)} does not fit pbc={frame.pbc.tolist()}"
        raise InputError(
            "frame", "pbc", reason, "give three whole numbers, 1 where the structure does not repeat"
        )
    if frame.cell is None:
        return frame
    count = int(times.prod())
    shifts = np.array(list(itertools.product(*map(range, times))), float) @ frame.cell
    positions = (shifts[:, None] + frame.positions[None]).reshape(-1, 3)
    return dataclasses.replace(
        frame,
        numbers=np.tile(frame.numbers, count),
        positions=positions,
        cell=frame.cell * times[:, None],
        energy=None if frame.energy is None else frame.energy * count,
        forces=None if frame.forces is None else np.tile(frame.forces, (count, 1)),
        arrays={name: np.concatenate([column] * count) for name, column in frame.arrays.items()},
    )
