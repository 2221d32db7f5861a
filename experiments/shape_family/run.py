"""Shapes as vectors: networks for single parts, a code for each part of a family, and principal components beside it.

    python experiments/shape_family/run.py DATA [--only fits|family] [--force] [--keep FOLDER]

DATA is the folder with the meshes that config.toml names. Writes results/rows.json and the pictures beside it. Rows
that are already there are kept, so an interrupted run goes on where it stopped.
"""

import argparse
import hashlib
import json
import sys
import time
import tomllib
from dataclasses import asdict
from pathlib import Path

import jax
import numpy as np
from family import family_rows

from geoembed import sdf

HERE = Path(__file__).resolve().parent
ROWS = HERE / "results" / "rows.json"
CONFIG = tomllib.loads((HERE / "config.toml").read_text())
STAMPS = {name: hashlib.sha256(json.dumps(CONFIG[name]).encode()).hexdigest()[:12] for name in CONFIG}


def fit_row(file: Path, network: str) -> dict:
    """One network for one mesh: how near it comes, in parts of the diagonal."""
    settings = CONFIG["fits"]
    mesh = sdf.load_mesh(file, unit="mm")
    low, high = mesh.bounds
    diagonal = float(np.linalg.norm(high - low))
    start, cpu = time.perf_counter(), time.process_time()
    steps, batch = settings["steps"][network], settings["batch"]
    field = sdf.fit(mesh, network=network, steps=steps, batch=batch, key=jax.random.key(0))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    found = sdf.agreement(mesh, field, key=jax.random.key(1), cells=settings["cells"])
    lengths = {name: value / diagonal for name, value in asdict(found).items() if name != "iou"}
    near = {f"value {name}": value / diagonal for name, value in asdict(field.report.value).items()}
    slopes = {f"eikonal {name}": value for name, value in asdict(field.report.eikonal).items()}
    figures = {"iou": found.iou, **lengths, **near, **slopes}
    return {**figures, "parameters": field.report.parameters, "seconds": seconds, "cpu seconds": cpu}


def fits(rows: dict, force: bool) -> None:
    """All networks for all meshes."""
    for file in CONFIG["fits"]["files"]:
        for network in CONFIG["fits"]["networks"]:
            name = f"fit | {file} | {network}"
            if force or rows.get(name, {}).get("stamp") != STAMPS["fits"]:
                keep(rows, name, fit_row(ARGUMENTS.data / file, network), STAMPS["fits"])


def family(rows: dict, force: bool) -> None:
    """The family and the principal components."""
    stamp = STAMPS["family"] + STAMPS["baseline"] + STAMPS["measure"]
    if force or rows.get("family", {}).get("stamp") != stamp:
        figures, pictures = family_rows(CONFIG, HERE / "results", ARGUMENTS.keep)
        keep(rows, "family", figures, stamp)
        pictures()


def keep(rows: dict, name: str, row: dict, stamp: str) -> None:
    """Writes a row at once; rows that another run has written meanwhile stay."""
    rows.update(json.loads(ROWS.read_text()) if ROWS.exists() else {})
    rows[name] = {**row, "stamp": stamp}
    ROWS.write_text(json.dumps(rows, indent=1, default=float) + "\n")
    sys.stderr.write(f"{name}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=("fits", "family"))
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder for the trained family, which is used again")
    ARGUMENTS = parser.parse_args()
    known = json.loads(ROWS.read_text()) if ROWS.exists() else {}
    for part in (fits, family):
        if ARGUMENTS.only in (None, part.__name__):
            part(known, ARGUMENTS.force)
