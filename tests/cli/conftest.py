"""A part and configurations for the command line, and a way to call it."""

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from geoembed.cli import main
from geoembed.pinn import _solve_part

HEAT_POINTS = _solve_part._HEAT_POINTS

CONFIG = """\
# line 1
[part]
mesh = "box.stl"
unit = "mm"

[patches.base]
facing = [0, 0, -1]

[physics]
kind = "steady_heat"
conductivity = 10.0

[[conditions]]
patch = "base"
temperature = 350.0

[[conditions]]
patch = "rest"
convection = { h = 25.0, ambient = 293.0 }

[solve]
cells = 2000
"""


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The one message of a command that refuses its input; anything else is a failure of the test."""
        assert self.code == 2, (self.code, self.err)
        assert self.out == ""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("geoembed: ")
        return lines[0]


@pytest.fixture(scope="module", autouse=True)
def as_many_heat_points_as_in_other_processes():
    """The tests of `pinn` lower their number in this process, and results are compared with those of others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_solve_part, "_HEAT_POINTS", HEAT_POINTS)
        yield


@pytest.fixture
def geoembed(monkeypatch, capsys) -> Callable[..., Outcome]:
    """Call the command line in this process: `geoembed("inspect", path)`."""

    def call(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["geoembed", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        told = capsys.readouterr()
        return Outcome(int(stopped.value.code or 0), told.out, told.err)

    return call


def write_box(path: Path, size: tuple[float, float, float] = (30.0, 20.0, 10.0)) -> Path:
    """Write a box with a corner at the origin as a binary STL."""
    corner = [[size[axis] * (number >> axis & 1) for axis in range(3)] for number in range(8)]
    sides = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    triangles = [triangle for a, b, c, d in sides for triangle in ((a, b, c), (a, c, d))]
    body = [struct.pack("<12fH", 0, 0, 0, *corner[a], *corner[b], *corner[c], 0) for a, b, c in triangles]
    path.write_bytes(b"a box".ljust(80) + struct.pack("<I", len(body)) + b"".join(body))
    return path


def write_config(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the box and its configuration, with some text replaced."""
    write_box(folder / "box.stl")
    text = CONFIG
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "case.toml"
    path.write_text(text, encoding="utf-8")
    return path
