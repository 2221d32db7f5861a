# ruff: noqa: RUF001  (mathematical symbols in what the user reads)
"""The report of an equation in a domain: as JSON, as a page for a person, and as a few lines."""

from pathlib import Path
from typing import Any

import numpy as np

from ..pinn import Problem, Result
from ..plot import FieldGrid
from ._domain_config import MeshTable
from ._equation_config import OwnTable
from ._field_config import FieldConfig
from ._make_domain import mesh_file
from ._report import finite, percent, sha256, versions

ADVICE = {
    "time limit": "the time was too short. Raise solve.time_limit and go on with --resume.",
    "step limit": "there were too few steps. Raise solve.steps, or steps in [training].",
    "cell limit": "the splines need more cells. Raise solve.cells, or train a network: solve.width = 16.",
    "stalled": (
        "the residual at held-out points has stopped falling. Check that the conditions fit each other and the "
        "equation, also in the corners. A network takes more solve.points, a larger "
        "solve.width or solve.depth, or another seed."
    ),
    "diverged": "do not use the field. Check the signs and the sizes of the coefficients.",
}
_OTHER = "do not rely on the field before the estimated error is below the tolerance."


def make_field_report(
    config: FieldConfig,
    config_file: Path,
    problem: Problem,
    result: Result,
    grid: FieldGrid,
    seed: int,
    free: list[str],
) -> dict[str, Any]:
    """Collects what is known about a run.

    Args:
        config: The configuration.
        config_file: Its file.
        problem: The problem.
        result: Its solution.
        grid: The field on a grid, for its range.
        seed: The seed.
        free: What is said about pieces of the boundary without a condition.
    """
    hashes = {"config": sha256(config_file)}
    if isinstance(config.domain, MeshTable):
        hashes["mesh"] = sha256(mesh_file(config.domain, config_file))
    for table in config.regions:
        if isinstance(table.shape, MeshTable):
            hashes[f"mesh of {table.name}"] = sha256(mesh_file(table.shape, config_file))
    last = result.history[-1] if result.history else {}
    return {
        "equation": config.physics.kind,
        "formula": _formula(config),
        "unknowns": list(problem.equation.fields),
        "regions": [table.name for table in config.regions],
        "status": result.status,
        "converged": result.status == "converged",
        "advice": None if result.status == "converged" else ADVICE.get(result.status, _OTHER),
        "estimated_error": finite(result.estimated_error),
        "tolerance": config.solve.tolerance,
        "held_out_residual": None if result.held_out_residual is None else finite(result.held_out_residual),
        "training_residual": finite(last["residual"]) if "residual" in last else None,
        "range": {
            name: {"lowest": float(np.nanmin(values)), "highest": float(np.nanmax(values))}
            for name, values in zip(grid.fields, np.moveaxis(grid.values, -1, 0), strict=True)
            if np.isfinite(values).any()
        },
        "pieces": [piece.name for piece in problem.in_fields.outline],
        "free": free,
        "conditions": [table.model_dump(mode="json") for table in config.conditions],
        "seconds": result.seconds,
        "iterations": result.iterations,
        "parameters": result.parameters,
        "seed": seed,
        "input_sha256": hashes,
        "versions": versions(),
        "config": config.model_dump(mode="json"),
        "history": [_plain(record) for record in _thinned(result.history)],
        "relative_error_fem": None,
        "fem": None,
    }


def field_summary(report: dict[str, Any], out: Path) -> str:
    """Returns the report in a few lines for a person."""
    name = report["equation"]
    status = "converged" if report["converged"] else f"NOT CONVERGED ({report['status']})"
    lines = [
        f"{name}: {status} after {report['seconds']:.0f} s, {report['iterations']} iterations,"
        f" {report['parameters']} parameters"
    ]
    if not report["converged"]:
        lines.append(f"  what to do            {report['advice']}")
    lines += [
        f"  error, estimated      {percent(report['estimated_error'])} of the field"
        f" (asked for: {100 * report['tolerance']:.3g} %)",
        f"  residual, held out    {_figure(report['held_out_residual'])}"
        f" (at the training points: {_figure(report['training_residual'])})",
        *(
            f"  {field + ':':<22}{span['lowest']:.6g} … {span['highest']:.6g}"
            for field, span in report["range"].items()
        ),
        f"  certificate           {_certificate(report)}",
        *(f"  note: {said}" for said in report["free"]),
        f"  written to {out}: report.md, report.json, field.png, convergence.png, values, solution/",
    ]
    return "\n".join(lines)


