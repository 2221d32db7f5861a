"""Replacing a folder as a whole.

A non-empty folder cannot be renamed over, so an old one steps aside first. Between the two renames only
`.name.previous` exists; `current` finds it there, and the next replacement clears it away.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A fresh folder to write into; it takes the place of `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh, previous = _beside(path, "new"), _beside(path, "previous")
    shutil.rmtree(fresh, ignore_errors=True)  # left by a killed process
    fresh.mkdir()
    try:
        yield fresh
        sync_folder(fresh)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if path.exists():
        shutil.rmtree(previous, ignore_errors=True)
        os.rename(path, previous)
    os.rename(fresh, path)
    sync_folder(path.parent)
    shutil.rmtree(previous, ignore_errors=True)


def current(path: Path) -> Path:
    """The folder to read: `path`, or what a killed replacement had set aside."""
    previous = _beside(path, "previous")
    return previous if not path.exists() and previous.is_dir() else path


def sync(file: IO[Any]) -> None:
    """Put a file's content on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Put a folder's list of names on the disk, where the system can."""
    if os.name != "posix":  # other systems cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(path: Path, role: str) -> Path:
    return path.parent / f".{path.name}.{role}"
