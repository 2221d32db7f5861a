"""Where keys stand in a TOML text."""

import tomllib

import pytest

from geoembed.cli._lines import key_lines, line_of

TEXT = """\
# a comment, [not.a.table]
title = "x = 1"
[part]
  mesh = "a.stl"   # unit = "m"
[ patches . base ]  # spaces are allowed
facing = [
  0, 0, -1,
]
[patches."two words"]
box.lower = [0, 0, 0]
'box'."upper" = [1, 1, 1]
[[conditions]]
patch = "base"
[[conditions]]
convection = { h = 1, ambient = 2 }
[conditions.radiation]
emissivity = 1
[[conditions.radiation.bands]]
width = 1
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("title",), 2),
        (("part",), 3),
        (("part", "mesh"), 4),
        (("patches", "base"), 5),
        (("patches", "base", "facing"), 6),
        (("patches", "two words"), 9),
        (("patches", "two words", "box", "lower"), 10),
        (("patches", "two words", "box", "upper"), 11),
        (("conditions", 0), 12),
        (("conditions", 0, "patch"), 13),
        (("conditions", 1), 14),
        (("conditions", 1, "convection"), 15),
        (("conditions", 1, "radiation"), 16),
        (("conditions", 1, "radiation", "emissivity"), 17),
        (("conditions", 1, "radiation", "bands", 0, "width"), 19),
    ],
)
def test_line_of_a_key(place, line):
    assert line_of(key_lines(TEXT), place) == line


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("part", "unit"), 3),  # missing: its table
        (("conditions", 1, "convection", "h"), 15),  # inside an inline table: the line of that
        (("patches", "base", "facing", 2), 6),  # in an array
        (("patches", "two words", "box"), 10),  # a table that only its keys name
        (("patches",), 5),
        (("physics",), None),
        ((), None),
    ],
)
def test_line_of_what_has_no_line_of_its_own(place, line):
    assert line_of(key_lines(TEXT), place) == line


def test_every_key_of_the_text_is_found():
    def places(value, place=()):
        if isinstance(value, dict):
            for name, inner in value.items():
                yield (*place, name)
                yield from places(inner, (*place, name))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, inner in enumerate(value):
                yield from places(inner, (*place, number))

    lines = TEXT.splitlines()
    for place in places(tomllib.loads(TEXT)):
        found = line_of(key_lines(TEXT), place)
        if place[0] == "conditions" and place[-1] in ("h", "ambient"):
            assert "convection" in lines[found - 1]
        elif len(place) > 1:
            names = [part for part in place if isinstance(part, str)]
            assert any(name in lines[found - 1] for name in names), place


@pytest.mark.parametrize("text", ["", "\n", "[", "[[", "=", "[[a", "a", '"', "'=", "[]\n[[]]"])
def test_broken_text_does_no_harm(text):
    assert line_of(key_lines(text), ("a", "b")) in (None, 1)
