"""Interrupting at any stage and resuming; checkpoints that are damaged or belong elsewhere."""

import jax
import numpy as np
import pytest

import geoembed
from geoembed.core import ArtefactError, InputError
from geoembed.pinn import Problem, SteadyHeat, Temperature, _solve_part, solve
from geoembed.train import StopRequest
from tests.pinn.conftest import KEY, LADDER
from tests.pinn.parts import ENDS, box
from tests.pinn.test_solve import equal


class StopAt:
    """A `should_stop` that says yes at its n-th call, counted from 1."""

    def __init__(self, number):
        self.number, self.calls = number, 0

    def __call__(self):
        self.calls += 1
        return self.calls == self.number


@pytest.fixture(scope="module")
def calls(slab_problem):
    """How often an uninterrupted run asks."""
    never = StopAt(-1)
    solve(slab_problem, key=KEY, tolerance=0.0, should_stop=never, **LADDER)
    return never.calls


def run(problem, folder, **options):
    return solve(problem, key=KEY, tolerance=0.0, checkpoint=folder, **{**LADDER, **options})


@pytest.mark.parametrize("stage", [0.0, 0.05, 0.5, 0.75, 1.0])
def test_interrupted_and_resumed_equals_uninterrupted(slab_problem, slab, calls, stage, tmp_path):
    stop = StopAt(1 + round(stage * (calls - 1)))
    half = run(slab_problem, tmp_path / "run", should_stop=stop)
    assert half.status == "interrupted"
    assert half.iterations < slab.result.iterations
    assert half.history == slab.result.history[: len(half.history)]
    resumed = run(slab_problem, tmp_path / "run", resume=True)
    assert equal(resumed, slab.result)
    assert resumed.seconds >= half.seconds - 0.5


def test_many_interruptions(slab_problem, slab, tmp_path):
    for _ in range(100):
        result = run(slab_problem, tmp_path / "run", should_stop=StopAt(8), resume=True)
        if result.status != "interrupted":
            break
    assert equal(result, slab.result)


def test_a_kill_after_the_first_grid(slab_problem, slab, tmp_path):
    """What is on disk at the end of a grid is enough."""

    class Killed(Exception):
        pass

    def kill(report):
        if report.grid == 2:
            raise Killed

    with pytest.raises(Killed):
        run(slab_problem, tmp_path / "run", callback=kill)
    assert equal(run(slab_problem, tmp_path / "run", resume=True), slab.result)


def test_the_time_limit_leaves_a_checkpoint(slab_problem, slab, tmp_path):
    assert run(slab_problem, tmp_path / "run", time_limit=0.0).status == "time limit"
    assert equal(run(slab_problem, tmp_path / "run", resume=True), slab.result)


def test_resuming_a_finished_run_repeats_its_answer(slab_problem, slab, tmp_path):
    run(slab_problem, tmp_path / "run")
    assert equal(run(slab_problem, tmp_path / "run", resume=True), slab.result)


def test_resuming_a_converged_run_does_no_more_work(slab_problem, slab, tmp_path):
    """Two of three grids were enough: the third is not begun after a resume either."""
    options = {"tolerance": 2 * slab.result.estimated_error, "cells": 1800, "first_cells": 200}
    options |= {"key": KEY, "checkpoint": tmp_path / "run"}
    first = solve(slab_problem, **options)
    again = solve(slab_problem, resume=True, **options)
    assert first.status == "converged"
    assert equal(first, again)


def test_without_a_checkpoint_resume_starts_afresh(slab_problem, slab, tmp_path):
    assert equal(run(slab_problem, tmp_path / "new", resume=True), slab.result)


def test_without_resume_a_checkpoint_is_replaced(slab_problem, slab, tmp_path):
    run(slab_problem, tmp_path / "run", should_stop=StopAt(4))
    assert equal(run(slab_problem, tmp_path / "run"), slab.result)


def test_a_stop_request_serves_as_should_stop(slab_problem, tmp_path):
    with StopRequest() as stop:
        result = run(
            slab_problem, tmp_path / "run", should_stop=stop.__bool__, callback=lambda _: stop.request()
        )
    assert result.status == "interrupted"
    assert len(result.history) == 1


def test_checkpoints_are_written_while_running(slab_problem, tmp_path, monkeypatch):
    """Every minute; here at once."""
    monkeypatch.setattr(_solve_part, "_SAVE_EVERY", 0.0)
    seen = []
    run(slab_problem, tmp_path / "run", callback=lambda _: seen.append((tmp_path / "run").exists()))
    assert not seen[0]
    assert all(seen[1:])


@pytest.fixture(scope="module")
def interrupted(slab_problem, tmp_path_factory):
    folder = tmp_path_factory.mktemp("interrupted") / "run"
    run(slab_problem, folder, should_stop=StopAt(3))
    return folder


@pytest.mark.parametrize(
    "change",
    [{"cells": 700}, {"first_cells": 201}, {"tolerance": 1e-3}, {"key": jax.random.key(8)}],
    ids=["cells", "first_cells", "tolerance", "key"],
)
def test_other_options_are_refused(slab_problem, interrupted, change):
    options = {"key": KEY, "tolerance": 0.0, **LADDER, **change}
    with pytest.raises(InputError, match="belongs to another"):
        solve(slab_problem, checkpoint=interrupted, resume=True, **options)


@pytest.mark.parametrize("what", ["equation", "condition", "unit", "part"])
def test_another_problem_is_refused(slab_problem, interrupted, what):
    part = {"unit": box((0.1, 0.03, 0.03), unit="cm"), "part": box((0.1, 0.03, 0.031))}.get(
        what, slab_problem.domain
    )
    equation = SteadyHeat(2.0, 1e-9) if what == "equation" else slab_problem.equation
    held = Temperature("left", 400.5) if what == "condition" else slab_problem.conditions[0]
    problem = Problem(part, equation, [held, slab_problem.conditions[1]], ENDS)
    with pytest.raises(InputError, match="belongs to another"):
        solve(problem, key=KEY, tolerance=0.0, checkpoint=interrupted, resume=True, **LADDER)


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
def test_a_damaged_checkpoint_is_refused(slab_problem, tmp_path, file):
    run(slab_problem, tmp_path / "run", should_stop=StopAt(3))
    data = bytearray((tmp_path / "run" / file).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "run" / file).write_bytes(data)
    with pytest.raises(ArtefactError):
        run(slab_problem, tmp_path / "run", resume=True)


def test_a_foreign_artefact_is_refused(slab_problem, tmp_path):
    geoembed.save(tmp_path / "run", {"weights": np.ones(3)})
    with pytest.raises(InputError, match="belongs to another"):
        run(slab_problem, tmp_path / "run", resume=True)


def test_a_folder_that_is_none_is_refused(slab_problem, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    with pytest.raises(ArtefactError):
        run(slab_problem, tmp_path / "run", resume=True)
    with pytest.raises(ArtefactError):
        run(slab_problem, tmp_path / "run", should_stop=StopAt(1))
    assert (tmp_path / "run" / "thesis.tex").read_text() == "years of work"
