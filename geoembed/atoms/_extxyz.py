"""Extended XYZ, read strictly."""

import os
from typing import NamedTuple

import numpy as np

from ..core import InputError
from ..core._numbers import INTEGER, NUMBER, BadNumber, numbers, show
from ._cell import MAX_LENGTH, read_cell, read_pbc
from ._comment import Info, parse_comment
from ._elements import atomic_number
from ._frame import Frame as Frame
from ._frame import FramesFile
from ._labels import LabelKeys, take_labels
from ._lines import Lines, open_lines

MAX_ATOMS = 10_000_000
_AGAIN = "the file is damaged or was cut; write it again"
_COLUMNS = "Properties is a list of name:type:columns, for example species:S:1:pos:R:3:forces:R:3"


class _Column(NamedTuple):
    name: str
    kind: str
    width: int


def read_extxyz(path: str | os.PathLike, *, labels: LabelKeys | None = None) -> list[Frame]:
    """Read all frames of an (extended) XYZ file, or say exactly why not.

    Nothing is repaired and nothing skipped: one damaged line refuses the whole file. Without `Properties` the
    columns are the element and three coordinates. Without `pbc` a structure with a `Lattice` is periodic.

    Args:
        path: A text file, plain or compressed with gzip. Units are eV, Å, eV/Å; stress is eV/Å³, tension
            positive.
        labels: Other names, units or signs of energy, forces and stress; None takes the ones above.

    Returns:
        The frames in the order of the file.

    Raises:
        InputError: The file cannot be used, or no frame has a name that `labels` asks for; the error names the
            line, the reason, and what to do.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder, "h2.xyz")
        ...     _ = file.write_text("2|energy=-31.7|H 0 0 0|H 0 0 0.74|".replace("|", chr(10)))
        ...     frame = read_extxyz(file)[0]
        >>> frame.symbols, frame.energy
        (('H', 'H'), -31.7)
    """
    return read_xyz_file(path, labels).frames


def read_xyz_file(path: str | os.PathLike, labels: LabelKeys | None = None) -> FramesFile:
    """`read_extxyz` with the file's hash and notes."""
    frames: list[Frame] = []
    keys, wanted = LabelKeys() if labels is None else labels, set(() if labels is None else labels.asked())
    with open_lines(path) as lines:
        while (first := lines.next()) is not None:
            if not first.strip():
                _only_blank(lines)
                break
            frames.append(_frame(lines, first, keys, wanted))
        if lines.cut:
            lines.source.notes.append("the last line has no line end: the file may have been cut there")
        lines.source.finish()
        if not frames:
            raise lines.source.error("", "the file holds no frames", _AGAIN)
        if wanted:
            hint = "see with geoembed inspect what the file calls it"
            raise lines.source.error("", f"no frame has {' and '.join(sorted(wanted))}", hint)
        return FramesFile(frames, lines.source.sha256, tuple(lines.source.notes))


def _only_blank(lines: Lines) -> None:
    """Blank lines may end a file, not stand between frames."""
    start = lines.number
    while (line := lines.next()) is not None:
        if line.strip():
            reason = "a blank line stands where the number of atoms of the next frame should"
            raise lines.error(reason, "remove blank lines between frames", start)


def _frame(lines: Lines, first: bytes, keys: LabelKeys, wanted: set[str]) -> Frame:
    """The next frame; names that it has are taken out of `wanted`."""
    start = lines.number
    count = _count(lines, first)
    comment = lines.next()
    if comment is None:
        raise lines.error("the file ends after the number of atoms", _AGAIN)
    info = _info(lines, comment)
    columns = _columns(lines, info)
    table = _table(lines, count, columns, start)
    wanted.difference_update(table, info)
    try:
        return _assemble(table, info, keys, start)
    except ValueError as error:
        raise lines.error(str(error), "correct the value or leave it out", start + 1) from None


def _count(lines: Lines, line: bytes) -> int:
    if not INTEGER.fullmatch(line.strip()):
        reason = f"{show(line.strip())} stands where the number of atoms should"
        raise lines.error(reason, "see whether the frame before has as many lines as it promises")
    count = int(line)
    if count < 1:
        raise lines.error(f"a frame of {count} atoms", "remove the frame")
    # Every atom takes four bytes and more; a compressed file cannot be judged by its size.
    if count > MAX_ATOMS or (not lines.compressed and 4 * count > lines.source.size):
        raise lines.error(f"{count} atoms are promised, more than the file can hold", _AGAIN)
    return count


def _info(lines: Lines, comment: bytes) -> Info:
    try:
        return parse_comment(comment)
    except ValueError as error:
        if b"=" not in comment:  # free text, as plain XYZ files have
            return {"comment": comment.decode("utf-8", "replace")}
        raise lines.error(
            str(error), "write the comment line as key=value pairs, with text in double quotes"
        ) from None


def _columns(lines: Lines, info: Info) -> list[_Column]:
    if "Properties" not in info:
        return [_Column("species", "S", 1), _Column("pos", "R", 3)]
    parts = str(info.pop("Properties")).split(":")
    columns = []
    for name, kind, width in zip(parts[0::3], parts[1::3], parts[2::3], strict=False):
        if (
            not name
            or kind not in "SRIL"
            or len(kind) != 1
            or not width.isdecimal()
            or not 0 < int(width) < 10_000
        ):
            raise lines.error(f"Properties has an entry {name}:{kind}:{width}", _COLUMNS)
        columns.append(_Column(name, kind, int(width)))
    names = [column.name for column in columns]
    if len(parts) % 3 or len(set(names)) != len(names):
        raise lines.error("Properties is incomplete or names a column twice", _COLUMNS)
    form = {(column.name, column.kind, column.width) for column in columns}
    if ("pos", "R", 3) not in form:
        raise lines.error("Properties has no pos:R:3", _COLUMNS)
    if not {("species", "S", 1), ("Z", "I", 1), ("numbers", "I", 1)} & form:
        raise lines.error("Properties has no species:S:1", _COLUMNS)
    return columns


