# ruff: noqa: RUF001  (mathematical symbols in what the user reads)
"""The report of heat in a part in time, as JSON, as a page and as a few lines."""

from pathlib import Path
from typing import Any

import numpy as np

from ..pinn import Problem, Result, TemperatureHistory
from ._part_page import ADVICE, given, markdown_table
from ._report import estimate_line, part_report, percent
from ._transient_config import TransientConfig

_SPREAD = "the temperature's spread"
_UNCHECKED = "not possible: there are none for heat in time"


def make_transient_report(
    config: TransientConfig,
    config_file: Path,
    mesh_file: Path,
    problem: Problem,
    result: Result,
    seed: int,
    history: TemperatureHistory,
) -> dict[str, Any]:
    """Collects what is known about a run. Keys ending in no unit are dimensionless or SI."""
    hottest, coldest = int(np.argmax(history.highest)), int(np.argmin(history.lowest))
    last = result.history[-1] if result.history else {}
    own = {
        "time_s": {
            "start": problem.moments[0],
            "end": problem.moments[1],
            "reached": float(history.times[-1]),
        },
        "heat_J": dict(result.heat),
        "temperature_K": {
            "highest": _extreme(history.highest, history.hottest, history.times, hottest),
            "lowest": _extreme(history.lowest, history.coldest, history.times, coldest),
            "at_start": _at(history, 0),
            "at_end": _at(history, -1),
        },
        "steps_in_time": {"last_grid": last.get("steps"), "rejected": last.get("rejected")},
    }
    return part_report(config, config_file, mesh_file, problem, result, seed, own)


def _extreme(values: np.ndarray, places: np.ndarray, times: np.ndarray, row: int) -> dict[str, Any]:
    return {"value": float(values[row]), "at": places[row].tolist(), "time_s": float(times[row])}


def _at(history: TemperatureHistory, row: int) -> dict[str, float]:
    columns = {"lowest": history.lowest, "mean": history.mean, "highest": history.highest}
    return {name: float(column[row]) for name, column in columns.items()}


def transient_lines(report: dict[str, Any]) -> list[str]:
    """The report in a few lines for a person."""
    time = report["time_s"]
    short = time["reached"] < time["end"]
    return [
        *([f"  ONLY UP TO            {time['reached']:g} s of {time['end']:g} s"] if short else []),
        *(f"  {name:<22}{said}" for name, said in _temperatures(report)),
        "  error, estimated      " + estimate_line(report, _SPREAD),
        f"  heat balance          {percent(report['energy_balance'])} of the heat is missing",
        *(f"  {_into(name) + ':':<22}{joules:+.4g} J" for name, joules in report["heat_J"].items()),
    ]


def transient_page(report: dict[str, Any], files: list[str]) -> str:
    """Returns the report as a page in Markdown.

    Args:
        report: The report.
        files: The names of the files beside it.
    """
    time, config = report["time_s"], report["config"]
    parts = [f"# {report['part']}: heat in time", "`ρc ∂T/∂t − ∇·(K ∇T) = q`"]
    if report["status"] != "converged":
        advice = ADVICE.get(report["status"], "do not rely on the field.")
        parts.append(f"**Not converged** ({report['status']}): {advice}")
    if time["reached"] < time["end"]:
        parts.append(f"**Only the time up to {time['reached']:g} s of {time['end']:g} s was computed.**")
    rows = [
        ("status", report["status"]),
        ("time", f"{time['start']:g} … {time['reached']:g} s, {_steps(report)}"),
        ("estimated error", estimate_line(report, _SPREAD)),
        ("against finite elements", _UNCHECKED),
        ("heat that is missing or too much", percent(report["energy_balance"])),
        *_temperatures(report),
        ("computing time", f"{report['seconds']:.0f} s"),
        ("seed", str(report["seed"])),
    ]
    heat = [(_into(name), f"{joules:+.4g}") for name, joules in report["heat_J"].items()]
    parts += [
        markdown_table([("", ""), *rows]),
        "![The part at a few moments](temperature.png)",
        "![Highest, mean and lowest temperature](history.png)",
        f"At {time['reached']:g} s inside:\n\n![Three sections](slices.png)",
        "## Heat over the whole time\n\n" + markdown_table([("", "J"), *heat]),
        "What enters is positive; what is stored is how much more heat the part holds at the end than at the start.",
        "## Given\n\n" + "\n".join(_given(config)),
        "## How the solution came about\n\n![Steps in time, and the error of each grid](convergence.png)",
        "## Files\n\n" + "\n".join(f"- `{name}`" for name in files),
    ]
    return "\n\n".join(parts) + "\n"


def _temperatures(report: dict[str, Any]) -> list[tuple[str, str]]:
    found, unit = report["temperature_K"], report["unit"]
    end = found["at_end"]

    def extreme(row: dict[str, Any]) -> str:
        at = ", ".join(f"{x:.4g}" for x in row["at"])
        return f"{row['value']:.2f} K, after {row['time_s']:.4g} s, at ({at}) {unit}"

    return [
        ("highest temperature", extreme(found["highest"])),
        ("lowest temperature", extreme(found["lowest"])),
        ("at the end", f"{end['lowest']:.2f} … {end['highest']:.2f} K, mean {end['mean']:.2f} K"),
    ]


def _steps(report: dict[str, Any]) -> str:
    steps = report["steps_in_time"]
    if steps["last_grid"] is None:
        return "no grid was finished"
    return f"{steps['last_grid']} steps on the last grid and {steps['rejected']} that were repeated"


def _into(name: str) -> str:
    return "stored" if name == "stored" else f"into {name}" if name != "source" else "from the source"


def _given(config: dict[str, Any]) -> list[str]:
    """Material, first moment and conditions as lines."""
    return [
        *given(config | {"conditions": []}),
        f"- at {config['time']['start']:g} s: temperature = {_said(config['initial']['temperature'])}",
        *given(config)[1:],
    ]


def _said(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
