"""The report of an elastic part."""

from pathlib import Path
from typing import Any

import numpy as np

from ..core._prefix import scaled
from ..pinn import Problem, Result
from ..sdf import evaluate
from ..sdf._subdivide import subdivide
from ._elastic_config import ElasticConfig
from ._report import estimate_line, part_report, percent, verdict_line

_EDGE, _MOST = (
    1 / 60,
    60_000,
)  # longest edges of the triangles that are looked at, of the part's length; triangles
_BELOW = 0.995  # of the surface lie below the stress that is reported


def make_elastic_report(
    config: ElasticConfig, config_file: Path, mesh_file: Path, problem: Problem, result: Result, seed: int
) -> dict[str, Any]:
    """Collects what is known about a run. Keys ending in no unit are dimensionless."""
    forces = {name: list(force) for name, force in result.forces}
    own = {"forces_N": forces, **_extremes(problem, result)}
    return part_report(config, config_file, mesh_file, problem, result, seed, own)


def _extremes(problem: Problem, result: Result) -> dict[str, Any]:
    """The largest displacement, and the stress that 99.5 % of the surface stay below; where each is."""
    domain = problem.domain
    length = float(np.max(domain.bounds[1] - domain.bounds[0]))
    points, faces, _ = subdivide(domain.vertices, domain.faces, _EDGE * length, most=_MOST)
    moved = np.linalg.norm(evaluate(result.value, points), axis=1)
    most = int(np.nanargmax(moved))
    corners = points[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    stress = evaluate(result.von_mises, corners.mean(axis=1))
    known = np.isfinite(stress)
    order = np.argsort(stress[known])
    share = np.cumsum(area[known][order]) / area[known].sum()
    return {
        "displacement_m": {"largest": float(moved[most]), "at": points[most].tolist()},
        "von_mises_Pa": {
            "share_below": _BELOW,
            "value": float(stress[known][order][np.searchsorted(share, _BELOW)]),
        },
    }


def readable(value: float, unit: str) -> str:
    """A value with the prefix of its unit that makes it read well."""
    number, prefixed = scaled(value, unit)
    return f"{number:.4g} {prefixed}"


def elastic_lines(report: dict[str, Any]) -> list[str]:
    """The report of an elastic part in a few lines for a person."""
    moved, stress = report["displacement_m"], report["von_mises_Pa"]
    at = ", ".join(f"{x:.4g}" for x in moved["at"])
    return [
        f"  displacement          up to {readable(moved['largest'], 'm')}, at ({at}) {report['unit']}",
        f"  von Mises stress      {100 * stress['share_below']:g} % of the surface below "
        f"{readable(stress['value'], 'Pa')}",
        "  error, estimated      " + estimate_line(report, "the displacement's size"),
        f"  error against FEM     {verdict_line(report)}",
        f"  balance of forces     {percent(report['energy_balance'])} of all forces",
        *(
            f"  force at {name + ':':<13}{' '.join(f'{part:+.4g}' for part in force)} N"
            for name, force in report["forces_N"].items()
        ),
    ]
