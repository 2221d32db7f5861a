"""The whole demo and a whole certificate: minutes, so they are marked slow."""

import json
import subprocess
import sys

import pytest

from tests.cli.conftest import write_config
from tests.cli.test_run import environment


@pytest.mark.slow
def test_certify(tmp_path):
    """Finite elements agree on a box; JSON is all that stdout gets although the mesher is chatty."""
    pytest.importorskip("pytetwild", reason="the extra fem is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "geoembed.cli", "solve", str(write_config(tmp_path)), "--certify", "--json"],
        capture_output=True, text=True, timeout=900, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["fem"]["status"] == "certified"
    assert report["relative_error_fem"] == report["fem"]["relative_error"] < 2e-2
    flows = {patch["name"]: patch["watts"] for patch in report["fem"]["heat"]}
    assert flows["base"] == pytest.approx(report["heat_W"]["base"], rel=1e-2)
    assert not list(tmp_path.glob("*.json"))  # the mesher leaves files where it runs


@pytest.mark.slow
def test_demo(tmp_path, geoembed):
    """The whole default demo: below 2 % of the spread against the shipped reference, heat balanced to 1 %."""
    outcome = geoembed("demo", "--out", tmp_path / "demo", "--json")
    assert outcome.code == 0, outcome.err
    report = json.loads(outcome.out)
    assert report["relative_error_fem"] <= 2e-2
    assert report["energy_balance"] <= 1e-2
    assert {"report.json", "temperature.png", "temperature.vtu", "heat_sink.toml", "heat_sink.stl"} <= {
        path.name for path in (tmp_path / "demo").iterdir()
    }
