"""Mistakes in a configuration: one message with the line, the value and the nearest valid name."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoembed import InputError
from geoembed.cli._config import Config
from geoembed.cli._problem import make_problem
from geoembed.cli._read_config import read_config
from tests.cli.conftest import CONFIG, write_config
from tests.cli.mistakes import MISTAKES


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_message(case, tmp_path, geoembed):
    old, new, expected = MISTAKES[case]
    config = write_config(tmp_path, (old, new))
    message = geoembed("solve", config, "--out", tmp_path / "out").message
    for words in expected:
        assert words in message
    assert not (tmp_path / "out" / "report.json").exists()


def test_several_mistakes_are_counted_and_the_misspelt_key_comes_first(tmp_path, geoembed):
    config = write_config(tmp_path, ("conductivity = 10.0", "conductivty = 10.0"), ("350.0", "-1.0"))
    message = geoembed("solve", config).message
    assert "'conductivty'" in message
    assert "Did you mean 'conductivity'" in message
    assert "1 more" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe[part]", "UTF-8"),
        (CONFIG.encode("utf-16"), "UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "UTF-8"),
        (b"", "'part' is missing"),
        (b"# nothing\n", "'part' is missing"),
        (b"a" * 1_000_001, "larger than"),
        (b"a = " + b"[" * 20_000, "not TOML"),
        (b"part = 3", "line 1: part"),
        (b"[[part]]", "line 1: part"),
        (b"conditions = 3\n", "missing"),
        (b"\x00", "not TOML"),
    ],
)
def test_what_is_no_configuration(content, words, tmp_path, geoembed):
    (tmp_path / "case.toml").write_bytes(content)
    assert words in geoembed("solve", tmp_path / "case.toml").message


@pytest.mark.parametrize("name", ["absent.toml", ".", "n" * 5000])
def test_a_configuration_that_is_not_there(name, tmp_path, geoembed):
    assert geoembed("solve", tmp_path / name).message


def test_a_byte_order_mark_and_windows_line_ends_are_welcome(tmp_path):
    path = write_config(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + CONFIG.replace("\n", "\r\n").encode())
    assert read_config(path).solve.cells == 2000


def test_a_folder_that_cannot_be_made(tmp_path, geoembed):
    config = write_config(tmp_path)
    (tmp_path / "file").write_text("in the way")
    assert "--out" in geoembed("solve", config, "--out", tmp_path / "file").message
    assert "--out" in geoembed("demo", "--out", tmp_path / "file").message


def test_the_mesh_is_looked_for_beside_the_configuration(tmp_path, monkeypatch):
    path = write_config(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    config = read_config(Path("../case.toml"))
    assert make_problem(config, Path("../case.toml")).domain.quality.faces == 12
    assert make_problem(config, path).domain.unit == "mm"


def test_conditions_reach_the_faces(tmp_path):
    patch = '[patches."top side"]\nsegment = [15, 10, 10]\n[physics]'
    condition = '[[conditions]]\npatch = "top side"\nflux = 7\nconvection = { h = 1, ambient = 2 }\n[solve]'
    path = write_config(tmp_path, ("[physics]", patch), ("[solve]", condition))
    problem = make_problem(read_config(path), path)
    table = problem.face_conditions
    normal = problem.domain.normals
    top, base = normal[:, 2] > 0.9, normal[:, 2] < -0.9
    assert (table.temperature[base] == 350).all()
    assert (table.flux[top] == 7).all()
    assert (table.h[top] == 1).all()
    assert (table.ambient[top] == 2).all()
    assert (table.h[~top & ~base] == 25).all()
    assert (table.flux[~top] == 0).all()


def test_radiation_and_a_table_of_conductivities(tmp_path):
    new = "convection = { h = 25.0, ambient = 293.0 }\nradiation = { emissivity = 0.5, ambient = 280 }"
    table = ("conductivity = 10.0", "conductivity_table = [[300, 1.0], [500, 3]]")
    path = write_config(tmp_path, table, ("convection = { h = 25.0, ambient = 293.0 }", new))
    problem = make_problem(read_config(path), path)
    base = problem.domain.normals[:, 2] < -0.9
    faces = problem.face_conditions
    assert problem.equation.conductivity_at(400.0) == 2.0
    assert (faces.emissivity[~base] == 0.5).all()
    assert (faces.radiant[~base] == 280).all()
    assert (faces.h[~base] == 25).all()
    assert (faces.emissivity[base] == 0).all()


def test_box_and_facing_narrow_each_other_down(tmp_path):
    box = "box = { lower = [-1, -1, -1], upper = [31, 21, 5] }"
    path = write_config(tmp_path, ("[0, 0, -1]", f"[0, 0, -1]\nangle = 100\n{box}"))
    problem = make_problem(read_config(path), path)
    # an angle of 100° alone takes the four sides too; the box leaves the bottom only
    assert problem.resolved.area("base") == pytest.approx(600.0)


@given(data=st.data())
@settings(max_examples=300)
def test_damage_never_gives_anything_but_a_configuration_or_an_input_error(data, tmp_path_factory):
    """Cuts, doubled and foreign pieces anywhere in the text."""
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    first = data.draw(st.integers(0, len(CONFIG)))
    last = data.draw(st.integers(first, min(len(CONFIG), first + 40)))
    pieces = [
        "",
        "[",
        "]",
        "[[conditions]]",
        '"',
        "'",
        "=",
        "{",
        "}",
        ",",
        "\n",
        ".",
        "nan",
        "-",
        "é",
        "\x00",
        "rest",
    ]
    middle = data.draw(st.sampled_from(pieces)) + data.draw(st.text(max_size=5))
    path.write_text(CONFIG[:first] + middle + CONFIG[last:], encoding="utf-8", errors="surrogatepass")
    try:
        outcome = read_config(path)
    except InputError as error:
        outcome = error
    assert isinstance(outcome, Config) or (outcome.file == str(path) and outcome.reason and outcome.hint)


def test_the_program_itself_ends_with_code_2_and_without_a_traceback(tmp_path):
    config = write_config(tmp_path, ("temperature = 350.0", "temprature = 350.0"))
    done = subprocess.run(
        [sys.executable, "-m", "geoembed.cli", "solve", str(config)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"geoembed: {config}: line 15: conditions[0].temprature:")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["solve"], ["solve", "a.toml", "--sed", "1"], ["demo", "--seed", "-1"], ["slove"], ["inspect"]],
)
def test_wrong_arguments_end_with_code_2(arguments, geoembed):
    outcome = geoembed(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Usage" in outcome.err
