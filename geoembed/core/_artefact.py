"""Artefacts: one folder format for everything that geoembed saves.

    manifest.json   format version, class, tree of fields, arrays with dtype and shape, SHA-256 and size of
                    arrays.npz, versions, and the SHA-256 of the manifest itself
    arrays.npz      the arrays, readable by `numpy.load`

Nothing is unpickled. A folder appears whole or not at all.
"""

import hashlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import IO, Any

import jax
import numpy as np

from ._arrays import describe, read_arrays, write_arrays
from ._errors import ArtefactError
from ._folder import current, replaced, sync
from ._tree import Fail, decode, encode

FORMAT_VERSION = 1

_MANIFEST = "manifest.json"
_ARRAYS = "arrays.npz"
_MANIFEST_BYTES = 64 * 2**20  # a longer manifest is refused before it is read
_KEYS = {"format", "class", "tree", "arrays", "files", "meta", "versions", "sha256"}
_RESTORE = "Save the object again or restore the folder from a copy"


def save(path: str | Path, obj: Any, *, meta: dict[str, Any] | None = None) -> None:
    """Save a module, a registered dataclass or a dictionary of arrays as a folder.

    Arrays keep their dtype, shape and side: a numpy array comes back as numpy, a jax array as jax. Static
    fields may be strings, numbers, None, tuples, lists, dictionaries and registered dataclasses of these. The
    folder is replaced as a whole: a process killed at any moment leaves the old artefact or the new one. Two
    processes must not save to the same path at once.

    Args:
        path: The folder to write. Replaced if it is an artefact; anything else there is left alone.
        obj: What to save. A dictionary may mix arrays and plain values, as a solver's checkpoint needs.
        meta: A note of plain values (seed, configuration) that `load_meta` reads without the arrays.

    Raises:
        ArtefactError: A value cannot be saved, or something that is not an artefact occupies `path`.

    Example:
        >>> import numpy as np, tempfile
        >>> folder = tempfile.mkdtemp() + "/state"
        >>> save(folder, {"weights": np.ones(3), "step": 12}, meta={"seed": 0})
        >>> load(folder)["weights"]
        array([1., 1., 1.])
        >>> load_meta(folder)
        {'seed': 0}
    """
    path = Path(os.path.abspath(path))
    fail = _failing(path)
    tree, arrays = encode(obj, fail)
    meta_tree, meta_arrays = encode(meta or {}, fail)
    if meta_arrays:
        raise fail("meta", "meta holds an array", "Put arrays into the object")
    content = {
        "format": FORMAT_VERSION,
        "class": tree.get("$class", "dict") if isinstance(tree, dict) else type(obj).__name__,
        "tree": tree,
        "arrays": {name: describe(name, array, fail) for name, array in arrays.items()},
        "meta": meta_tree,
        "versions": _versions(),
    }
    _check_place(path, fail)
    with replaced(path) as folder:
        with open(folder / _ARRAYS, "w+b") as file:
            write_arrays(file, arrays)
            sync(file)
            content["files"] = {_ARRAYS: {"sha256": _digest(file), "bytes": file.tell()}}
        with open(folder / _MANIFEST, "wb") as file:
            file.write(_render(content))
            sync(file)


def load(path: str | Path) -> Any:
    """Load what `save` wrote.

    Every byte is compared with its hash, every dtype, shape and name with the manifest, before the object is
    built. The class must be registered.

    Args:
        path: The folder.

    Returns:
        The object, with the dtypes it had. A 64-bit jax array stays 64-bit also while x64 is off.

    Raises:
        ArtefactError: The artefact is missing, damaged, edited, from a newer version, or of an unknown class.
    """
    folder = current(Path(os.path.abspath(path)))
    fail = _failing(folder)
    manifest = _read_manifest(folder, fail)
    said = manifest["files"][_ARRAYS]
    with _opened(folder, _ARRAYS, fail) as file:
        size = os.fstat(file.fileno()).st_size
        if size != said["bytes"]:
            raise fail(_ARRAYS, f"the file has {size} bytes, the manifest says {said['bytes']}", _RESTORE)
        if _digest(file) != said["sha256"]:
            raise fail(_ARRAYS, "the content does not match its SHA-256", _RESTORE)
        file.seek(0)
        arrays = read_arrays(file, size, manifest["arrays"], fail)
    return decode(manifest["tree"], arrays, fail)


