"""Which structures of a file to label next."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..atoms import SYMBOLS, Committee, Frame, LabelKeys, Posterior, Selection, posterior, select
from ..atoms._copy_frames import copy_frames
from ..atoms._extxyz import read_xyz_file
from ..atoms._uncertainty._select import METHODS
from ..core import InputError
from ._atoms_data import read_potential, read_structures
from ._atoms_report import finite
from ._report import sha256, versions

_ENDS = (".xyz", ".extxyz")
_UNCERTAIN = ("determinant", "uncertainty", "weighted")


def run_selection(
    model: Path,
    pool: Path,
    out: Path,
    *,
    count: int,
    labelled: Path | None,
    method: str | None,
    over: list[str],
    keys: tuple[str, str, str],
    seed: int,
    batch: int,
) -> dict[str, Any]:
    """Chooses structures and writes them, lines as they are, in the order of choice.

    Args:
        model: The folder of a posterior, a committee or a potential.
        pool: The file of the structures.
        out: The file to write.
        count: How many to choose.
        labelled: Structures that the potential was trained on.
        method: See `atoms.select`; None for the usual one.
        over: The numbers of the posterior that is made of a potential and labelled structures.
        keys: Under which names `labelled` has energy, forces and stress.
        seed: Of a random choice.
        batch: Structures in a batch.

    Returns:
        The report.

    Raises:
        InputError: Model, structures or options cannot be used.
    """
    _check_files(pool, out)
    if method is not None and method not in METHODS:
        raise InputError("--method", method, "there is no such method", f"Choose {', '.join(METHODS)}")
    potential = read_potential(model)
    file = read_xyz_file(pool)
    known = [] if labelled is None else read_structures(labelled, potential, _labels(labelled, keys))
    if not isinstance(potential, Posterior | Committee) and method in (None, *_UNCERTAIN):
        if not known:
            reason = "a potential alone does not know how sure it is"
            hint = "Give its training structures by --labelled, or choose by --method farthest"
            raise InputError(model, "", reason, hint)
        potential = posterior(potential, known, over=over, batch=batch)
    if not 1 <= count <= len(file.frames):
        reason = f"{count} structures are asked for, and {pool} has {len(file.frames)}"
        raise InputError("--count", "", reason, f"Ask for 1 to {len(file.frames)}")
    found = select(
        potential,
        file.frames,
        count,
        method=method,
        labelled=known,
        key=jax.random.key(seed),
        batch=batch,
    )
    chosen = [file.frames[k] for k in found.indices.tolist()]
    copy_frames(pool, chosen, out, sha256=file.sha256)
    used = {"data": file.sha256, "model": sha256(model / "manifest.json")}
    return finite(
        {
            "model": str(model),
            "data": str(pool),
            "out": str(out),
            "method": found.method,
            "over": list(potential.over) if isinstance(potential, Posterior) else None,
            "labelled": None if labelled is None else str(labelled),
            "structures": len(file.frames),
            "atoms": sum(len(frame.numbers) for frame in chosen),
            "deviation_eV_per_A": _range(found),
            "chosen": [_row(found, rank, frame) for rank, frame in enumerate(chosen)],
            "seed": seed if found.method == "random" else None,
            "input_sha256": used if labelled is None else used | {"labelled": sha256(labelled)},
            "versions": versions(),
        }
    )


def selection_lines(report: dict[str, Any]) -> str:
    """The report in a few lines for a person."""
    lines = [f"{'frame':>7} {'line':>8} {'atoms':>6} {'gain':>10} {'meV/Å':>8}  formula"]
    for row in report["chosen"]:
        deviation = row["deviation_eV_per_A"]
        shown = "—" if deviation is None else f"{1e3 * deviation:.3g}"
        gain = "—" if row["gain"] is None else f"{row['gain']:.4g}"
        lines.append(
            f"{row['frame']:>7} {row['line']:>8} {row['atoms']:>6} {gain:>10} {shown:>8}  {row['formula']}"
        )
    over = "" if report["over"] is None else f" over {' and '.join(report['over'])}"
    lines.append(
        f"{len(report['chosen'])} of {report['structures']} structures by {report['method']}{over},"
        f" {report['atoms']} atoms, written to {report['out']}"
    )
    if (found := report["deviation_eV_per_A"]) is not None:
        lines.append(
            f"standard deviation of the forces in the pool: median {1e3 * found['median']:.3g} meV/Å,"
            f" largest {1e3 * found['largest']:.3g} meV/Å"
        )
    return "\n".join(lines)


def _row(found: Selection, rank: int, frame: Frame) -> dict[str, Any]:
    place = int(found.indices[rank])
    return {
        "frame": place,
        "line": frame.line,
        "atoms": len(frame.numbers),
        "formula": _formula(frame),
        "gain": float(found.gains[rank]),
        "deviation_eV_per_A": None if found.deviation is None else float(found.deviation[place]),
    }


def _range(found: Selection) -> dict[str, float] | None:
    if found.deviation is None:
        return None
    return {"median": float(np.median(found.deviation)), "largest": float(found.deviation.max())}


def _formula(frame: Frame) -> str:
    numbers, counts = np.unique(frame.numbers, return_counts=True)
    parts = [
        f"{SYMBOLS[number - 1]}{count if count > 1 else ''}"
        for number, count in zip(numbers, counts, strict=True)
    ]
    return "".join(parts)


def _labels(file: Path, keys: tuple[str, str, str]) -> LabelKeys:
    try:
        return LabelKeys(*keys)
    except ValueError as error:
        raise InputError(file, "--energy-key", str(error), "Give three different names") from None


def _check_files(pool: Path, out: Path) -> None:
    if not out.name.endswith(_ENDS):
        raise InputError(
            out, "", "structures are written as extended XYZ", "Give a name that ends in .xyz or .extxyz"
        )
    if pool.suffix == ".npz":
        reason = "an npz file has no comment lines to keep"
        raise InputError(pool, "", reason, "Give extended XYZ, or choose in Python: atoms.select")
    if not out.parent.is_dir():
        raise InputError(out, "", f"there is no folder {out.parent}", "Make it first, or write elsewhere")
    if out.exists() and pool.exists() and out.resolve() == pool.resolve():
        raise InputError(out, "", "the choice would replace the pool", "Give another name")
