"""What a run prints when it is done."""

from pathlib import Path
from typing import Any

from ._elastic_report import elastic_lines
from ._field_report import field_summary
from ._inverse_report import inverse_lines
from ._report import heat_lines
from ._shape_change import shape_lines
from ._transient_report import transient_lines


def summary(report: dict[str, Any], out: Path) -> str:
    """Returns the report of any run in a few lines for a person."""
    if "equation" in report:
        return field_summary(report, out)
    status = report["status"] if report["status"] == "converged" else f"NOT CONVERGED ({report['status']})"
    lines = [
        f"{report['part']}: {status} after {report['seconds']:.0f} s,"
        f" {report['iterations']} iterations, {report['parameters']} parameters"
    ]
    if "identified" in report:
        lines += inverse_lines(report["identified"])
    if "heat_J" in report:
        lines += transient_lines(report)
    else:
        lines += elastic_lines(report) if "forces_N" in report else heat_lines(report)
    lines += shape_lines(report["shape"]) if "shape" in report else []
    files = "history.csv, temperature.pvd" if "heat_J" in report else "*.vtu"
    lines.append(f"  written to {out}: report.md, report.json, *.png, {files}, log.jsonl, solution/")
    return "\n".join(lines)