def _table(lines: Lines, count: int, columns: list[_Column], start: int) -> dict[str, np.ndarray]:
    """The columns of a frame by name."""
    width = sum(column.width for column in columns)
    rows = []
    for number in range(count):
        line = lines.next()
        if line is None:
            raise lines.error(f"{count} atoms are promised, but the file ends after {number}", _AGAIN)
        words = line.split()
        if len(words) != width:
            reason = f"the line has {len(words)} columns, but the comment line (or plain XYZ) says {width}"
            raise lines.error(reason, f"see whether the number of atoms in line {start} is right")
        rows.append(words)
    flat = list(zip(*rows, strict=True))
    table, at = {}, 0
    for column in columns:
        block = flat[at : at + column.width]
        at += column.width
        table[column.name] = _convert(lines, block, column, start + 2)
    return table


def _convert(lines: Lines, block: list[tuple[bytes, ...]], column: _Column, first: int) -> np.ndarray:
    """One property, [n] or [n, width]."""
    if column.name == "species" and column.kind == "S":
        return _species(lines, block[0], first)
    if column.kind == "R":
        parts = [_reals(lines, words, first) for words in block]
    elif column.kind == "I":
        parts = [_integers(lines, words, first) for words in block]
    elif column.kind == "L":
        parts = [_logicals(lines, words, first) for words in block]
    else:
        parts = [np.array([word.decode("utf-8", "replace") for word in words]) for words in block]
    return parts[0] if column.width == 1 else np.stack(parts, axis=1)


def _reals(lines: Lines, words: tuple[bytes, ...], first: int) -> np.ndarray:
    try:
        values = numbers(b" ".join(words))
    except ValueError:
        values = np.zeros(0)
    if len(values) == len(words) and np.all(np.isfinite(values)):
        return values
    for row, word in enumerate(words):
        if not NUMBER.fullmatch(word) or not np.isfinite(float(word)):
            finite = word.lower().lstrip(b"+-") not in (b"nan", b"inf", b"infinity") and not NUMBER.fullmatch(
                word
            )
            bad = BadNumber(row, word, f"{show(word)} is not a {'' if finite else 'finite '}number")
            raise lines.error(bad.reason, bad.hint, first + row)
    raise lines.error("the numbers cannot be read", _AGAIN, first)


def _integers(lines: Lines, words: tuple[bytes, ...], first: int) -> np.ndarray:
    for row, word in enumerate(words):
        if not INTEGER.fullmatch(word):
            raise lines.error(f"{show(word)} is not a whole number", _COLUMNS, first + row)
    return np.array([int(word) for word in words], np.int64)


def _logicals(lines: Lines, words: tuple[bytes, ...], first: int) -> np.ndarray:
    for row, word in enumerate(words):
        if word not in (b"T", b"F", b"True", b"False"):
            raise lines.error(f"{show(word)} is neither T nor F", _COLUMNS, first + row)
    return np.array([word in (b"T", b"True") for word in words])


def _species(lines: Lines, words: tuple[bytes, ...], first: int) -> np.ndarray:
    known: dict[bytes, int] = {}
    for row, word in enumerate(words):
        if word not in known:
            try:
                known[word] = atomic_number(word.decode("ascii"))
            except (KeyError, UnicodeDecodeError):
                raise _unknown(lines, word, first + row) from None
    return np.array([known[word] for word in words], np.int64)


def _unknown(lines: Lines, word: bytes, line: int) -> InputError:
    text = word.decode("ascii", "replace").capitalize()
    try:
        atomic_number(text)
    except KeyError:
        hint = "use the symbol of one of the 118 elements"
    else:
        hint = f"write {text}"
    return lines.error(f"{show(word)} is not a chemical element", hint, line)


def _assemble(table: dict[str, np.ndarray], info: Info, keys: LabelKeys, start: int) -> Frame:
    """A frame from its columns and values. Raises ValueError with the reason."""
    number_columns = [table.pop(name) for name in ("species", "Z", "numbers") if name in table]
    species = number_columns[0]
    if any(not np.array_equal(species, other) for other in number_columns[1:]):
        raise ValueError("two columns disagree about the elements")
    if species.min() < 1 or species.max() > 118:
        raise ValueError("an atomic number is not between 1 and 118")
    if np.abs(table["pos"]).max() > MAX_LENGTH:
        raise ValueError(f"a coordinate is larger than {MAX_LENGTH:g} Å")
    cell = read_cell(info)
    pbc = read_pbc(info, cell)
    volume = 0.0 if cell is None else abs(float(np.linalg.det(cell)))
    energy, forces, stress = take_labels(table, info, keys, volume)
    return Frame(
        numbers=species,
        positions=table.pop("pos"),
        cell=cell,
        pbc=pbc,
        energy=energy,
        forces=forces,
        stress=stress,
        arrays=table,
        info=info,
        line=start,
    )
