"""Errors of a potential in lines and tables."""

import math
from pathlib import Path
from typing import Any

_KINDS = (("energy", "energy", "meV/atom"), ("forces", "forces", "meV/Å"), ("stress", "stress", "meV/Å³"))


def error_lines(errors: dict[str, Any]) -> list[str]:
    """Errors in a few lines for a person."""
    lines = [f"  {'':<24}{'MAE':>10} {'RMSE':>10}"]
    for key, name, unit in _KINDS:
        if key in errors:
            lines.append(f"  {name + ', ' + unit:<24}{_pair(errors[key])}")
    lines += [f"  {'forces on ' + name:<24}{_pair(v)}" for name, v in errors["forces_by_element"].items()]
    for group, found in errors["groups"].items():
        lines.append(f"  {group}")
        lines += [f"    {n + ', ' + u:<22}{_pair(found[k])}" for k, n, u in _KINDS if k in found]
    return lines


def train_lines(report: dict[str, Any], out: Path) -> str:
    """The report of a training in a few lines for a person."""
    lines = [
        f"{report['status']} after {report['seconds']:.0f} s, {report['epochs']} epochs, {report['steps']} steps;"
        f" {report['trained']['numbers']} of {report['parameters']} parameters trained; best at epoch"
        f" {report['best_epoch']}"
    ]
    for name in ("validation", "test"):
        if report[name] is not None:
            lines += [f"{name} structures", *error_lines(report[name])]
    lines.append(f"  written to {out}: model/, report.md, report.json, learning.png, parity.png, log.jsonl")
    return "\n".join(lines)


def train_page(report: dict[str, Any]) -> str:
    """The report of a training as Markdown."""
    structures = report["structures"]
    lines = [
        "# Training of a potential",
        "",
        f"Status: **{report['status']}** after {report['seconds']:.0f} s, {report['epochs']} epochs,"
        f" {report['steps']} steps. {report['trained']['numbers']} of {report['parameters']} parameters were trained;"
        f" the best are those of epoch {report['best_epoch']}. Structures: {structures['train']} to learn from,"
        f" {structures['valid']} to judge by,"
        f" {structures['test']} to test with. Seed {report['seed']}.",
        "",
    ]
    for name in ("validation", "test"):
        if report[name] is not None:
            lines += [f"## Errors: {name} structures", "", *_table(report[name]), ""]
    lines += ["![learning curve](learning.png)", "", "![predictions and labels](parity.png)", ""]
    return "\n".join(lines)


def finite(value: Any) -> Any:
    """A report without numbers that are not finite, which JSON does not have: they become None."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(errors: dict[str, Any]) -> list[str]:
    rows = ["| | count | MAE | RMSE |", "|---|---|---|---|"]
    rows += [_row(f"{name}, {unit}", errors[key]) for key, name, unit in _KINDS if key in errors]
    rows += [_row(f"forces on {name}, meV/Å", found) for name, found in errors["forces_by_element"].items()]
    for group, found in errors["groups"].items():
        rows += [_row(f"{group}: {name}, {unit}", found[key]) for key, name, unit in _KINDS if key in found]
    return rows


def _row(name: str, found: dict[str, Any]) -> str:
    mae, rmse = _pair(found).split()
    return f"| {name} | {found['count']} | {mae} | {rmse} |"


def _pair(found: dict[str, Any]) -> str:
    if found["mae"] is None or found["rmse"] is None:
        return f"{'—':>10} {'—':>10}"
    return f"{1e3 * found['mae']:>10.4g} {1e3 * found['rmse']:>10.4g}"
