"""The report of a run, as JSON and as a few lines of text."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..pinn import Certificate, ElasticCertificate, FieldCertificate, Problem, Result
from ..sdf import value_and_gradient
from ._config import Config
from ._elastic_config import ElasticConfig
from ._transient_config import TransientConfig


def make_report(
    config: Config, config_file: Path, mesh_file: Path, problem: Problem, result: Result, seed: int
) -> dict[str, Any]:
    """Collects what is known about a run. Keys ending in no unit are dimensionless or SI."""
    part = problem.domain
    on_surface = np.concatenate([part.vertices, part.vertices[part.faces].mean(axis=1)])
    surface, _ = value_and_gradient(result.field, on_surface)
    own = {
        "heat_W": dict(result.heat),
        "surface_temperature_K": {"lowest": float(surface.min()), "highest": float(surface.max())},
    }
    return part_report(config, config_file, mesh_file, problem, result, seed, own)


def part_report(
    config: Config | TransientConfig | ElasticConfig,
    config_file: Path,
    mesh_file: Path,
    problem: Problem,
    result: Result,
    seed: int,
    own: dict[str, Any],
) -> dict[str, Any]:
    """What is known about a run, with what only heat or only elasticity has."""
    lower, upper = problem.domain.bounds
    return {
        "part": config.part.mesh,
        "unit": config.part.unit,
        "size": [float(side) for side in upper - lower],
        "status": result.status,
        "relative_error_fem": None,
        "estimated_error": finite(result.estimated_error),
        "tolerance": config.solve.tolerance,
        "energy_balance": result.energy_balance,
        **own,
        "seconds": result.seconds,
        "iterations": result.iterations,
        "parameters": result.parameters,
        "seed": seed,
        "input_sha256": {"config": sha256(config_file), "mesh": sha256(mesh_file)},
        "versions": versions(),
        "mending": list(problem.domain.notes),
        "config": config.model_dump(mode="json"),
        "fem": None,
    }


def add_certificate(
    report: dict[str, Any], certificate: Certificate | ElasticCertificate | FieldCertificate
) -> None:
    """Adds the verdict of the finite-element judge."""
    report["fem"] = certificate.as_dict()
    report["relative_error_fem"] = certificate.relative_error


def add_reference(report: dict[str, Any], result: Result, file: Path, metres_per_unit: float) -> None:
    """Adds the error against finite-element values that were computed before, as the demo does.

    The error is ‖T − T_fem‖ / ‖T_fem − mean(T_fem)‖ over points drawn uniformly by volume: a constant
    scores 1.
    """
    with np.load(file, allow_pickle=False) as reference:
        points, expected = reference["points"].astype(float), reference["temperature"].astype(float)
        facts = json.loads(str(reference["facts"]))
    found, _ = value_and_gradient(result.field, points / metres_per_unit)
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected - expected.mean())
    report["relative_error_fem"] = float(error)
    report["fem"] = {
        "source": "reference values shipped with geoembed",
        "compared": len(points),
        "reference": facts,
    }


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Writes the report as JSON."""
    path.write_text(
        json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def heat_lines(report: dict[str, Any]) -> list[str]:
    """The report of heat in a part in a few lines for a person."""
    temperature = report["surface_temperature_K"]
    return [
        f"  surface temperature   {temperature['lowest']:.2f} … {temperature['highest']:.2f} K",
        "  error, estimated      " + estimate_line(report, "the temperature's spread"),
        f"  error against FEM     {verdict_line(report)}",
        f"  heat balance          {percent(report['energy_balance'])} of the heat that enters",
        *(f"  heat into {name + ':':<12}{watts:+.4g} W" for name, watts in report["heat_W"].items()),
    ]


def estimate_line(report: dict[str, Any], of: str) -> str:
    """The estimated error, of what, and what was asked for."""
    error, asked = report["estimated_error"], f"(asked for: {100 * report['tolerance']:.3g} %)"
    return f"unknown, one grid only {asked}" if error is None else f"{percent(error)} of {of} {asked}"


def verdict_line(report: dict[str, Any]) -> str:
    """What finite elements say."""
    error, fem = report["relative_error_fem"], report["fem"]
    if fem is None:
        return "not checked (add --certify)"
    if "status" not in fem:
        return f"{percent(error)} ({fem['compared']} points of the shipped reference)"
    return f"{fem['status']}: {fem['text']}"


def versions() -> dict[str, str]:
    """The versions of what computed."""
    names = ("jax", "jaxlib", "numpy", "scipy", "equinox")
    own = {"geoembed": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in names}


def percent(value: float | None) -> str:
    """A share in words."""
    if value is None:
        return "unknown"
    return f"{100 * value:.1e} %" if 0 < value < 5e-5 else f"{100 * value:.2f} %"


def finite(value: float) -> float | None:
    """A number, or None if it is not finite: JSON has no word for that."""
    return value if abs(value) < float("inf") else None


def sha256(file: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
