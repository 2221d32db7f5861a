"""Descriptors of the structures of a file."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..atoms import (
    Chirality,
    Descriptors,
    Frame,
    HeadsPotential,
    Mace,
    MacePotential,
    Nequip,
    Pseudoscalars,
    SoapPowerSpectrum,
    batches,
    read_extxyz,
    read_rmd17,
)
from ..atoms._training._interaction import check_elements, real_type
from ..core import InputError, load
from ._report import sha256, versions

Described = Descriptors | SoapPowerSpectrum | Chirality | Pseudoscalars
REDUCTIONS = ("mean", "sum")


def run_description(model: Path, data: Path, out: Path, *, reduce: str, batch: int) -> dict[str, Any]:
    """Describes structures and writes the numbers as an npz file.

    Args:
        model: The folder of a descriptor, an encoder or a potential.
        data: The file of the structures.
        out: The file to write: `structures` and `atoms`, one row each; `numbers`, the atomic numbers; `counts`, the
            number of atoms of each structure.
        reduce: What a structure's row is of those of its atoms: mean or sum.
        batch: Structures in a batch.

    Returns:
        The report.

    Raises:
        InputError: Model, structures or options cannot be used, or a number that comes out is not finite.
    """
    if reduce not in REDUCTIONS:
        raise InputError(
            "--reduce", reduce, "there is no such reduction", f"Choose {' or '.join(REDUCTIONS)}"
        )
    _check_out(out, data)
    found = read_descriptor(model)
    frames = read_rmd17(data) if data.suffix == ".npz" else read_extxyz(data)
    check_elements(found, frames, str(data))
    structures, atoms = describe(found, frames, reduce=reduce, batch=batch)
    counts = np.array([len(frame.numbers) for frame in frames], np.int64)
    _check_finite(structures, data)
    np.savez(
        out,
        structures=structures,
        atoms=atoms,
        numbers=np.concatenate([frame.numbers for frame in frames]).astype(np.int64),
        counts=counts,
    )
    return {
        "model": str(model),
        "descriptor": type(found).__name__,
        "data": str(data),
        "out": str(out),
        "structures": len(frames),
        "atoms": int(counts.sum()),
        "features": structures.shape[1],
        "reduce": reduce,
        "dtype": str(structures.dtype),
        "input_sha256": {"data": sha256(data), "model": sha256(model / "manifest.json")},
        "versions": versions(),
    }


def read_descriptor(folder: Path) -> Described:
    """The descriptor of a folder, of an encoder or potential its invariants; raises InputError when there is none."""
    if not folder.is_dir():
        raise InputError(
            folder, "", "there is no such folder", "Give the folder of a potential or a descriptor"
        )
    found = load(folder)
    if isinstance(found, HeadsPotential):
        found = found.potential
    if isinstance(found, MacePotential):
        found = found.encoder
    if isinstance(found, Mace | Nequip):
        found = Descriptors(found)
    if not isinstance(found, Described):
        reason = f"the folder holds {type(found).__name__}, which describes no atoms"
        raise InputError(
            folder, "", reason, "Give the folder of a potential, or save a descriptor of geoembed.atoms"
        )
    return found


def describe(
    model: Described, frames: list[Frame], *, reduce: str, batch: int
) -> tuple[np.ndarray, np.ndarray]:
    """One row for each structure, and one for each atom, in the order of the frames."""
    dtype = real_type(model)
    structures, atoms = [], []
    with jax.enable_x64(dtype == "float64"):
        run = jax.jit(lambda one: (model.of_structures(one, reduce=reduce), model.of_atoms(one)))
        stream = batches(frames, model.cutoff, min(batch, len(frames)), seed=None, dtype=dtype)
        for step in range(stream.steps):
            chosen = stream.indices(0, step)
            rows, parts = run(stream.at(0, step))
            structures.append(np.asarray(rows)[: len(chosen)])
            atoms.append(np.asarray(parts)[: sum(len(frames[k].numbers) for k in chosen)])
    return np.concatenate(structures), np.concatenate(atoms)


def _check_out(out: Path, data: Path) -> None:
    if out.suffix != ".npz":
        raise InputError(out, "", "descriptors are written as an npz file", "Give a name that ends in .npz")
    if not out.parent.is_dir():
        raise InputError(out, "", f"there is no folder {out.parent}", "Make it first, or write elsewhere")
    if out.exists() and data.exists() and out.resolve() == data.resolve():
        raise InputError(out, "", "the result would replace the structures", "Give another name")


def _check_finite(structures: np.ndarray, data: Path) -> None:
    bad = np.flatnonzero(~np.isfinite(structures).all(axis=1))
    if len(bad):
        hint = "See whether atoms lie on top of each other, or the model is damaged"
        raise InputError(data, f"frame {bad[0]}", "its descriptor is not finite", hint)
