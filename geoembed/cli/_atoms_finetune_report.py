"""What a fine-tuning learned and forgot, in lines and as a page."""

from pathlib import Path
from typing import Any

from ..atoms import FineTuningStart
from ._recipe_evidence import name_of

_KINDS = (("energy", "energy, meV/atom"), ("forces", "forces, meV/Å"), ("stress", "stress, meV/Å³"))
_WORTH_SAYING = 0.05  # relative growth of the old errors


def start_lines(start: FineTuningStart) -> list[str]:
    """What is said before the first step: what trains, and which energies of isolated atoms are used."""
    lines = ["what trains:", *(f"  {line}" for line in str(start.trained).splitlines())]
    if start.energies is not None:
        found = start.energies.to_dict()
        lines += [f"E0 of {symbol}: {_energy(one)}" for symbol, one in found.items()]
    if start.replayed:
        lines.append(f"{start.replayed} structures of the old domain are learned again")
    return lines


def finetune_lines(report: dict[str, Any], out: Path) -> str:
    """The report in a few lines for a person."""
    lines = [
        f"{report['status']} after {report['seconds']:.0f} s, {report['epochs']} epochs, {report['steps']} steps;"
        f" {report['recipe']}, {report['trained']} of {report['parameters']} numbers trained; best at epoch"
        f" {report['best_epoch']}"
    ]
    for symbol, one in (report["energies"] or {}).items():
        lines.append(f"E0 of {symbol}: {_energy(one)}")
    lines += _lines("new domain", report["new"])
    lines += _lines("old domain", report["old"]) if report["old"] else [_UNKNOWN]
    if report["forgetting"] is not None:
        lines.append(
            f"forgetting: {_percent(report['forgetting'])} (largest growth of an error on the old domain)"
        )
    lines += [report["recommendation"]["text"], f"next: {advice(report)}"]
    lines.append(f"  written to {out}: model/, report.md, report.json, learning.png, parity.png, log.jsonl")
    return "\n".join(lines)


def finetune_page(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    structures = report["structures"]
    lines = [
        "# Fine-tuning of a potential",
        "",
        f"Status: **{report['status']}** after {report['seconds']:.0f} s, {report['epochs']} epochs, {report['steps']}"
        f" steps at a rate of {report['rate']:g}; the best are those of epoch {report['best_epoch']}. Started from"
        f" `{report['start']}`. Structures: {structures['train']} to learn from, {structures['replayed']} of the old"
        f" domain with them, {structures['valid']} to judge by, {structures['test']} to test with,"
        f" {structures['old']} to measure forgetting with. Seed {report['seed']}.",
        "",
        f"## What trained: {report['recipe']}",
        "",
        f"{report['trained']} of {report['parameters']} numbers; all else has the same bits as before.",
        "",
        "| part | shape | trained | numbers | rate |",
        "|---|---|---|---|---|",
    ]
    for line in report["what_trains"]:
        shape = " by ".join(map(str, line["shape"])) or "1"
        lines.append(f"| `{line['part']}` | {shape} | {line['how']} | {line['numbers']} | {line['rate']:g} |")
    if report["energies"]:
        lines += [
            "",
            "## Energies of isolated atoms, eV",
            "",
            "| element | before | after | |",
            "|---|---|---|---|",
        ]
        for symbol, one in report["energies"].items():
            lines.append(f"| {symbol} | {one['before']:.6g} | {one['after']:.6g} | {_source(one)} |")
    for name in ("new", "old"):
        if report[name]:
            lines += ["", f"## Errors (RMSE): {name} domain", "", *_table(report[name])]
    lines += ["", _UNKNOWN] if not report["old"] else []
    lines += ["", "## Recommendation", "", report["recommendation"]["text"] + ".", ""]
    lines += _evidence(report["recommendation"]["rows"])
    lines += [f"Next: {advice(report)}.", "", "![learning curve](learning.png)", ""]
    lines += ["![predictions and labels](parity.png)", ""]
    return "\n".join(lines)


def advice(report: dict[str, Any]) -> str:
    """What to do next, by what was found."""
    if report["status"] == "diverged":
        return "the training diverged: give a lower rate in [training]"
    if report["old"] is None:
        return "give structures of the old domain as test in [old], to see what was forgotten"
    if (report["forgetting"] or 0.0) > _WORTH_SAYING:
        replayed = report["structures"]["replayed"]
        milder = (
            "a larger share or weight in [old], or a lower rank or rate" if replayed else "replay in [old]"
        )
        return f"the old errors grew; try {milder}"
    if report["best_epoch"] == report["epochs"]:
        return "the last epoch was the best: more of them may help"
    return "geoembed evaluate, or the model in a calculator: geoembed.interop.ase.Calculator"


_UNKNOWN = "forgetting: not measured, as no test structures of the old domain are given"


def _lines(name: str, compared: dict[str, Any]) -> list[str]:
    lines = [f"  {name + ' (RMSE)':<28}{'before':>10} {'after':>10} {'change':>10}"]
    for kind, words in _KINDS:
        if kind in compared["before"]:
            values = [compared[when][kind]["rmse"] for when in ("before", "after")]
            change = compared["relative_change_rmse"].get(kind)
            lines.append(
                f"    {words:<26}{_milli(values[0]):>10} {_milli(values[1]):>10} {_percent(change):>10}"
            )
    return lines


def _table(compared: dict[str, Any]) -> list[str]:
    rows = ["| | before | after | change |", "|---|---|---|---|"]

    def row(words: str, before: dict[str, Any], after: dict[str, Any], change: float | None) -> str:
        return f"| {words} | {_milli(before['rmse'])} | {_milli(after['rmse'])} | {_percent(change)} |"

    before, after = compared["before"], compared["after"]
    for kind, words in _KINDS:
        if kind in before:
            rows.append(row(words, before[kind], after[kind], compared["relative_change_rmse"].get(kind)))
    for group, changes in compared["relative_change_rmse_by_group"].items():
        for kind, words in _KINDS:
            if kind in changes:
                own = [found["groups"][group][kind] for found in (before, after)]
                rows.append(row(f"{group}: {words}", own[0], own[1], changes[kind]))
    return rows


def _evidence(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = [
        "| recipe | structures | seeds | forces, meV/Å | energy, meV/atom | forgetting | measured in |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {name_of(row)} | {row['frames']} | {row['seeds']} | {row['forces']:.4g} | {row['energy']:.3g} |"
            f" {_percent(row['forgetting'])} | {row['source']} |"
        )
    return [*lines, ""]


def _energy(one: dict[str, Any]) -> str:
    return f"{one['before']:.6g} → {one['after']:.6g} eV, {_source(one)}"


def _source(one: dict[str, Any]) -> str:
    return one["source"] if one["determined"] else f"{one['source']}; the compositions do not fix it"


def _milli(value: float | None) -> str:
    return "—" if value is None else f"{1e3 * value:.4g}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:+.3g} %"
