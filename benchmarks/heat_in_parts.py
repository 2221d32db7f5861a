"""Heat in four parts: `geoembed solve` against finite elements.

    python benchmarks/heat_in_parts.py [--quick] [--only NAME] [--force]

Needs the extra `fem` and the meshes: GEOEMBED_DATA names a folder with sdf/*.stl. Each part is solved by the
command line with its configuration in benchmarks/heat_in_parts/ and judged by `--certify`. Rows go to
benchmarks/results/heat_in_parts.jsonl; a row whose commit and configuration are there already is not computed
again, so an interrupted run goes on where it stopped. `--quick` allows 15 000 cells.

The last line printed is one JSON object: for each part the error against the finer finite-element mesh, the
agreement of the two meshes, the heat balance, and the seconds of the solver over those of the judge (which
solves on two meshes).
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from rows import RESULTS as FOLDER
from rows import commit, row

HERE = Path(__file__).resolve().parent
RESULTS = FOLDER / "heat_in_parts.jsonl"
QUICK = "\n[solve]\ncells = 15000\n"


def solve(config: str, mesh: Path) -> dict:
    """The report of `geoembed solve --certify`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copy(mesh, folder)
        (folder / "case.toml").write_text(config, encoding="utf-8")
        command = [sys.executable, "-m", "geoembed.cli", "solve", "case.toml", "--certify", "--json"]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):  # 1: the certificate failed, and that is a result
        raise SystemExit(f"geoembed solve ended with code {done.returncode}")
    return json.loads(done.stdout)


def row_of(report: dict) -> dict:
    """The figures of one report."""
    fem = report["fem"]
    return {
        "relative_error_fem": report["relative_error_fem"],
        "verdict": fem["status"],
        "fem_agreement": fem["fem_agreement"],
        "estimated_error": report["estimated_error"],
        "status": report["status"],
        "energy_balance": report["energy_balance"],
        "heat_W": report["heat_W"],
        "fem_heat_W": {patch["name"]: patch["watts"] for patch in fem["heat"]},
        "parameters": report["parameters"],
        "iterations": report["iterations"],
        "seconds": report["seconds"],
        "fem_seconds": fem["seconds"],
        "fem_dofs": fem["dofs"],
        "versions": report["versions"] | fem["versions"],
    }


def figures(row: dict) -> dict:
    """What the last line says about a part."""
    kept = ("relative_error_fem", "verdict", "fem_agreement", "energy_balance", "estimated_error")
    return {name: row[name] for name in kept} | {
        "seconds_ratio": round(row["seconds"] / row["fem_seconds"], 2)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="at most 15 000 cells")
    parser.add_argument("--only", default="", help="parts whose name contains this")
    parser.add_argument("--force", action="store_true", help="compute rows again that are there")
    options = parser.parse_args()
    data = os.environ.get("GEOEMBED_DATA")
    if not data:
        raise SystemExit("GEOEMBED_DATA is not set: it names the folder with the meshes")
    summary = {}
    for path in sorted((HERE / "heat_in_parts").glob("*.toml")):
        if options.only not in path.stem:
            continue
        config = path.read_text(encoding="utf-8") + QUICK * options.quick
        digest = hashlib.sha256(config.encode()).hexdigest()[:16]
        identity = {"part": path.stem, "quick": options.quick, "commit": commit(), "config": digest}
        mesh = Path(data) / "sdf" / tomllib.loads(config)["part"]["mesh"]
        found = row(RESULTS, identity, lambda c=config, m=mesh: row_of(solve(c, m)), again=options.force)
        summary[path.stem] = figures(found)
        print(path.stem, json.dumps(summary[path.stem]), file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "heat_in_parts", "quick": options.quick, "parts": summary}))


if __name__ == "__main__":
    main()
