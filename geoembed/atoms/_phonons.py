"""Vibrations of a crystal from exact force constants."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Complex128, Float64

from ..core import InputError
from ._frame import Frame
from ._hessian import hessian
from ._pack import pack
from ._supercell import supercell

_THZ = 15.633302300230191  # √(eV/Å²/u)/2π in 10¹² Hz, CODATA 2018
_NEAREST = 1e-4  # Å; images this much farther than the nearest one count as equally near


@dataclasses.dataclass(frozen=True)
class ForceConstants:
    """The second derivatives of a crystal's energy between one cell and all cells of a supercell, on the host.

    Args:
        values: Φ[a, i, c, b, j] = ∂²E/∂x_ai(0) ∂x_bj(c) for atom a of the first cell and atom b of cell c, eV/Å².
        frame: The cell.
        repeats: How often it is repeated along each cell vector.
    """

    values: Float64[np.ndarray, "atoms 3 cells atoms 3"]
    frame: Frame
    repeats: tuple[int, int, int]

    def dynamical(
        self, wave: Float64[np.ndarray, "waves 3"], masses: Float64[np.ndarray, " atoms"]
    ) -> Complex128[np.ndarray, "waves modes modes"]:
        """D(q) = Σ_c Φ(0, c) exp(2πi q·c)/√(m m′), every pair by its nearest image; equally near ones share it.

        Args:
            wave: Wave vectors q in units of the reciprocal cell vectors.
            masses: Of the atoms of the cell, u.

        Returns:
            Hermitian matrices in eV/(Å² u); modes = 3 · atoms.
        """
        cells, shifts, shares = _images(self.frame, self.repeats)
        inside, beyond = (np.exp(2j * np.pi * wave @ steps.T) for steps in (cells, shifts))
        shared = np.einsum("qs,sacb,qc->qacb", beyond, shares, inside)
        scaled = self.values / np.sqrt(masses[:, None] * masses[None])[:, None, None, :, None]
        size = 3 * len(masses)
        return np.einsum("qacb,aicbj->qaibj", shared, scaled).reshape(len(wave), size, size)

    def frequencies(
        self, wave: Float64[np.ndarray, "waves 3"], masses: Float64[np.ndarray, " atoms"]
    ) -> Float64[np.ndarray, "waves modes"]:
        """Frequencies in THz, ascending; negative where the crystal is not stable (imaginary).

        Args:
            wave: Wave vectors in units of the reciprocal cell vectors.
            masses: Of the atoms of the cell, u.
        """
        matrix = self.dynamical(wave, masses)
        squares = np.linalg.eigvalsh(0.5 * (matrix + matrix.conj().swapaxes(1, 2)))
        return _THZ * np.sign(squares) * np.sqrt(np.abs(squares))


def force_constants(
    potential: Any, frame: Frame, repeats: Sequence[int], *, dtype: str | None = None, chunk: int = 16
) -> ForceConstants:
    """Force constants of a crystal: exact derivatives of its forces, no finite displacements.

    Exact at the wave vectors that fit the supercell; between them as good as the supercell is large: pairs of atoms
    that feel each other (twice the cutoff apart for each layer of a message-passing potential) should fit into it.

    Args:
        potential: A `Potential`.
        frame: The cell, at rest: relax it first.
        repeats: How often it is repeated along each cell vector.
        dtype: float32 or float64; None takes jax's default.
        chunk: How many rows of the Hessian are computed side by side.

    Returns:
        The force constants; they add up to 0 over b and c (acoustic sum rule) up to rounding.

    Raises:
        InputError: The frame is not periodic where it should repeat, or has no cell.

    References:
        Born, Huang, Dynamical Theory of Crystal Lattices (1954), § 24; sharing of equally near images: Parlinski, Li,
        Kawazoe, Phys. Rev. Lett. 78, 4063 (1997).
    """
    if frame.cell is None:
        raise InputError("frame", "cell", "the structure has no cell", "give a crystal, or use `hessian`")
    large = supercell(frame, repeats)
    count, batch = len(frame.numbers), pack([large], float(potential.cutoff), dtype=dtype)
    rows = eqx.filter_jit(lambda model, b: hessian(model, b, atoms=np.arange(count), chunk=chunk))
    values = np.asarray(rows(potential, batch), np.float64).reshape(count, 3, -1, count, 3)
    return ForceConstants(values, frame, (int(repeats[0]), int(repeats[1]), int(repeats[2])))


def _images(
    frame: Frame, repeats: tuple[int, int, int]
) -> tuple[
    Float64[np.ndarray, "cells 3"],
    Float64[np.ndarray, "shifts 3"],
    Float64[np.ndarray, "shifts atoms cells atoms"],
]:
    """Cells of the supercell, shifts of it, both in cell vectors, and the share of each shift in a pair of atoms."""
    assert frame.cell is not None
    cells = np.array(list(itertools.product(*map(range, repeats))), np.float64)
    around = [range(-2, 3) if periodic else (0,) for periodic in frame.pbc]
    shifts = np.array(list(itertools.product(*around)), np.float64) * np.array(repeats, np.float64)[None]
    steps = (cells[None] + shifts[:, None]) @ frame.cell
    apart = frame.positions[None] - frame.positions[:, None]
    distance = np.linalg.norm(steps[:, None, :, None] + apart[None, :, None], axis=-1)
    near = distance <= distance.min(axis=0)[None] + _NEAREST
    return cells, shifts, near / near.sum(axis=0)[None]
