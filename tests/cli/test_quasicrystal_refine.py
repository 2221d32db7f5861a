"""`geoembed quasicrystal refine` from files to refined numbers, and its mistakes."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from geoembed.cli._quasicrystal_commands import app
from geoembed.cli._quasicrystal_refine import read_reflections
from geoembed.core import InputError

CONFIG = """\
model = "fibonacci"
constant = 2.0
reflections = "measured.csv"
starts = 2
steps = 30

[[surfaces]]
window = "cube"
size = 0.95
b_parallel = 0.5
refine = ["size", "b_parallel"]

[phason_strain]
value = [[0.0]]
"""


@pytest.fixture
def case(tmp_path):
    """A chain with short tiles of 2 Å, B = 0.8 Å² and an interval of length τ: intensities written out."""
    tau = (1 + np.sqrt(5)) / 2
    h = np.array([(i, j) for i in range(1, 7) for j in range(-2, 10)])
    q, q_perp = 2 * np.pi * (np.linalg.inv(np.array([[2 * tau, 2.0], [1 - tau, 1.0]])).T @ h.T)
    kept = np.argsort(np.abs(q_perp))[:30]
    h, q, q_perp = h[kept], q[kept], q_perp[kept]
    squares = np.sinc(q_perp * tau / (2 * np.pi)) ** 2 * np.exp(-2 * 0.8 * q**2 / (16 * np.pi**2))
    with (tmp_path / "measured.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["h1", "h2", "intensity", "sigma"])
        writer.writerows((*one, f"{50 * x:.10g}", "0.01") for one, x in zip(h.tolist(), squares, strict=True))
    (tmp_path / "case.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["refine", *map(str, arguments)])


def test_refines(case):
    outcome = run(case / "case.toml", "--out", case / "out", "--quiet", "--json")
    assert outcome.exit_code == 0, outcome.output
    report = json.loads(outcome.stdout)
    assert report == json.loads((case / "out" / "report.json").read_text(encoding="utf-8"))
    numbers = report["numbers"]
    assert set(numbers) == {"surface 1.size", "surface 1.b_parallel"}
    # the cube of the chain, projected, has the length 1 + 1/τ = τ
    assert numbers["surface 1.size"]["value"] == pytest.approx(1.0, abs=1e-5)
    assert numbers["surface 1.b_parallel"]["value"] == pytest.approx(0.8, abs=1e-5)
    assert 0 < numbers["surface 1.size"]["error"] < 0.01
    assert report["scale"] == pytest.approx(50.0, rel=1e-5)
    assert report["r_factor"] < 1e-5
    with (case / "out" / "refined.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == report["reflections"] == 30
    assert all(abs(float(row["residual"])) < 1e-4 for row in rows)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('refine = ["size", "b_parallel"]', "", "nothing is refined"),
        ('"b_parallel"]', '"b_paralel"]', "b_paralel"),
        ("value = [[0.0]]", "value = [[0.0, 1.0]]", "phason_strain.value: it has another shape"),
        ("size = 0.95", "size = 0.95\nposition = [0.0]", "it has 1 numbers"),
        ("measured.csv", "nowhere.csv", "cannot be read"),
    ],
)
def test_mistakes_in_the_configuration(case, old, new, words):
    file = case / "case.toml"
    assert CONFIG.count(old) == 1
    file.write_text(CONFIG.replace(old, new), encoding="utf-8")
    outcome = run(file, "--quiet")
    assert isinstance(outcome.exception, InputError)
    assert words in str(outcome.exception)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("h1,intensity,sigma\n", "line 1"),
        ("h1,h2,intensity,sigma\n1,0,5.0,0.1\n1,1,x,0.1\n", "line 3"),
        ("h1,h2,intensity,sigma\n1,0,5.0,0.0\n", "sigma not positive"),
        ("", "missing"),
    ],
)
def test_mistakes_in_the_reflections(tmp_path, text, words):
    file = tmp_path / "measured.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_reflections(file, 2)
