"""Draws benchmarks/results/new_element.jsonl: errors against the number of structures with W, one line for each arm.

    python experiments/new_element/run.py

benchmarks/new_element.py measures the rows. Points are means over seeds, bars standard deviations over seeds where
there is more than one. Prints the tables of the README.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt

HERE = Path(__file__).resolve().parent
ROWS = HERE.parents[1] / "benchmarks" / "results" / "new_element.jsonl"
NEW = ("W_Test", "MoW_Test", "NbW_Test", "TaW_Test", "Multinary_Test")
OLD = ("Mo_Test", "Nb_Test", "Ta_Test")
ARMS = {
    "scratch": "(a) scratch", "random": "(b) random row, all", "copy": "(c) copy of Mo, all", "row": "(d) vector only",
    "row_lora": "(e) vector and low rank", "replay": "(f) the same with replay",
}  # fmt: skip
Key = tuple[str, str, int]  # case, arm, structures


def main() -> None:
    matplotlib.use("Agg")
    rows = [json.loads(line) for line in ROWS.read_text().splitlines()]
    rows = [one for one in rows if one["config"] == rows[-1]["config"]]
    seconds = [one["seconds"] for one in rows if "seconds" in one][-1]
    rows = [one for one in rows if one.get("seconds", seconds) == seconds]
    before = {one["family"]: one["errors"] for one in rows if one["case"] == "before"}
    alone = {one["arm"]: one for one in rows if one["case"] == "zero-shot"}
    runs: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for one in rows:
        if one["case"] in ("geoembed", "mace-torch"):
            runs[one["case"], one["arm"], one["frames"]].append(one)
    print(tables(before, alone, runs))
    draw(before, alone, runs)


def tables(before: dict[str, Any], alone: dict[str, Any], runs: dict[Key, list[dict[str, Any]]]) -> str:
    """Forces, energies, forgetting, costs."""
    lines = [_line("", *(name.removesuffix("_Test") for name in (*NEW, *OLD))), _line(*["---"] * 9)]
    for family, errors in before.items():
        lines.append(_line(f"before, {family}", *["—"] * len(NEW), *(_pair(errors[name]) for name in OLD)))
    for name, one in alone.items():
        lines.append(_line(f"no structures, {name}", *(_pair(one["errors"][test]) for test in (*NEW, *OLD))))
    head = (
        "arm",
        "k",
        "seeds",
        "forces W",
        "with others",
        "multinary",
        "energy W",
        "with others",
        "multinary",
    )
    lines += ["", _line(*head, "forgetting", "trained", "CPU s", "steps"), _line(*["---"] * 13)]
    for (case, arm, count), found in sorted(runs.items(), key=_order):
        own = before.get("tables" if ARMS[arm][1] in "abc" else "vectors", {})
        forgot = [forgetting(one["errors"], own) for one in found]
        name = ARMS[arm] + ("" if case == "geoembed" else ", mace-torch")
        figures = [
            _spread([figure(o["errors"], t, q) for o in found]) for q in ("forces", "energy") for t in GROUPS
        ]
        cost = (
            str(found[0]["trained"]),
            _spread([o["cpu"] for o in found]),
            _spread([o["steps"] for o in found]),
        )
        percent = "—" if arm == "scratch" else _spread(forgot, "+.1f") + " %"
        lines.append(_line(name, str(count), str(len(found)), *figures, percent, *cost))
    return "\n".join(lines)


GROUPS: tuple[tuple[str, ...], ...] = (NEW[:1], NEW[1:4], NEW[4:])


def figure(errors: dict[str, Any], tests: Sequence[str], quantity: str) -> float:
    """The mean of the root mean square errors of some test sets."""
    return float(np.mean([errors[name][quantity] for name in tests if name in errors] or [np.nan]))


def forgetting(errors: dict[str, Any], before: dict[str, Any]) -> float:
    """By how much the force errors for Mo, Nb and Ta have grown, in per cent."""
    grown = [
        errors[name]["forces"] / before[name]["forces"] for name in OLD if name in errors and name in before
    ]
    return 100 * (float(np.mean(grown or [np.nan])) - 1)


def draw(before: dict[str, Any], alone: dict[str, Any], runs: dict[Key, list[dict[str, Any]]]) -> None:
    """Force errors of three groups of tests, and forgetting."""
    figure_, axes = plt.subplots(2, 2, figsize=(10, 7), sharex=True)
    titles = ("W", "MoW, NbW, TaW", "all four elements")
    for axis, title, tests in zip(axes.flat, titles, GROUPS, strict=False):
        _lines(axis, runs, lambda one, t=tests: figure(one["errors"], t, "forces"))
        for (name, one), style in zip(alone.items(), (":", "--", "-."), strict=False):
            axis.axhline(
                figure(one["errors"], tests, "forces"), color="grey", ls=style, label=f"none: {name}"
            )
        axis.set(title=title, ylabel="force RMSE, meV/Å", yscale="log")
    own = {arm: before.get("tables" if ARMS[arm][1] in "abc" else "vectors", {}) for arm in ARMS}
    kept = {key: found for key, found in runs.items() if key[1] != "scratch"}
    _lines(axes.flat[3], kept, lambda one: forgetting(one["errors"], own[one["arm"]]))
    axes.flat[3].axhline(5, color="grey", lw=0.8)
    axes.flat[3].set(title="forgetting: Mo, Nb, Ta", ylabel="force RMSE grown by, %", yscale="symlog")
    for axis in axes[1]:
        axis.set(xlabel="structures with W", xscale="log", xticks=(5, 10, 25, 50, 100))
        axis.get_xaxis().set_major_formatter(matplotlib.ticker.ScalarFormatter())
    axes.flat[0].legend(fontsize=7)
    figure_.tight_layout()
    figure_.savefig(HERE / "results" / "errors.png", dpi=110)


def _lines(axis: Any, runs: dict[Key, list[dict[str, Any]]], value: Any) -> None:
    for case, style in (("geoembed", "-o"), ("mace-torch", "--s")):
        for number, (arm, name) in enumerate(ARMS.items()):
            counts = sorted(k for c, a, k in runs if (c, a) == (case, arm))
            found = [[value(one) for one in runs[case, arm, count]] for count in counts]
            if not counts:
                continue
            bars = [np.std(some, ddof=1) if len(some) > 1 else 0.0 for some in found]
            label = name if case == "geoembed" else f"{name}, mace-torch"
            means = [np.mean(some) for some in found]
            axis.errorbar(counts, means, bars, fmt=style, color=f"C{number}", capsize=3, ms=4, label=label)


def _order(item: tuple[Key, Any]) -> tuple[int, int, str]:
    (case, arm, count), _ = item
    return count, list(ARMS).index(arm), case


def _pair(errors: dict[str, float]) -> str:
    return f"{errors['forces']:.0f}, {errors['energy']:.0f} ({errors['spread']:.0f})"


def _spread(values: Sequence[float], form: str = ".0f") -> str:
    tail = f" ± {np.std(values, ddof=1):.0f}" if len(values) > 1 else ""
    return f"{np.mean(values):{form}}{tail}"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