def load_meta(path: str | Path) -> dict[str, Any]:
    """The `meta` of an artefact, without reading its arrays.

    Args:
        path: The folder.

    Returns:
        The dictionary that was passed to `save`.

    Raises:
        ArtefactError: The manifest is missing, damaged or edited.
    """
    folder = current(Path(os.path.abspath(path)))
    fail = _failing(folder)
    return decode(_read_manifest(folder, fail)["meta"], {}, fail)


def _read_manifest(folder: Path, fail: Fail) -> dict[str, Any]:
    with _opened(folder, _MANIFEST, fail) as file:
        if os.fstat(file.fileno()).st_size > _MANIFEST_BYTES:
            raise fail(_MANIFEST, f"the manifest is longer than {_MANIFEST_BYTES} bytes", _RESTORE)
        data = file.read()
    try:
        manifest = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise fail(_MANIFEST, f"the manifest is not JSON: {error}", _RESTORE) from error
    if not isinstance(manifest, dict) or type(manifest.get("format")) is not int:
        raise fail(_MANIFEST, "this is not the manifest of a geoembed artefact", "Check the path")
    if manifest["format"] != FORMAT_VERSION:
        reason = f"the format version is {manifest['format']}, this geoembed reads {FORMAT_VERSION}"
        raise fail(_MANIFEST, reason, "Install the version of geoembed that wrote it, see 'versions'")
    if set(manifest) != _KEYS or not _is_unedited(manifest, data):
        reason = "the manifest was edited or damaged: it does not match its own SHA-256"
        raise fail(_MANIFEST, reason, _RESTORE)
    match manifest:
        case {"files": {"arrays.npz": {"sha256": str(), "bytes": int()}}, "arrays": dict()}:
            return manifest
    raise fail(_MANIFEST, "the manifest lacks its table of files or arrays", _RESTORE)


def _is_unedited(manifest: dict[str, Any], data: bytes) -> bool:
    """Whether the text is the one that this content renders to: not even a doubled key passes."""
    try:
        return _render({key: value for key, value in manifest.items() if key != "sha256"}) == data
    except ValueError:  # nan, which json.loads accepts and a manifest never holds
        return False


def _render(content: dict[str, Any]) -> bytes:
    """The manifest's bytes; its hash is that of the same text without the hash."""
    bare = json.dumps(content, indent=1, allow_nan=False)
    content = content | {"sha256": hashlib.sha256(bare.encode()).hexdigest()}
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def _versions() -> dict[str, str]:
    return {
        "geoembed": getattr(sys.modules.get("geoembed"), "__version__", "unknown"),
        "jax": jax.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _failing(path: Path) -> Fail:
    def fail(where: str, reason: str, hint: str) -> ArtefactError:
        return ArtefactError(path, where, reason, hint)

    return fail


def _digest(file: IO[bytes]) -> str:
    """The SHA-256 of a file; leaves the position at its end."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(folder: Path, name: str, fail: Fail) -> IO[bytes]:
    if not folder.is_dir():
        raise fail("", "there is no such folder", "Check the path")
    if not (folder / name).is_file():  # a named pipe would block
        raise fail(name, "the file is missing", _RESTORE)
    try:
        return open(folder / name, "rb")
    except OSError as error:
        raise fail(name, f"the file cannot be opened: {error.strerror}", "Check its permissions") from error


def _check_place(path: Path, fail: Fail) -> None:
    if path.is_dir():
        foreign = sorted({entry.name for entry in path.iterdir()} - {_MANIFEST, _ARRAYS})
        if foreign:
            reason = "the folder holds other files, which saving would delete"
            raise fail(foreign[0], reason, "Choose another path")
    elif path.exists():
        raise fail("", "a file occupies the path", "Choose another path")
