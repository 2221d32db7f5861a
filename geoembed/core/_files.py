"""Files from outside, opened so that nothing about them can hang or surprise a reader."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np

from ._errors import InputError

MAX_BYTES = 1 << 30
MAX_LINE = 1 << 20
CHUNK = 1 << 22

_TEXT_BYTES = bytes([9, 10, 13, *range(32, 127), *range(128, 256)])
_NOT_TEXT = re.compile(rb"[^\t\n\r\x20-\x7e\x80-\xff]")
_FOREIGN = (
    (b"\xff\xfe", "is UTF-16 or UTF-32 text", "save it as plain ASCII or UTF-8 text"),
    (b"\xfe\xff", "is UTF-16 text", "save it as plain ASCII or UTF-8 text"),
    (b"\x00\x00\xfe\xff", "is UTF-32 text", "save it as plain ASCII or UTF-8 text"),
    (b"\x1f\x8b", "is compressed with gzip", "decompress it with gunzip"),
    (b"BZh", "is compressed with bzip2", "decompress it with bunzip2"),
    (b"\xfd7zXZ", "is compressed with xz", "decompress it with unxz"),
    (
        b"PK\x03\x04",
        "is a ZIP archive (3MF, NPZ and Office files are ZIP archives too)",
        "unpack or convert it",
    ),
    (b"7z\xbc\xaf", "is a 7z archive", "unpack it"),
    (b"%PDF", "is a PDF document", "export the data itself"),
    (b"\x89PNG", "is a PNG picture", "export the data itself"),
    (b"\xff\xd8\xff", "is a JPEG picture", "export the data itself"),
    (b"version https://git-lfs", "is a Git LFS pointer, not the data", "run git lfs pull"),
    (b"ISO-10303-21", "is a STEP file", "export a triangle mesh"),
)


class Source:
    """A regular file open for reading: its name, its size, and the SHA-256 of what was read.

    Args:
        name: The file's name as the user gave it.
        handle: The open binary file.
        size: Its length in bytes when it was opened.
    """

    def __init__(self, name: str, handle: BinaryIO, size: int):
        self.name = name
        self.size = size
        self.notes: list[str] = []
        self._handle = handle
        self._hash = hashlib.sha256()
        self._read = 0

    def peek(self, count: int) -> bytes:
        """The first `count` bytes; the next `read` still starts at the first one."""
        self._handle.seek(0)
        head = self._handle.read(count)
        self._handle.seek(0)
        return head

    def tail(self, count: int) -> bytes:
        """The last `count` bytes; the next `read` still starts at the first one."""
        self._handle.seek(max(self.size - count, 0))
        end = self._handle.read(count)
        self._handle.seek(0)
        return end

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer at the end of the file."""
        try:
            data = self._handle.read(count)
        except OSError as error:
            raise InputError(
                self.name, f"byte {self._read}", f"reading failed: {error.strerror}", _DISK
            ) from None
        self._hash.update(data)
        self._read += len(data)
        return data

    def rest(self) -> bytes:
        """Everything that has not been read yet; an error when the file's length has changed."""
        data = self.read(max(self.size - self._read, 0) + 1)
        self.finish()
        return data

    def finish(self) -> None:
        """Make sure that the whole file was read and that nobody wrote to it meanwhile."""
        if self._read != self.size:
            raise InputError(
                self.name,
                f"byte {self._read}",
                f"the file had {self.size} bytes when it was opened and changed while it was read",
                "wait until the program that writes it has finished",
            )

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes read so far, in hexadecimal."""
        return self._hash.hexdigest()

    def error(self, where: str, reason: str, hint: str) -> InputError:
        """An `InputError` about this file."""
        return InputError(self.name, where, reason, hint)


_DISK = "check the disk, the network folder and the file's permissions"


@contextmanager
def open_source(path: str | os.PathLike, *, max_bytes: int = MAX_BYTES) -> Iterator[Source]:
    """Open a regular, readable, non-empty file of reasonable size.

    Args:
        path: The file.
        max_bytes: The largest size accepted, in bytes.

    Returns:
        A context manager that gives a `Source`.

    Raises:
        InputError: The path is missing, unreadable, a folder, a pipe or a device, empty, or too large.
    """
    name = os.fspath(path)
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to must not wait for ever.
        descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise InputError(
            name, "", f"cannot be opened: {reason}", "check the path and its permissions"
        ) from None
    except ValueError as error:
        raise InputError(repr(name), "", f"is not a path: {error}", "check the path") from None
    try:
        size = _checked_size(name, os.fstat(descriptor), max_bytes)
    except InputError:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as handle:
        yield Source(name, handle, size)


def _checked_size(name: str, status: os.stat_result, max_bytes: int) -> int:
    if stat.S_ISDIR(status.st_mode):
        raise InputError(name, "", "is a folder", "name one file in it")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(name, "", "is a pipe, a socket or a device", "write the data to a file first")
    if status.st_size == 0:
        raise InputError(name, "", "the file is empty (0 bytes)", "export or download it again")
    if status.st_size > max_bytes:
        reason = f"the file has {status.st_size} bytes, more than the limit of {max_bytes}"
        raise InputError(
            name, "", reason, "reduce it, for example by decimating the mesh or splitting the file"
        )
    return status.st_size


def refuse_foreign(name: str, head: bytes) -> None:
    """Raise when the first bytes of a file belong to a kind of file that no reader here understands.

    Args:
        name: The file's name.
        head: Its first bytes, 64 or more where the file has them.

    Raises:
        InputError: With the kind that was recognised.
    """
    for magic, reason, hint in _FOREIGN:
        if head.startswith(magic):
            raise InputError(name, "byte 0", f"the file {reason}", hint)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise InputError(
            name, "byte 0", "the file is a web page", "download the file itself, not the page about it"
        )
    if start.startswith(b"<?xml"):
        raise InputError(name, "byte 0", "the file is XML", "export it in one of the supported formats")


def text_chunks(source: Source) -> Iterator[tuple[int, bytes]]:
    r"""Whole lines of a text file in pieces of a few megabytes.

    Line ends become `\n`, a UTF-8 byte order mark is taken off, and the last line gets a line end;
    `source.notes` says so for the last two.

    Args:
        source: The open file.

    Returns:
        An iterator over (number of the first line, counted from 1; the lines).

    Raises:
        InputError: A byte that no text has, or a line longer than `MAX_LINE`.
    """
    carry, line = b"", 1
    while True:
        data = source.read(CHUNK)
        end = len(data) < CHUNK
        if line == 1 and not carry and data.startswith(b"\xef\xbb\xbf"):
            data = data[3:]
            source.notes.append("the text starts with a UTF-8 byte order mark; it was skipped")
        carry += data
        held = b""
        if carry.endswith(b"\r") and not end:
            carry, held = carry[:-1], b"\r"  # the other half of a line end may come with the next piece
        if b"\r" in carry:
            carry = carry.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if end and carry and not carry.endswith(b"\n"):
            carry += b"\n"
            source.notes.append("the last line has no line end: the file may have been cut there")
        cut = carry.rfind(b"\n") + 1
        lines, carry = carry[:cut], carry[cut:] + held
        if lines:
            _check_text(source, line, lines)
            yield line, lines
            line += lines.count(b"\n")
        if len(carry) > MAX_LINE:
            _check_text(source, line, carry)
            raise source.error(f"line {line}", f"the line is longer than {MAX_LINE} characters", _LINES)
        if end:
            source.finish()
            return


_LINES = "check that this is the right file; a data line is far shorter"


def _check_text(source: Source, first: int, lines: bytes) -> None:
    if lines.translate(None, _TEXT_BYTES):
        found = _NOT_TEXT.search(lines)
        at = found.start() if found else 0
        row = lines.count(b"\n", 0, at)
        hint = "the file is damaged, binary, or in UTF-16; export it again as plain text"
        raise source.error(
            f"line {first + row}", f"byte 0x{lines[at]:02x} cannot be part of a text file", hint
        )
    if len(lines) > MAX_LINE:
        lengths = np.diff(np.flatnonzero(np.frombuffer(lines, np.uint8) == 10), prepend=-1)
        row = int(np.argmax(lengths))
        if lengths[row] > MAX_LINE:
            raise source.error(
                f"line {first + row}", f"the line is longer than {MAX_LINE} characters", _LINES
            )
