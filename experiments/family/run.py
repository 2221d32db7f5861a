"""The error of each unseen heat sink of a family beside simpler guesses.

    python experiments/family/run.py

Draws results/error.png and writes results/errors.json from the rows of benchmarks/pinn_family.py, which makes them:

    python benchmarks/pinn_family.py
"""

import json
from pathlib import Path

import matplotlib
from matplotlib import pyplot as plt

HERE = Path(__file__).resolve().parent
ROWS = HERE.parents[1] / "benchmarks" / "results" / "pinn_family.jsonl"
MARKS = {
    "family field": ("o", "#1b6ca8"),
    "principal components": ("s", "#6a8f3c"),
    "linear between members": ("^", "#c2571a"),
    "nearest member": ("v", "#8a6bbd"),
    "fin theory": ("x", "#777777"),
}


def unseen() -> list[dict]:
    """The last row of each unseen member."""
    rows = [json.loads(line) for line in ROWS.read_text().splitlines()]
    return list({row["case"]: row for row in rows if "guesses" in row}.values())


def main() -> None:
    matplotlib.use("Agg")
    rows = unseen()
    errors = {row["case"]: {"family field": row["error"], **row["guesses"]} for row in rows}
    kept = {row["case"]: errors[row["case"]] | {"fem_agreement": row["fem_agreement"]} for row in rows}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "errors.json").write_text(json.dumps(kept, indent=1) + "\n")
    figure, axes = plt.subplots(figsize=(7.5, 4.0), layout="constrained")
    for name, (mark, color) in MARKS.items():
        axes.plot(list(errors), [found[name] for found in errors.values()], mark, color=color, label=name)
    agreement = [row["fem_agreement"] for row in rows]
    axes.plot(
        list(errors), agreement, "_", color="k", markersize=14, label="the two FEM meshes among themselves"
    )
    axes.axhline(1e-2, color="0.5", linestyle="--", linewidth=0.8)
    axes.set(yscale="log", ylabel="error / (T - mean)", title="Members that were not trained on")
    axes.tick_params(axis="x", rotation=20)
    axes.grid(visible=True, axis="y", color="#e6e6e6", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.savefig(HERE / "results" / "error.png", dpi=130)


if __name__ == "__main__":
    main()
