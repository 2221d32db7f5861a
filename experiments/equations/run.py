"""Error against wall time on Burgers' equation and the L-shape, beside two other libraries.

    python experiments/equations/run.py

Draws results/error_against_time.png from the rows of benchmarks/pinn.py, which makes them:

    python benchmarks/pinn.py --only burgers l-shape --peers PYTHON_OF_THE_PEERS
"""

import json
import tomllib
from pathlib import Path

import matplotlib
from matplotlib import pyplot as plt

HERE = Path(__file__).resolve().parent
CONFIG = tomllib.loads((HERE / "config.toml").read_text())
ROWS = HERE.parents[1] / "benchmarks" / "results" / "pinn.jsonl"
COLORS = {
    "geoembed, splines": "#1b6ca8",
    "geoembed, layers": "#8fb8d9",
    "deepxde": "#c2571a",
    "jno": "#6a8f3c",
}
NAMES = {"default": "geoembed, splines", "network": "geoembed, layers"}


def rows_of(problem: str) -> list[dict]:
    """The last row of each run of a problem that did not fail."""
    rows = [json.loads(line) for line in ROWS.read_text().splitlines()]
    mine = [row for row in rows if row["problem"] == problem and row["budget"] == CONFIG["budget"]]
    return list({(name_of(row), row["seed"]): row for row in mine if "curve" in row}.values())


def name_of(row: dict) -> str:
    """The library, and the kind of its network."""
    return row.get("peer") or NAMES[row["method"]]


def main() -> None:
    matplotlib.use("Agg")
    problems = CONFIG["problems"]
    figure, panels = plt.subplots(1, len(problems), figsize=(9, 3.6), sharey=True, layout="constrained")
    for axes, problem in zip(panels, problems, strict=True):
        named = set()
        for row in rows_of(problem):
            name = name_of(row)
            seconds, _, errors = zip(*row["curve"], strict=True)
            label = None if name in named else name
            axes.plot(
                seconds, errors, color=COLORS[name], label=label, linewidth=1.4, marker=".", markersize=3
            )
            named.add(name)
        axes.set_yscale("log")
        axes.set_title(CONFIG["titles"][problem], fontsize=10)
        axes.set_xlabel("Wall time with compilation, s")
        axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
    panels[0].set_ylabel("Relative L2 error")
    panels[0].legend(frameon=False)
    figure.savefig(HERE / "results" / "error_against_time.png", dpi=130)


if __name__ == "__main__":
    main()
