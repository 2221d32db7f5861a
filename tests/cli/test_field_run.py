# ruff: noqa: RUF001
"""`geoembed solve` of an equation: from the configuration to its files, interrupted and resumed."""

import csv
import json
import re
import signal
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib import image

import geoembed as library
from geoembed.cli._field_output import write_values
from geoembed.cli._field_report import ADVICE, field_page, field_summary
from geoembed.cli._read_config import read_case
from geoembed.cli._run import run
from geoembed.plot import field_grid
from geoembed.train import JsonLines
from tests.cli.field_mistakes import BURGERS, HOLES
from tests.cli.test_field_config import problem_of, written
from tests.cli.test_run import log_of, stop_at
from tests.drawn_field import drawn

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "solve-from-toml.md"
QUICK = BURGERS[: BURGERS.index("points")]  # the splines, which the solver chooses
EXAMPLES = re.findall(r"^```toml\n# (\w+)\.toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with the files of one run, and the report."""
    folder = tmp_path_factory.mktemp("finished")
    report = run(written(folder, QUICK), folder / "out", seed=None, resume=False, quiet=True)
    return folder / "out", report


def test_the_report_says_what_was_done(finished):
    folder, report = finished
    assert report == json.loads((folder / "report.json").read_text())
    assert (report["equation"], report["unknowns"], report["seed"]) == ("burgers", ["u"], 0)
    assert report["converged"] == (report["status"] == "converged")
    assert report["iterations"] == log_of(folder)[-1]["iteration"] == report["history"][-1]["iteration"]
    assert report["held_out_residual"] == pytest.approx(min(r["held_out"] for r in log_of(folder)), rel=0.5)
    assert report["pieces"] == ["left", "right"]
    assert report["free"] == []
    assert report["config"]["physics"]["viscosity"] == "0.1/pi"
    assert report["versions"]["geoembed"] == library.__version__
    assert len(report["input_sha256"]["config"]) == 64
    # a shock between −1 and 1; the initial value holds exactly
    assert report["range"]["u"]["lowest"] < -0.99
    assert report["range"]["u"]["highest"] > 0.99


def test_the_page_and_the_summary_say_how_it_ended(finished):
    folder, report = finished
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert "∂u/∂t + u ∂u/∂x = ν ∂²u/∂x²" in page
    assert "initial: value = -sin(pi*x)" in page
    for name in re.findall(r"\]\(([\w.]+)\)|^- `([\w./]+)`$", page, re.M):
        assert (folder / "".join(name)).exists()
    for status, words in ADVICE.items():
        bad = report | {"status": status, "converged": False, "advice": words, "estimated_error": None}
        assert f"NOT CONVERGED ({status})" in field_summary(bad, folder)
        assert words in field_summary(bad, folder)
        assert f"**Not converged** ({status}): {words}" in field_page(bad, [])
    good = report | {"status": "converged", "converged": True}
    assert "NOT" not in field_summary(good, folder)


def test_the_page_and_the_summary_say_which_certificate_was_used(finished):
    folder, report = finished
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert "Certificate: none asked for (--certify)" in page
    judged = {"status": "failed", "method": "finite elements", "text": "relative error 3.0e-02 against …"}
    bad = report | {"fem": judged | {"relative_error": 0.03, "fem_agreement": 1e-5, "bar": 1e-3}}
    for text in (field_page(bad, []), field_summary(bad, folder)):
        assert "FAILED, by finite elements: relative error 3.0e-02 against …" in text
    assert "| error against finite elements | 3.00 % |" in field_page(bad, [])


@pytest.mark.slow
def test_certify_judges_an_equation(tmp_path, geoembed):
    pytest.importorskip("pytetwild")
    out = tmp_path / "out"
    outcome = geoembed("solve", written(tmp_path, QUICK), "--certify", "--out", out)
    assert outcome.code == 0
    report = json.loads((out / "report.json").read_text())
    assert report["fem"]["method"] == "finite elements"
    assert report["relative_error_fem"] == report["fem"]["relative_error"] < 1e-3
    assert "Certificate: certified, by finite elements" in (out / "report.md").read_text(encoding="utf-8")


def test_values_are_those_of_the_saved_field(finished):
    folder, _ = finished
    result = library.load(folder / "solution")
    values = np.load(folder / "field.npz", allow_pickle=False)
    assert values["u"].shape == (11, 129) == (*values["t"].shape, *values["x"].shape)
    np.testing.assert_allclose(values["u"][0], -np.sin(np.pi * values["x"]), atol=1e-12)
    np.testing.assert_allclose(values["u"][:, [0, -1]], 0.0, atol=1e-12)
    point = jnp.array([values["x"][40], values["t"][7]])
    assert float(result.value(point)) == pytest.approx(values["u"][7, 40], abs=1e-5)


def test_pictures_open_and_nothing_is_left_over(finished):
    folder, _ = finished
    for name in ("field.png", "convergence.png"):
        assert min(image.imread(folder / name).shape[:2]) > 300
    assert not list(folder.glob("checkpoint*"))


def test_a_table_of_a_domain_in_the_plane(tmp_path):
    """Without a solve: nodes outside are left out, and the columns are x, y and the unknown."""
    text = re.sub(r"\[\[conditions\]\]\nkind = \"dirichlet\".*?(?=\[\[)", "", HOLES, flags=re.S)
    problem = problem_of(tmp_path, text)
    result = drawn(problem, lambda features: (features[0] + 10 * features[1])[None])
    grid = field_grid(problem, result, cells=20)
    assert write_values(tmp_path, grid, "csv") == "field.csv"
    with (tmp_path / "field.csv").open(newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["x", "y", "u"]
    x, y, u = np.array(rows, float).T
    np.testing.assert_allclose(u, x + 10 * y, atol=1e-12)
    away = np.hypot(x - 0.4, y - 0.4)
    assert away.min() >= 0.2 - 1e-8
    # the nodes of a 21 × 21 grid whose spacing is 0.1, less those within 0.2 of one of them: 9 of distance < 0.2
    assert len(rows) == 21 * 21 - 9


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_the_examples_of_the_page_are_problems(name, text, tmp_path):
    problem = problem_of(tmp_path, text)
    soft = [c for c in problem.in_fields.soft if type(c).__name__ != "Contact"]
    assert soft == [c for c in problem.conditions if type(c).__name__ == "Neumann"]
    assert read_case(tmp_path / "case.toml").solve.tolerance <= 1e-2


@pytest.mark.slow  # test_region_run.py runs what is like the others
@pytest.mark.parametrize(("name", "text"), EXAMPLES[:2], ids=[name for name, _ in EXAMPLES[:2]])
def test_the_examples_of_the_page_run(name, text, tmp_path, geoembed):
    text = re.sub(r"tolerance = .*", "tolerance = 0.5", text)
    text = re.sub(r"time_limit = .*", "time_limit = 20\n[output]\ncells = 30", text)
    outcome = geoembed("solve", written(tmp_path, text), "--json", "--quiet")
    assert outcome.code == 0
    assert outcome.err == ""
    assert json.loads(outcome.out)["equation"] == {"burgers": "burgers", "holes": "poisson"}[name]
    assert (tmp_path / "case-result" / "field.vtu").exists() == (name == "holes")


@pytest.mark.slow
def test_ctrl_c_and_resume_repeat_the_whole_run_bit_by_bit(finished, tmp_path, geoembed, monkeypatch):
    config, out = written(tmp_path, QUICK), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(JsonLines, "write", stop_at(1, signal.SIGINT))
        assert geoembed("solve", config, "--out", out).code == 130
    assert (out / "checkpoint").exists()
    assert not (out / "report.json").exists()
    assert geoembed("solve", config, "--out", out, "--resume").code == 0
    mine, whole = library.load(out / "solution"), library.load(finished[0] / "solution")
    assert mine.iterations == whole.iterations
    np.testing.assert_array_equal(
        mine.field.network.coefficients, whole.field.network.coefficients, strict=True
    )


def test_a_checkpoint_of_another_formula_is_refused(tmp_path, geoembed, monkeypatch):
    monkeypatch.setattr("geoembed.cli._run.solve", None)  # not reached
    config, out = written(tmp_path, BURGERS), tmp_path / "out"
    (out / "checkpoint").mkdir(parents=True)
    (out / "checkpoint.sha256").write_text("0" * 64)
    assert "another" in geoembed("solve", config, "--out", out, "--resume").message


def test_the_keys_of_the_configuration_reach_the_solver(tmp_path, geoembed, monkeypatch):
    seen = {}

    def remember(problem, **options):
        seen.update(options)
        raise library.InputError("here", "", "far enough", "Stop")

    monkeypatch.setattr("geoembed.cli._run.solve", remember)
    config = written(tmp_path, BURGERS + "steps = 7\ntime_limit = 60\nseed = 3\n")
    outcome = geoembed("solve", config, "--quiet")
    assert "far enough" in outcome.message
    assert (seen["training"].points, seen["training"].steps) == (200, 7)
    assert (seen["tolerance"], seen["time_limit"]) == (0.5, 60)
    assert [weight.shape for weight in seen["network"].weights] == [(2, 6), (6, 1)]
    first = seen["network"].weights[0]
    geoembed("solve", config, "--quiet", "--seed", "4")
    assert not np.array_equal(seen["network"].weights[0], first)
    geoembed("solve", config, "--quiet", "--seed", "3")
    np.testing.assert_array_equal(seen["network"].weights[0], first)
