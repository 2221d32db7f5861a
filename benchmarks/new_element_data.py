"""Frames of benchmarks/new_element.py: MoNbTaW (GEOEMBED_DATA), parted the same way for every arm."""

import os
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from geoembed.atoms import Buckets, Frame, read_extxyz, statistics

PLACE = Path(__file__).resolve().parents[1] / "experiments" / "new_element" / "config.toml"
CONFIG: dict[str, Any] = tomllib.loads(PLACE.read_text(encoding="utf-8"))
CUTOFF: float = CONFIG["potential"]["cutoff"]
NEW = 74  # W
OLD = ("Mo", "Nb", "Ta")
PAIRS = ("MoTa", "NbMo", "NbTa")
_SHAPES = (
    (20, 34),
    (54, 38),
)  # atoms and neighbours: the most that small and large structures of training have

SMALL = _SHAPES[0][0]


@cache
def read(name: str) -> tuple[Frame, ...]:
    """The frames of one file; each remembers the file as `set`. Stresses, which are in kB, are left out.

    So is the one surface with more atoms than all other structures of training.
    """
    frames = read_extxyz(Path(os.environ["GEOEMBED_DATA"]) / "atoms" / "monbtaw" / f"{name}.xyz.gz")
    frames = [f for f in frames if len(f.numbers) <= _SHAPES[1][0] or name.endswith("_Test")]
    return tuple(replace(frame, info={"set": name}) for frame in frames)


@cache
def before() -> tuple[list[Frame], list[Frame]]:
    """Training and validation structures of Mo, Nb, Ta and their binaries: no W in any of them."""
    parts: tuple[list[Frame], list[Frame]] = ([], [])
    for kind, (train, valid) in CONFIG["data"]["before"].items():
        for name in PAIRS if kind == "SS" else OLD:
            frames = _shuffled(f"{name}_{kind}", CONFIG["data"]["seed"])
            parts[0].extend(frames[valid : valid + train])
            parts[1].extend(frames[:valid])
    assert not any(np.any(frame.numbers == NEW) for part in parts for frame in part)
    return parts


@cache
def valid() -> list[Frame]:
    """The part of the pool that judges every run."""
    counts = CONFIG["data"]["valid"]
    return [f for name, count in counts.items() for f in _shuffled(name, CONFIG["data"]["seed"])[:count]]


def labelled(count: int, seed: int) -> list[Frame]:
    """So many structures with W, by strata; of one seed, fewer are a part of more."""
    chosen = []
    for name, number in quotas(count).items():
        held = CONFIG["data"]["valid"][name]
        rest = _shuffled(name, CONFIG["data"]["seed"])[held:]
        order = np.random.default_rng([seed, *name.encode()]).permutation(len(rest))
        chosen += [rest[k] for k in order[:number]]
    return chosen


def quotas(count: int) -> dict[str, int]:
    """How many of each stratum: the shares rounded so that the sum is right (largest remainders)."""
    shares = CONFIG["data"]["shares"]
    exact = {name: share * count for name, share in shares.items()}
    found = {name: int(value + 1e-9) for name, value in exact.items()}
    by_rest = sorted(shares, key=lambda name: found[name] - exact[name])  # stable: the order of the file
    for name in by_rest[: count - sum(found.values())]:
        found[name] += 1
    return found


def remembered(count: int, seed: int) -> list[Frame]:
    """Structures of the training before, for replay."""
    frames = before()[0]
    order = np.random.default_rng([seed, 1]).permutation(len(frames))
    return [frames[k] for k in order[:count]]


def tests(kind: str) -> list[Frame]:
    """The test structures: "new", with W, or "old", without."""
    return [frame for name in CONFIG["data"]["tests"][kind] for frame in read(name)]


def energies_before() -> dict[int, float]:
    """E0 of Mo, Nb and Ta by least squares, eV."""
    found = statistics(before()[0], CUTOFF)
    return dict(zip(found.numbers.tolist(), found.e0.tolist(), strict=True))


def energies(frames: Sequence[Frame]) -> dict[int, float]:
    """E0 of all elements, that of W by least squares over new structures with the others known; for every arm."""
    found = statistics(frames, CUTOFF, known=energies_before())
    return dict(zip(found.numbers.tolist(), found.e0.tolist(), strict=True))


def buckets() -> Buckets:
    """Shapes that hold every structure of training, one in a batch, so that all runs share their programs."""
    return Buckets(_SHAPES, 1, (4,), 0.0)


@cache
def _shuffled(name: str, seed: int) -> tuple[Frame, ...]:
    frames = read(name)
    order = np.random.default_rng([seed, *name.encode()]).permutation(len(frames))
    return tuple(frames[k] for k in order)
