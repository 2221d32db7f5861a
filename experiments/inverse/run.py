"""Conductivity and heat transfer coefficient of the heat sink from noisy sensors.

    python experiments/inverse/run.py [--only NAME] [--force]

Writes results/rows.json and results/estimates.png. Rows that are already there are kept. The temperatures that the
sensors measure come from finite elements (truth.py), the noise from a random generator.
"""

import argparse
import json

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from study import CONFIG, HERE, measure

ROWS = HERE / "results" / "rows.json"


def draw(rows: dict[str, dict]) -> None:
    """Estimates and intervals of every seed, relative to the truth."""
    panels = [(case, name) for case, row in rows.items() for name in row["numbers"]]
    height = 1.15 * len(panels) + 0.8
    figure, axes = plt.subplots(len(panels), 1, figsize=(7.2, height), sharex=True, layout="constrained")
    for axis, (case, name) in zip(np.atleast_1d(axes), panels, strict=True):
        figures = rows[case]["numbers"][name]
        table = 100 * (np.array(figures["estimates"]) / figures["truth"] - 1)
        place = np.arange(len(table))
        missed = (table[:, 1] > 0) | (table[:, 2] < 0)
        for some, colour in ((~missed, "tab:blue"), (missed, "tab:red")):
            ends = np.abs(table[some, 1:] - table[some, :1]).T
            axis.errorbar(place[some], table[some, 0], ends, fmt="o", ms=3, lw=1, color=colour)
        axis.axhline(0, color="k", lw=0.8)
        axis.axhspan(-2, 2, color="0.92", zorder=0)
        covered = f"{figures['coverage']:.0%} of the 90 % intervals cover the truth"
        axis.set_title(f"{case}: {name}, {covered}", fontsize=8, loc="left")
        reach = 1.15 * np.abs(table).max()
        axis.set(ylabel="error / %", ylim=(-reach, reach))
    np.atleast_1d(axes)[-1].set_xlabel("draw of sensors and noise (grey: within 2 %)")
    figure.savefig(HERE / "results" / "estimates.png", dpi=120)


def table(rows: dict[str, dict]) -> str:
    """The rows as the Markdown table of README.md."""
    lines = [
        "| case | number | median error | largest | within 2 % | 90 % interval covers | its half width | mean |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, row in rows.items():
        for name, f in row["numbers"].items():
            shares = f"{f['within_2_percent']:.0%} | {f['coverage']:.0%} | {f['half_width']:.2%}"
            errors = f"{f['median_error']:.2%} | {f['largest_error']:.2%}"
            lines.append(f"| {case} | {name} | {errors} | {shares} | {f['mean_of_estimates']:+.2%} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="recover k and h of the heat sink")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--force", action="store_true", help="compute rows again that are there")
    options = parser.parse_args()
    matplotlib.use("Agg")
    rows = json.loads(ROWS.read_text(encoding="utf-8")) if ROWS.exists() else {}
    common = CONFIG["identify"]
    for name, case in CONFIG["cases"].items():
        settings = case | common | CONFIG["problem"]
        done = name in rows and rows[name]["settings"] == settings
        if options.only in name and (options.force or not done):
            rows[name] = measure(case, common["seeds"], common["cells"]) | {"settings": settings}
            text = json.dumps(rows, indent=1, ensure_ascii=False)
            ROWS.write_text(text + "\n", encoding="utf-8")
            print(name, rows[name]["cpu_seconds"], "s", flush=True)
    rows = {name: rows[name] for name in CONFIG["cases"] if name in rows}
    draw(rows)
    print(table(rows))


if __name__ == "__main__":
    main()
