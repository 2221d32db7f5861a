"""`geoembed solve` with regions, own equations, first-order training and moved patches, from the file to the report."""

import json
import signal

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib import image

import geoembed as library
from geoembed.cli._run import run
from geoembed.train import JsonLines
from tests.cli.conftest import write_box
from tests.cli.region_mistakes import OWN, ROD, TRAINED, WALL
from tests.cli.test_field_config import written
from tests.cli.test_run import stop_at

pytestmark = pytest.mark.slow


def test_a_wall_of_layers(tmp_path, geoembed):
    out = tmp_path / "out"
    assert geoembed("solve", written(tmp_path, WALL), "--out", out).code == 0
    report = json.loads((out / "report.json").read_text())
    assert report["regions"] == ["brick", "wool"]
    flow = 25.0 / (0.12 / 0.8 + 0.5 + 0.1 / 0.04 + 0.02 / 1.5)
    value = library.load(out / "solution").value
    assert float(value(jnp.array([0.1]))) == pytest.approx(20 - flow * 0.1 / 0.8, rel=1e-5)
    assert float(value(jnp.array([0.13]))) == pytest.approx(20 - flow * (0.65 + 0.01 / 0.04), rel=1e-5)
    drawn = np.load(out / "field.npz", allow_pickle=False)
    np.testing.assert_allclose(drawn["T"][[0, -1]], [20.0, -5.0], atol=1e-5)  # not those of another region
    assert np.all(np.diff(drawn["T"]) < 0)
    assert min(image.imread(out / "field.png").shape[:2]) > 300
    assert "## Regions" in (out / "report.md").read_text(encoding="utf-8")


def test_an_own_balance_in_its_weak_form(tmp_path):
    """u + u³/3 solves Poisson's equation, whose middle value on the unit square with source 10 is 0.736713533."""
    report = run(
        written(tmp_path, OWN + "tolerance = 1e-2\n"), tmp_path / "out", seed=None, resume=False, quiet=True
    )
    assert report["converged"]
    middle = report["range"]["u"]["highest"]
    assert middle + middle**3 / 3 == pytest.approx(0.736713533, rel=1e-4)


def test_first_order_training_goes_on_where_it_stopped(tmp_path, geoembed, monkeypatch):
    config, out, whole = written(tmp_path, TRAINED), tmp_path / "out", tmp_path / "whole"
    with monkeypatch.context() as patch:
        patch.setattr(JsonLines, "write", stop_at(3, signal.SIGINT))
        assert geoembed("solve", config, "--out", out).code == 130
    assert (out / "checkpoint").exists()
    assert geoembed("solve", config, "--out", out, "--resume").code == 0
    assert geoembed("solve", config, "--out", whole).code == 0
    mine, other = library.load(out / "solution"), library.load(whole / "solution")
    assert mine.iterations == other.iterations == 40
    point = jnp.array([0.4, 0.4])
    assert float(mine.value(point)) == float(other.value(point))
    assert "first_order: optimiser = adam" in (out / "report.md").read_text(encoding="utf-8")


def test_an_option_that_solve_refuses_is_named(tmp_path, geoembed):
    steady = TRAINED.replace("u_t - 0.1*u_xx - u*(1 - u)", "u_xx").replace("transient = true\n", "")
    start, end = steady.index("[time]"), steady.index("[solve]")
    steady = f'{steady[:start]}[[conditions]]\nkind = "dirichlet"\npiece = "all"\n\n{steady[end:]}'
    message = geoembed("solve", written(tmp_path, steady), "--quiet").message
    assert "line 23: training.windows: this problem has no time" in message


def test_a_rod_whose_ends_move(tmp_path):
    """T at the cooled end is 300 + 100/(1 + h L/k)."""
    write_box(tmp_path / "box.stl")
    report = run(written(tmp_path, ROD), tmp_path / "out", seed=0, resume=False, quiet=True)
    shape, longer = report["shape"], -0.1 * 25 / (1 + 25 * 0.03) ** 2  # K/mm
    assert shape["value_K"] == pytest.approx(300 + 100 / 1.75, abs=0.1)
    assert shape["moves"]["right"] == pytest.approx(longer, rel=1e-2)
    assert shape["moves"]["left end"] == pytest.approx(-2 * longer, rel=1e-2)
    assert "| `right` | -0.8" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
