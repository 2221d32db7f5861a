"""`geoembed solve` from the configuration to its files, interrupted and resumed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import meshio
import numpy as np
import pytest
from matplotlib import image

import geoembed as library
from geoembed.pinn import solve
from geoembed.train import JsonLines
from tests.cli.conftest import write_config

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "part", "relative_error_fem", "energy_balance", "seconds", "iterations", "parameters", "status",
    "versions", "seed", "input_sha256",
}  # fmt: skip
REPORTS = 2  # of three: after so many progress reports the interrupted runs are stopped


def environment() -> dict[str, str]:
    """The environment of a process of its own: this package, and the compilation cache of the test run."""
    cache = {"JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir)}
    return {**os.environ, **cache, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run from its start to its end, in a process of its own: folder, exit code, stdout, stderr."""
    folder = tmp_path_factory.mktemp("finished")
    done = subprocess.run(
        [sys.executable, "-m", "geoembed.cli", "solve", str(write_config(folder)), "--seed", "7", "--json"],
        capture_output=True, text=True, timeout=600, cwd=folder,
        env=environment(),
    )  # fmt: skip
    return folder / "case-result", done


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_json_is_all_that_stdout_gets(finished):
    folder, done = finished
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((folder / "report.json").read_text())
    assert "held-out" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_report_says_what_was_done(finished):
    folder, _ = finished
    report = json.loads((folder / "report.json").read_text())
    assert report.keys() >= KEYS
    assert report["part"] == "box.stl"
    assert report["status"] == "cell limit"  # one grid: nothing to compare with
    assert report["seed"] == 7
    assert report["relative_error_fem"] is None
    assert report["estimated_error"] is None
    assert report["energy_balance"] < 1e-2
    assert report["iterations"] == log_of(folder)[-1]["total_iterations"]
    assert report["versions"]["geoembed"] == library.__version__
    assert report["config"]["solve"]["cells"] == 2000
    # the heat that a fin of this Biot number gives off, and no more than a part at 350 K all over would
    most = 25.0 * (350 - 293) * (2200 - 600) * 1e-6
    assert 0.9 * most < report["heat_W"]["base"] < most
    assert report["heat_W"]["rest"] == pytest.approx(-report["heat_W"]["base"], rel=1e-2)
    # the contact that holds the base lets a drop of the order of 1e-4 of the span pass
    assert report["surface_temperature_K"]["highest"] == pytest.approx(350.0, abs=0.1)


def test_the_report_names_its_input(finished):
    import hashlib

    folder, _ = finished
    report = json.loads((folder / "report.json").read_text())
    for name, file in (("config", "case.toml"), ("mesh", "box.stl")):
        content = (folder.parent / file).read_bytes()
        assert report["input_sha256"][name] == hashlib.sha256(content).hexdigest()


def test_the_picture_opens(finished):
    folder, _ = finished
    picture = image.imread(folder / "temperature.png")
    assert min(picture.shape[:2]) > 300
    assert np.unique(picture.reshape(-1, picture.shape[2]), axis=0).shape[0] > 100


def test_the_paraview_file_opens(finished):
    folder, _ = finished
    grid = meshio.read(folder / "temperature.vtu")
    (temperature,) = (value for name, value in grid.point_data.items() if "temperature" in name.lower())
    assert len(temperature) == len(grid.points)
    assert 293 < np.nanmin(temperature) < np.nanmax(temperature) < 350.5


def test_the_log_is_one_object_a_line(finished):
    folder, _ = finished
    records = log_of(folder)
    assert len(records) > REPORTS
    assert [r["finished"] for r in records] == [False] * (len(records) - 1) + [True]
    assert all(r["estimated_error"] is None for r in records)  # not a number before the second grid
    iterations = [r["total_iterations"] for r in records]
    assert iterations == sorted(set(iterations))


def test_the_solution_loads_and_gives_temperatures(finished):
    folder, _ = finished
    result = library.load(folder / "solution")
    assert 348 < float(result.value(jnp.array([15.0, 10.0, 5.0]))) < 350
    assert not (folder / "checkpoint").exists()


def stop_at(report: int, sent: int):
    """Send this process a signal when the log gets its `report`-th line."""
    write, count = JsonLines.write, 0

    def write_and_signal(self, record):
        nonlocal count
        write(self, record)
        count += 1
        if count == report:
            os.kill(os.getpid(), sent)

    return write_and_signal


def assert_same_solution(folder: Path, finished: Path) -> None:
    mine, whole = library.load(folder / "solution"), library.load(finished / "solution")
    np.testing.assert_array_equal(mine.field.coefficients, whole.field.coefficients, strict=True)
    assert mine.iterations == whole.iterations
    assert mine.history == whole.history
    assert mine.heat == whole.heat
    without_time = [[{**r, "seconds": 0} for r in log_of(f)] for f in (folder, finished)]
    assert without_time[0] == without_time[1]


