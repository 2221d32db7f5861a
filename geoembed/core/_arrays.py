"""Named arrays in an .npz file, read without trust: nothing is allocated before its size is proven.

Members are stored uncompressed, so the bytes to allocate can never exceed the bytes of the file, and
`numpy.load` opens the same file. Writing the same arrays gives the same bytes.
"""

import math
import struct
import zipfile
from typing import IO, Any

import jax
import jax.numpy as jnp
import numpy as np

from ._tree import Fail

# numpy has no bfloat16: its bits are stored as uint16 and the manifest keeps the name.
_STORED = {
    name: np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
} | {"bfloat16": np.dtype("uint16")}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed time stamp: equal arrays, equal file
_REWRITE = "Save the object again or restore the folder from a copy"


def describe(name: str, array: Any, fail: Fail) -> dict[str, Any]:
    """The manifest's entry of one array."""
    dtype = str(array.dtype)
    if dtype.startswith("key<"):
        raise fail(name, "a random key cannot be saved", "Save jax.random.key_data(key)")
    if np.dtype(array.dtype).name not in _STORED:
        raise fail(name, f"arrays of dtype {dtype} cannot be saved", "Use booleans, integers or floats")
    kind = "jax" if isinstance(array, jax.Array) else "numpy"
    return {"dtype": np.dtype(array.dtype).name, "shape": list(array.shape), "kind": kind}


def write_arrays(file: IO[bytes], arrays: dict[str, Any]) -> None:
    """Write the members in the order of the dictionary."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            host = np.asarray(array)
            stored = host.view(np.uint16) if host.dtype.name == "bfloat16" else host
            stored = stored.astype(stored.dtype.newbyteorder("="), order="C", copy=False)
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, stored, version=(1, 0), allow_pickle=False)


def read_arrays(file: IO[bytes], size: int, entries: dict[str, Any], fail: Fail) -> dict[str, Any]:
    """The arrays that the manifest's `entries` describe, each on the side, jax or numpy, where it was."""
    for name, entry in entries.items():
        _check_entry(name, entry, fail)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_members(archive.infolist(), size, entries, fail)
            return {name: _read_member(archive, name, entry, fail) for name, entry in entries.items()}
    except (zipfile.BadZipFile, struct.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise fail("arrays.npz", f"the file cannot be read: {error}", _REWRITE) from error


def _check_entry(name: str, entry: Any, fail: Fail) -> None:
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "kind": "jax" | "numpy"} if len(entry) == 3:
            if dtype in _STORED and all(type(n) is int and n >= 0 for n in shape):
                return
    raise fail("manifest.json", f"the array {name!r} has an unusable entry", _REWRITE)


def _check_members(members: list[zipfile.ZipInfo], size: int, entries: dict[str, Any], fail: Fail) -> None:
    names = [member.filename.removesuffix(".npy") for member in members]
    if len(set(names)) != len(names):
        raise fail("arrays.npz", "a name appears twice", _REWRITE)
    if missing := sorted(set(entries) - set(names)):
        raise fail("arrays.npz", f"the array {missing[0]!r} is missing", _REWRITE)
    if extra := sorted(set(names) - set(entries)):
        raise fail("arrays.npz", f"the array {extra[0]!r} is not in the manifest", _REWRITE)
    for name, member in zip(names, members, strict=True):
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise fail(f"arrays.npz, {name}", "the member is compressed, an artefact never is", _REWRITE)
    if sum(member.file_size for member in members) > size:
        raise fail("arrays.npz", "the members claim more bytes than the file has", _REWRITE)


def _read_member(archive: zipfile.ZipFile, name: str, entry: dict[str, Any], fail: Fail) -> Any:
    where = f"arrays.npz, {name}"
    shape, stored = tuple(entry["shape"]), _STORED[entry["dtype"]]
    count = math.prod(shape)
    with archive.open(f"{name}.npy") as member:
        try:
            if np.lib.format.read_magic(member) != (1, 0):
                raise ValueError("not version 1.0 of the format")
            found_shape, fortran, found = np.lib.format.read_array_header_1_0(member)
        except ValueError as error:
            raise fail(where, f"the array's header cannot be read: {error}", _REWRITE) from error
        if found != stored:
            raise fail(where, f"the dtype is {found}, the manifest says {entry['dtype']}", _REWRITE)
        if found_shape != shape or fortran:
            raise fail(where, f"the shape is {found_shape}, the manifest says {shape}", _REWRITE)
        if archive.getinfo(f"{name}.npy").file_size != member.tell() + count * stored.itemsize:
            raise fail(where, f"the member is not as long as its shape {shape} needs", _REWRITE)
        host = np.frombuffer(bytearray(member.read()), dtype=stored).reshape(shape)
    return _place(host, entry)


def _place(host: np.ndarray, entry: dict[str, Any]) -> Any:
    if entry["dtype"] == "bfloat16":
        host = host.view(jnp.bfloat16)
    if entry["kind"] == "numpy":
        return host
    with jax.enable_x64(
        True
    ):  # only so that 64-bit arrays keep their dtype; the caller's mode is back at once
        return jnp.asarray(host)
