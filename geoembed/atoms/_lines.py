"""The lines of a text file one by one, from plain or gzip-compressed files, with limits."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from ..core import InputError
from ..core._files import MAX_LINE, Source, open_source, refuse_foreign

_RATIO = 100  # text compresses 3- to 20-fold
_FREE = 16 << 20  # decompressed bytes before the ratio counts
_LIMIT = 4 << 30
_AGAIN = "the file is damaged or was cut; copy it again"
_ALLOWED = bytes([9, 10, 13, *range(32, 127), *range(128, 256)])


class Lines:
    """Lines with a count and with checks.

    Args:
        source: The open file.
        stream: Its text, decompressed.
        compressed: Whether it was compressed.
    """

    def __init__(self, source: Source, stream: io.BufferedIOBase, compressed: bool):
        self.source, self.compressed = source, compressed
        self._stream, self._bytes = stream, 0
        self.number = 0
        self.cut = False  # the last line had no line end

    def next(self) -> bytes | None:
        """The next line without its end, or None at the end of the file."""
        try:
            line = self._stream.readline(MAX_LINE + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise self.error(f"decompression failed: {str(error)[:100]}", _AGAIN) from None
        if not line:
            return None
        self.number += 1
        self._bytes += len(line)
        if len(line) > MAX_LINE:
            raise self.error(
                f"the line is longer than {MAX_LINE} characters", "check that this is the right file"
            )
        if self.compressed and (self._bytes > _LIMIT or self._bytes > max(_FREE, _RATIO * self.source.size)):
            raise self.error(
                "the file expands to far more than its size", "decompress it yourself if you trust it"
            )
        if self.number == 1 and line.startswith(b"\xef\xbb\xbf"):
            line = line[3:]
            self.source.notes.append("the text starts with a UTF-8 byte order mark; it was skipped")
        if bad := line.translate(None, _ALLOWED):
            hint = "the file is damaged, binary, or in UTF-16; export it again as plain text"
            raise self.error(f"byte 0x{bad[0]:02x} cannot be part of a text file", hint)
        self.cut = not line.endswith(b"\n")
        line = line.rstrip(b"\r\n")
        if b"\r" in line:
            raise self.error(
                "the line ends are those of old Macintosh systems", "convert the line ends to Unix ones"
            )
        return line

    def error(self, reason: str, hint: str, line: int | None = None) -> InputError:
        """An `InputError` about a line, by default the last one read."""
        return self.source.error(f"line {self.number if line is None else line}", reason, hint)


@contextmanager
def open_lines(path) -> Iterator[Lines]:
    """Open a text file that may be compressed with gzip.

    Args:
        path: The file.

    Returns:
        A context manager that gives `Lines`.

    Raises:
        InputError: The file cannot be opened or is of another kind.
    """
    with open_source(path) as source:
        head = source.peek(4096)
        compressed = head.startswith(b"\x1f\x8b")
        if not compressed:
            refuse_foreign(source.name, head)
        raw = io.BufferedReader(_Raw(source), 1 << 18)
        if not compressed:
            yield Lines(source, raw, False)
            return
        _refuse_bomb(source)
        with gzip.GzipFile(fileobj=raw) as stream:
            yield Lines(source, io.BufferedReader(stream, 1 << 18), True)


def _refuse_bomb(source: Source) -> None:
    """Raise early when the size that ends a gzip file (modulo 2³²) is far more than text can have."""
    size = int.from_bytes(source.tail(4), "little")
    if size > max(_FREE, _RATIO * source.size):
        reason = f"{source.size} compressed bytes expand to {size}, far more than text does"
        raise source.error("end of the file", reason, "decompress it yourself if you trust it")


class _Raw(io.RawIOBase):
    """A `Source` as a stream, so that its hash sees every byte."""

    def __init__(self, source: Source):
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
