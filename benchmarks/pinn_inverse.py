"""Inverse heat: conductivity and heat transfer coefficient of the heat sink from 50 noisy sensors.

    python benchmarks/pinn_inverse.py [--quick] [--only NAME] [--force]

The cases are those of experiments/inverse: the heat flux into the base is known (or, in one case, the base is held,
and then only h/k can be found), sensors are drawn inside and on the surface, their true temperatures come from finite
elements, the noise is 1 %. Rows go to benchmarks/results/pinn_inverse.jsonl; a row whose commit and configuration
are there already is not computed again. `--quick` takes 4 draws and 15 000 cells.

The last line printed is one JSON object: for each case and number the largest and the median error over the draws,
the share of draws within 2 %, and the share of 90 % intervals that cover the truth. `median_within` and `all_within`
say whether the median and the largest error are below 2 %, `covered` whether the share lies between 80 and 100 %.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from rows import RESULTS as FOLDER
from rows import commit, row

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "experiments" / "inverse"))

from study import CLOSE, CONFIG, measure

RESULTS = FOLDER / "pinn_inverse.jsonl"
QUICK = {"seeds": 4, "cells": 15_000}


def figures(found: dict) -> dict:
    """What the last line says about a case."""
    kept = ("median_error", "largest_error", "within_2_percent", "coverage", "half_width")
    numbers = {
        name: {key: round(values[key], 4) for key in kept}
        | {
            "median_within": values["median_error"] <= CLOSE,
            "all_within": values["largest_error"] <= CLOSE,
            "covered": 0.8 <= values["coverage"] <= 1,
        }
        for name, values in found["numbers"].items()
    }
    return {
        "numbers": numbers,
        "not_identified": found["not_identified"],
        "cpu_seconds": found["cpu_seconds"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="recover k and h of the heat sink")
    parser.add_argument("--quick", action="store_true", help="4 draws, at most 15 000 cells")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--force", action="store_true", help="compute rows again that are there")
    options = parser.parse_args()
    common = CONFIG["identify"] | (QUICK if options.quick else {})
    summary = {}
    for name, case in CONFIG["cases"].items():
        if options.only not in name:
            continue
        settings = case | common | CONFIG["problem"]
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
        identity = {"case": name, "quick": options.quick, "commit": commit(), "config": digest}
        found = row(
            RESULTS,
            identity,
            lambda c=case: measure(c, common["seeds"], common["cells"]),
            again=options.force,
        )
        summary[name] = figures(found)
        print(name, json.dumps(summary[name]), file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "pinn_inverse", "quick": options.quick, "cases": summary}))


if __name__ == "__main__":
    main()
