"""The demo: the bundled heat sink, judged against bundled finite-element values."""

import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from ..pinn import Problem, Result
from ._report import add_reference
from ._run import make_folder, run

_FILES = ("heat_sink.toml", "heat_sink.stl")


def run_demo(out: Path, *, seed: int, resume: bool, quiet: bool = False) -> dict[str, Any]:
    """Solves the bundled part; the configuration and the part are copied to `out` for the user to change."""
    data = resources.files("geoembed.pinn") / "data"
    make_folder(out)
    for name in _FILES:
        with resources.as_file(data / name) as source:
            shutil.copyfile(source, out / name)

    def judge(report: dict[str, Any], problem: Problem, result: Result) -> None:
        with resources.as_file(data / "heat_sink_reference.npz") as reference:
            add_reference(report, result, reference, problem.domain.metres_per_unit)

    return run(out / "heat_sink.toml", out, seed=seed, resume=resume, quiet=quiet, judge=judge)
