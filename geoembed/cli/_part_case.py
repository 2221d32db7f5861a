"""Runs about a part: its heat, also with unknown numbers, or its deformation."""

from pathlib import Path
from typing import Any

import jax
from jaxtyping import PRNGKeyArray

from ..core import InputError
from ..pinn import Certificate, ElasticCertificate, FieldCertificate, Problem, Result, certify
from ._config import Config
from ._elastic_config import ElasticConfig
from ._elastic_report import make_elastic_report
from ._inverse import Findings, find_numbers, read_sensors
from ._part_page import part_page
from ._problem import make_problem, mesh_path
from ._progress import SolveProgress
from ._read_config import place_in_file
from ._report import make_report
from ._shape_change import Velocities, shape_change, velocities

Verdict = Certificate | ElasticCertificate | FieldCertificate


class PartCase:
    """Heat in a part, or an elastic part.

    Args:
        config: The configuration.
        file: Its file.
    """

    def __init__(self, config: Config | ElasticConfig, file: Path):
        self.config, self.file, self.title, self.seed = config, file, config.part.mesh, 0
        self.findings: Findings | None = None
        self.moved: Velocities = {}
        self.files: list[str] = []

    def problem(self) -> Problem:
        """Builds the problem."""
        return make_problem(self.config, self.file)

    def prepare(self, problem: Problem, seed: int, shown: SolveProgress) -> Problem:
        """Finds the numbers that are unknown; the problem with them."""
        if isinstance(self.config, ElasticConfig):
            return problem
        if self.config.shape is not None:
            self.moved = velocities(self.config.shape, problem, self.file)
        if not self.config.unknown:
            return problem
        sensors = read_sensors(self.config, self.file)
        names = ", ".join(table.name for table in self.config.unknown)
        shown.phase(f"{self.title}: finding {names}")
        shown.say(f"finding {names} from {sensors.count} sensors")
        self.findings = find_numbers(self.config, self.file, problem, sensors, jax.random.key(seed))
        for line in self.findings.lines:
            shown.say(line)
        return self.findings.found.problem

    def notes(self, problem: Problem) -> list[str]:
        """How the mesh was mended, and whether its unit can be right."""
        return mesh_notes(problem)

    def options(self, problem: Problem, key: PRNGKeyArray) -> dict[str, Any]:
        """The options of `solve`."""
        table = self.config.solve
        limit = table.time_limit or float("inf")
        return {"tolerance": table.tolerance, "cells": table.cells, "time_limit": limit}

    def placed(self, error: InputError) -> InputError:
        """An error of `solve` about a formula as one about its line."""
        return place_in_file(self.file, error)

    def identity(self) -> str | None:
        """Nothing: the solver compares all there is."""
        return None

    def report(self, problem: Problem, result: Result, seed: int) -> dict[str, Any]:
        """Collects what is known about the run."""
        mesh = mesh_path(self.config, self.file)
        if isinstance(self.config, ElasticConfig):
            return make_elastic_report(self.config, self.file, mesh, problem, result, seed)
        report = make_report(self.config, self.file, mesh, problem, result, seed)
        if self.config.shape is not None:
            surface = report["surface_temperature_K"]
            spread, key = surface["highest"] - surface["lowest"], jax.random.key(seed)
            report["shape"] = shape_change(self.config.shape, problem, self.moved, spread, key)
        return report if self.findings is None else self.findings.added_to(report)

    def draw(self, out: Path, problem: Problem, result: Result, report: dict[str, Any]) -> None:
        """Writes pictures, files for ParaView and the page about the run."""
        from ..interop import write_surface_vtu, write_vtu
        from ..plot import convergence_figure, save_displacement, save_slices, save_temperature

        name = "displacement" if problem.elastic else "temperature"
        (save_displacement if problem.elastic else save_temperature)(out / f"{name}.png", problem, result)
        places = {axis: place for axis, place in self.config.output.slices if place is not None}
        save_slices(out / "slices.png", problem, result, places)
        convergence_figure(result, tolerance=self.config.solve.tolerance).savefig(out / "convergence.png")
        write_vtu(out / f"{name}.vtu", problem, result)
        write_surface_vtu(out / "surface.vtu", problem, result)
        files = [f"{name}.png", "slices.png", "convergence.png", f"{name}.vtu", "surface.vtu"]
        if self.findings is not None:
            files += self.findings.write(out)
        self.files = [*files, "log.jsonl", "report.json", "solution/"]

    def page(self, out: Path, report: dict[str, Any]) -> None:
        """Writes the page about the run."""
        (out / "report.md").write_text(part_page(report, self.files), encoding="utf-8")

    def require_judge(self) -> None:
        """Says at the start, not after the solve, that the judge is missing."""
        require_judge()

    def certificate(self, problem: Problem, result: Result, seed: int, out: Path) -> Verdict:
        """The verdict of finite elements."""
        return verdict(problem, result, seed, out)


def require_judge() -> None:
    """Says at the start, not after the solve, that the judge is missing."""
    from ..pinn import require_fem

    try:
        require_fem()
    except ImportError as error:
        raise InputError("--certify", "", str(error), "Install it, or leave --certify out") from error


def verdict(problem: Problem, result: Result, seed: int, out: Path) -> Verdict:
    """The verdict of finite elements."""
    try:
        return certify(problem, result, seed=seed)
    except ValueError as error:  # the mesher found no inside, for instance
        reason = f"finite elements cannot judge this problem: {error}"
        raise InputError("--certify", "", reason, f"The solution without a verdict is in {out}") from error


def mesh_notes(problem: Problem) -> list[str]:
    """How a mesh was mended, and whether its unit can be right."""
    mesh = problem.domain
    unit = [f"warning: {mesh.quality.implausible_unit}"] if mesh.quality.implausible_unit else []
    return [*(f"mended: {note}" for note in mesh.notes), *unit]