def field_page(report: dict[str, Any], files: list[str]) -> str:
    """Returns the report as a page in Markdown."""
    rows = [
        ("status", report["status"]),
        ("estimated error, ‖u − u*‖/‖u‖", percent(report["estimated_error"])),
        ("tolerance", f"{100 * report['tolerance']:.3g} %"),
        *_certificate_rows(report),
        ("residual at held-out points", _figure(report["held_out_residual"])),
        ("residual at the training points", _figure(report["training_residual"])),
        *(
            (f"{name}, lowest and highest", f"{span['lowest']:.6g} … {span['highest']:.6g}")
            for name, span in report["range"].items()
        ),
        ("time", f"{report['seconds']:.1f} s"),
        *_method(report["config"]),
        ("steps", report["iterations"]),
        ("trained numbers", report["parameters"]),
        ("seed", report["seed"]),
        ("versions", ", ".join(f"{name} {number}" for name, number in report["versions"].items())),
        *((f"SHA-256 of the {name}", f"`{digest}`") for name, digest in report["input_sha256"].items()),
    ]
    verdict = (
        "The estimated error is below the tolerance. It is an estimate, no bound."
        if report["converged"]
        else f"**Not converged** ({report['status']}): {report['advice']}"
    )
    parts = [
        f"# {report['equation']}",
        report["formula"][0].upper() + report["formula"][1:],
        verdict,
        f"Certificate: {_certificate(report)}.",
        "![The field](field.png)",
        "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows),
        *_regions(report["config"]),
        "## Conditions\n\n" + "\n".join(f"- {_table(table)}" for table in report["conditions"]),
        "Pieces of the boundary: "
        + (", ".join(report["pieces"]) or "none, all ends are joined by periods")
        + ".",
        *(f"Note: {said}." for said in report["free"]),
        "## How the solution came about\n\n![Residual and estimated error by steps](convergence.png)",
        "## Files\n\n" + "\n".join(f"- `{name}`" for name in files),
    ]
    return "\n\n".join(parts) + "\n"


def _certificate(report: dict[str, Any]) -> str:
    """Which certificate was used, and its verdict."""
    fem = report["fem"]
    if fem is None:
        return "none asked for (--certify); the error is the solver's own estimate"
    status = fem["status"].upper() if fem["status"] == "failed" else fem["status"]
    return f"{status}, by {fem['method']}: {fem['text']}"


def _certificate_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures of a certificate by finite elements."""
    fem = report["fem"]
    if fem is None or fem["method"] != "finite elements":
        return []
    return [
        ("error against finite elements", percent(fem["relative_error"])),
        ("difference between their two meshes", percent(fem["fem_agreement"])),
        ("largest error that passes", percent(fem["bar"])),
    ]


def _formula(config: FieldConfig) -> str:
    physics = config.physics
    if not isinstance(physics, OwnTable):
        return str(type(physics).model_fields["kind"].description)
    if physics.balance is None:
        return f"the equation: {_value(physics.residual)} = 0"
    return f"the equation: ∇·F = {_value(physics.balance)}, F = {_value(physics.flux)}"


def _method(config: dict[str, Any]) -> list[tuple[str, str]]:
    """What was said about the form, the network and its training."""
    rows = [("form", "weak")] if config["solve"]["form"] == "weak" else []
    rows += [(name, _table(config[name])) for name in ("network", "training") if config[name] is not None]
    return rows


def _regions(config: dict[str, Any]) -> list[str]:
    """The regions and their materials."""
    if not config["regions"]:
        return []
    lines = [
        f"- `{table['name']}` ({_table(table['shape'])}): {_table(table['physics'])}"
        for table in config["regions"]
    ]
    return ["## Regions\n\n" + "\n".join([*lines, f"- `rest`: {_table(config['physics'])}"])]


def _table(table: dict[str, Any]) -> str:
    """A table as a line: its kind, then its keys."""
    keys = ", ".join(
        f"{name} = {_value(value)}" for name, value in table.items() if name != "kind" and value is not None
    )
    return f"{table['kind']}: {keys}" if keys else table["kind"]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_value(own)}" for name, own in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    starred = (
        isinstance(value, str) and value.count("*") > 1
    )  # which a page in Markdown would take for emphasis
    return f"`{value}`" if starred else str(value)


def _thinned(history: tuple[dict[str, Any], ...], most: int = 400) -> list[dict[str, Any]]:
    """At most so many records, evenly, the last one among them; the log has all."""
    step = -(-len(history) // most) or 1
    kept = list(history[::-step])[::-1]
    return kept


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {name: finite(value) if isinstance(value, float) else value for name, value in record.items()}


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
