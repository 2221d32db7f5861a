"""A report about a file of structures."""

import os
from collections import Counter
from typing import Any

import numpy as np

from ._distance import minimum_distance as minimum_distance
from ._elements import SYMBOLS
from ._extxyz import read_xyz_file
from ._frame import Frame
from ._labels import LabelKeys
from ._rmd17 import read_rmd17_file
from ._survey import duplicates, force_range, notes

CLOSE = 0.5  # Å; the shortest chemical bond, H–H, is 0.74 Å
_LABELS = ("energy", "forces", "stress")
_LOOKS_LIKE = {"force": "forces", "Forces": "forces", "Energy": "energy", "Stress": "stress"}


def inspect_frames(path: str | os.PathLike, *, labels: LabelKeys | None = None) -> dict[str, Any]:
    """Read a file of structures and say what is in it.

    Args:
        path: An (extended) XYZ file, plain or compressed with gzip; or an rMD17 or MD17 file, `.npz`.
        labels: Other names, units or signs of energy, forces and stress in an XYZ file.

    Returns:
        JSON values: file, sha256, notes, the number of frames, the smallest and largest number of atoms,
        elements with their number of atoms, labels and other columns and values with the number of frames
        that have them, the root mean square of the force components and the largest force (eV/Å), how many
        frames repeat an earlier one, how many frames have a cell and how many are periodic in each direction, the range
        of cell volumes (Å³), the minimum distance between two atoms (Å, periodic images included) with its
        frame, and flags in words.

    Raises:
        InputError: The file cannot be used.
    """
    npz = os.fspath(path).lower().endswith(".npz")
    content = read_rmd17_file(path) if npz else read_xyz_file(path, labels)
    frames = content.frames
    sizes = [len(frame.numbers) for frame in frames]
    distances = [minimum_distance(frame) for frame in frames]
    nearest = int(np.argmin(distances))
    volumes = [float(np.linalg.det(frame.cell)) for frame in frames if frame.cell is not None]
    elements = Counter(np.concatenate([frame.numbers for frame in frames]).tolist())
    known = {name: sum(getattr(frame, name) is not None for frame in frames) for name in _LABELS}
    forces = force_range(frames)
    return {
        "kind": "atoms",
        "file": os.fspath(path),
        "sha256": content.sha256,
        "notes": list(content.notes),
        "frames": len(frames),
        "atoms_min": min(sizes),
        "atoms_max": max(sizes),
        "atoms_total": sum(sizes),
        "elements": {SYMBOLS[number - 1]: elements[number] for number in sorted(elements)},
        "labels": {name: count for name, count in known.items() if count},
        "columns": dict(Counter(name for frame in frames for name in frame.arrays)),
        "values": dict(Counter(name for frame in frames for name in frame.info)),
        "force_rms": None if forces is None else forces[0],
        "force_max": None if forces is None else forces[1],
        "duplicates": len(duplicates(frames)),
        "cells": len(volumes),
        "periodic": [sum(bool(frame.pbc[axis]) for frame in frames) for axis in range(3)],
        "volume_min": min(map(abs, volumes), default=None),
        "volume_max": max(map(abs, volumes), default=None),
        "minimum_distance": distances[nearest] if np.isfinite(distances[nearest]) else None,
        "minimum_distance_frame": nearest if np.isfinite(distances[nearest]) else None,
        "flags": [*_flags(frames, known, distances), *notes(frames)],
    }


def _flags(frames: list[Frame], known: dict[str, int], distances: list[float]) -> list[str]:
    """What a user should know, one sentence each."""
    total = len(frames)
    flags = [f"{name} is given for {n} of {total} frames" for name, n in known.items() if 0 < n < total]
    if not any(known.values()):
        flags.append("no frame has an energy, forces or a stress")
    names = {name for frame in frames for name in (*frame.arrays, *frame.info)}
    for name in sorted(names & _LOOKS_LIKE.keys()):
        flags.append(
            f"'{name}' is not read as a label; call it '{_LOOKS_LIKE[name]}' if it is one, in eV and Å"
        )
    left = [i for i, frame in enumerate(frames) if frame.cell is not None and np.linalg.det(frame.cell) < 0]
    flat = [i for i, f in enumerate(frames) if f.cell is not None and np.linalg.det(f.cell) == 0]
    close = [i for i, distance in enumerate(distances) if distance < CLOSE]
    far = [i for i, f in enumerate(frames) if np.abs(f.positions).max() > 1e5]
    mixed = {tuple(frame.pbc.tolist()) for frame in frames}
    for found, words in (
        (left, "have a left-handed cell (negative volume)"),
        (flat, "have a cell without volume and no periodic direction that needs one"),
        (close, f"have atoms nearer than {CLOSE} Å to each other or to a periodic image"),
        (far, "have coordinates beyond 1e5 Å, where float32 resolves no better than 0.01 Å"),
    ):
        if found:
            flags.append(f"{len(found)} of {total} frames {words}; the first is frame {found[0]}")
    if len(mixed) > 1:
        flags.append("frames differ in which directions are periodic")
    return flags