def test_ctrl_c_and_resume_repeat_the_whole_run_bit_by_bit(finished, tmp_path, geoembed, monkeypatch):
    config, out = write_config(tmp_path), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(JsonLines, "write", stop_at(REPORTS, signal.SIGINT))
        outcome = geoembed("solve", config, "--seed", "7", "--out", out, "--json")
    assert outcome.code == 130
    assert outcome.out == ""
    assert f"--resume --out {out}" in outcome.err
    assert len(log_of(out)) == REPORTS
    assert (out / "checkpoint" / "manifest.json").exists()
    assert not (out / "report.json").exists()
    outcome = geoembed("solve", config, "--seed", "7", "--out", out, "--resume", "--json")
    assert outcome.code == 0, outcome.err
    assert_same_solution(out, finished[0])
    assert not (out / "checkpoint").exists()


DRIVER = """
import sys
from geoembed.train import JsonLines
from tests.cli.test_run import stop_at
JsonLines.write = stop_at(int(sys.argv.pop(1)), int(sys.argv.pop(1)))
from geoembed.cli import main
main()
"""


def test_sigterm_in_a_process_of_its_own_and_resume(finished, tmp_path, geoembed):
    config, out = write_config(tmp_path), tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(REPORTS), str(int(signal.SIGTERM)), "solve", str(config),
         "--seed", "7", "--out", str(out)],
        capture_output=True, text=True, timeout=600, cwd=ROOT, env=environment(),
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert geoembed("solve", config, "--seed", "7", "--out", out, "--resume").code == 0
    assert_same_solution(out, finished[0])


@pytest.fixture
def interrupted(tmp_path, geoembed, monkeypatch):
    """A configuration and the folder of a run of it that was stopped at its first report."""
    config, out = write_config(tmp_path), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(JsonLines, "write", stop_at(1, signal.SIGTERM))
        assert geoembed("solve", config, "--out", out).code == 130
    return config, out


def test_a_checkpoint_of_something_else_is_refused(interrupted, geoembed):
    config, out = interrupted
    assert "another" in geoembed("solve", config, "--out", out, "--resume", "--seed", "1").message
    config.write_text(config.read_text().replace("25.0", "26.0"))
    assert "another" in geoembed("solve", config, "--out", out, "--resume").message


def test_a_damaged_checkpoint_is_refused(interrupted, geoembed):
    config, out = interrupted
    arrays = out / "checkpoint" / "arrays.npz"
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 1
    arrays.write_bytes(content)
    assert "checkpoint" in geoembed("solve", config, "--out", out, "--resume").message


def test_without_resume_an_old_checkpoint_is_said_and_dropped(interrupted, geoembed, monkeypatch):
    config, out = interrupted

    def solve_nothing(problem, *, checkpoint, resume, **_):
        assert not checkpoint.exists()
        assert not resume
        raise library.InputError("here", "", "far enough", "Stop")

    monkeypatch.setattr("geoembed.cli._run.solve", solve_nothing)
    outcome = geoembed("solve", config, "--out", out)
    assert "starting again" in outcome.err
    assert "far enough" in outcome.err


def test_resume_without_a_checkpoint_starts_from_the_beginning(tmp_path, geoembed, monkeypatch):
    def solve_nothing(*_, **__):
        raise library.InputError("here", "", "far enough", "Stop")

    monkeypatch.setattr("geoembed.cli._run.solve", solve_nothing)
    outcome = geoembed("solve", write_config(tmp_path), "--resume")
    assert "no checkpoint" in outcome.err


def test_the_keys_of_the_configuration_reach_the_solver(tmp_path, geoembed, monkeypatch):
    seen = {}

    def remember(problem, **options):
        seen.update(options, problem=problem)
        return solve(problem, **{**options, "cells": 1000, "time_limit": 0.0})

    monkeypatch.setattr("geoembed.cli._run.solve", remember)
    changes = ("cells = 2000", "cells = 3000\ntolerance = 0.25\ntime_limit = 60"), ("10.0", "12.5")
    outcome = geoembed("solve", write_config(tmp_path, *changes), "--json")
    assert json.loads(outcome.out)["status"] == "time limit"
    assert (seen["cells"], seen["tolerance"], seen["time_limit"]) == (3000, 0.25, 60)
    assert seen["problem"].equation.conductivity == 12.5
    assert seen["problem"].domain.unit == "mm"


def test_certify_without_the_extra_is_said_before_the_work(tmp_path, geoembed, monkeypatch):
    def missing():
        raise ImportError("the extra fem is missing")

    monkeypatch.setattr("geoembed.pinn.require_fem", missing)
    monkeypatch.setattr("geoembed.cli._run.solve", None)
    message = geoembed("solve", write_config(tmp_path), "--certify").message
    assert "the extra fem is missing" in message


def test_a_part_that_the_judge_cannot_mesh_keeps_its_solution(tmp_path, geoembed, monkeypatch):
    def refuse(*_, **__):
        raise ValueError("the mesher found no inside")

    monkeypatch.setattr("geoembed.pinn.require_fem", lambda: None)
    monkeypatch.setattr("geoembed.cli._part_case.certify", refuse)
    out = tmp_path / "out"
    outcome = geoembed("solve", write_config(tmp_path, ("2000", "1000")), "--out", out, "--certify")
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    assert "the mesher found no inside" in outcome.err.splitlines()[-1]
    assert json.loads((out / "report.json").read_text())["fem"] is None
    assert (out / "solution").exists()
