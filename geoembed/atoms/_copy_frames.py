"""Frames of an extended XYZ file into another file, line by line as they are."""

import os
from collections.abc import Sequence
from pathlib import Path

from ._frame import Frame
from ._lines import open_lines


def copy_frames(path: str | os.PathLike, frames: Sequence[Frame], out: Path, *, sha256: str) -> None:
    """Writes frames of a file in the order asked for, with their comment lines and every column as they stand there.

    Args:
        path: The file, plain or compressed with gzip.
        frames: Frames that were read from it; their `line` says where they are.
        out: The file to write.
        sha256: Of the file when they were read.

    Raises:
        InputError: The file cannot be read again, or has changed since.
    """
    wanted = {frame.line: len(frame.numbers) + 2 for frame in frames}
    found: dict[int, list[bytes]] = {}
    with open_lines(path) as lines:
        while (line := lines.next()) is not None:
            if lines.number not in wanted:
                continue
            start = lines.number
            block = [line]
            while len(block) < wanted[start] and (line := lines.next()) is not None:
                block.append(line)
            found[start] = block
        lines.source.finish()
        if lines.source.sha256 != sha256:
            raise lines.source.error(
                "", "the file changed while it was used", "Run again when it is complete"
            )
    out.write_bytes(b"".join(line + b"\n" for frame in frames for line in found[frame.line]))
