"""`geoembed card`: what an encoder declares, measured."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import typer

from ..check import Card, Row, card
from ..core import InputError, load
from ..core._files import open_source
from ..core._folder import current
from ..sdf import load_mesh

_ITEMS_BYTES = 1 << 26
_NUMBERS = ("float16", "float32", "float64", "complex64", "complex128")
_COUNTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def card_of_file(
    path: Path, unit: str | None, items: Path | None, seed: int, callback: Callable[[Row], None] | None = None
) -> Card:
    """Returns the card of an artefact or of a mesh.

    Args:
        path: A folder that `geoembed.save` wrote, or a mesh file.
        unit: The unit of a mesh's coordinates.
        items: A .npy file with one item a row; None for the encoder's own examples.
        seed: Decides all random choices.
        callback: Called with every row as soon as it is measured.

    Raises:
        InputError: What the files hold is no encoder, or no items for it.
        ArtefactError: The artefact is damaged.
    """
    encoder = _encoder(path, unit)
    if items is None and not hasattr(encoder, "examples"):
        reason = f"{type(encoder).__name__} makes no examples of its own"
        raise InputError(path, "", reason, "Give some with --items FILE.npy, one item a row")
    example = None if items is None else read_items(items)
    if example is not None:
        _require_fit(encoder, example[0], items)
    return card(encoder, example, key=jax.random.key(seed), callback=callback)


def _encoder(path: Path, unit: str | None) -> Callable[..., Any]:
    if not current(path).exists():
        raise InputError(path, "", "there is no such file or folder", "Check the path")
    if not current(path).is_dir():
        if unit is None:
            hint = "Give --unit with one of m, cm, mm, um, in, ft"
            raise InputError(path, "--unit", "a mesh needs the unit of its coordinates", hint)
        return load_mesh(path, unit=unit)
    if unit is not None:
        raise InputError(path, "--unit", "an artefact knows its own unit", "Leave --unit out")
    held = load(path)
    if not callable(held):
        what = "a dictionary" if isinstance(held, dict) else f"a {type(held).__name__}"
        hint = "Save the encoder itself, for a pinn.Result its value"
        raise InputError(path, "", f"the artefact holds {what}, which is no encoder", hint)
    return held


def read_items(path: Path) -> list[np.ndarray]:
    """Returns the rows of a .npy file of at most 64 MB; nothing in it is unpickled.

    Raises:
        InputError: It is no .npy file, damaged, too large, empty, or holds something other than finite numbers.
    """
    with open_source(path, max_bytes=_ITEMS_BYTES) as source:
        data = source.rest()
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = read[version](stream)
    except Exception:  # numpy evaluates the header as a literal, and so many things can go wrong
        raise InputError(path, "byte 0", "this is not a .npy file", "Write it with numpy.save") from None
    if dtype.name not in _NUMBERS + _COUNTS:
        what = "Python objects, which are never unpickled" if dtype.hasobject else f"the dtype {dtype}"
        raise InputError(path, "", f"the array holds {what}", "Save an array of numbers")
    if not shape or 0 in shape:
        raise InputError(path, "", f"the array of shape {shape} holds no items", "Save one item a row")
    left = len(data) - stream.tell()
    if left != dtype.itemsize * int(np.prod(shape, dtype=object)):
        reason = f"{left} bytes follow the header, its shape {shape} needs another number"
        raise InputError(path, "", reason, "The file was cut: write it again")
    array = np.frombuffer(data, dtype, offset=stream.tell()).reshape(shape, order="F" if fortran else "C")
    wrong = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    if len(wrong):
        raise InputError(path, f"item {wrong[0]}", "a number is not finite", "Remove nan and inf")
    if dtype.kind == "f" and np.abs(array).max() > np.finfo(np.float32).max:
        raise InputError(path, "", "a number is too large for float32", "Choose another unit")
    return [np.asarray(row) for row in np.ascontiguousarray(array, dtype.newbyteorder("="))]


def _require_fit(encoder: Callable[..., Any], item: np.ndarray, file: Path | None) -> None:
    """Raises InputError when the encoder refuses an item: a card full of the same error helps nobody."""
    try:
        jax.eval_shape(lambda x: encoder(x), item)
    except Exception as error:  # whatever an encoder raises for a wrong shape
        reason = f"the encoder does not take an item of shape {item.shape} and dtype {item.dtype}"
        said = (str(error).splitlines() or [""])[0].rstrip(".")
        raise InputError(
            file or "", "item 0", f"{reason}: {said}", "Save items that it takes, one a row"
        ) from None


def progress() -> Callable[[Row], None] | None:
    """Returns what tells a person at a terminal, on stderr, which row was measured; None where nobody looks."""
    if not sys.stderr.isatty():
        return None

    def tell(row: Row) -> None:
        typer.echo(f"{row.check.name} in {row.dtype}: {'passed' if row.check.passed else 'FAILED'}", err=True)

    return tell
