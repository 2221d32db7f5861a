"""Write geoembed/cli/recipe_evidence.json, on which `geoembed finetune` rests its recommendation, from measurements.

    python tools/write_recipe_evidence.py

Reads benchmarks/results/new_element.jsonl and experiments/finetune/results/recipes.jsonl, where they are there, and
takes the mean over the seeds of the newest configuration of each.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "geoembed" / "cli" / "recipe_evidence.json"
ELEMENT = "benchmarks/results/new_element.jsonl"
DOMAIN = "experiments/finetune/results/recipes.jsonl"
# The arms of the benchmark that are recipes: their names, and whether structures are replayed.
ARMS = {
    "row": ("rows", False),
    "row_lora": ("rows+low_rank", False),
    "replay": ("rows+low_rank", True),
    "copy": ("naive", False),
}
NEW, OLD = "W_Test", ("Mo_Test", "Nb_Test", "Ta_Test")


def main() -> None:
    rows = [*of_element(lines(ELEMENT)), *of_domain(lines(DOMAIN))]
    TARGET.write_text(json.dumps({"rows": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(rows)} rows")


def lines(name: str) -> list[dict[str, Any]]:
    """The rows of the newest configuration in a file."""
    file = ROOT / name
    found = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    return [row for row in found if row["config"] == found[-1]["config"]]


def of_element(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """W into potentials of Mo, Nb and Ta."""
    before = {row["family"]: row["errors"] for row in rows if row["case"] == "before"}
    found = []
    own = [row for row in rows if row["case"] == "geoembed" and row["arm"] in ARMS]
    for (arm, frames), tried in grouped(own, ("arm", "frames")).items():
        same = best(tried)
        recipe, replay = ARMS[arm]
        start = before.get("tables" if arm == "copy" else "vectors")
        forgetting = None
        if start is not None:
            changes = [max(r["errors"][s]["forces"] / start[s]["forces"] - 1 for s in OLD) for r in same]
            forgetting = round(fmean(changes), 4)
        forces, energy = (fmean(row["errors"][NEW][kind] for row in same) for kind in ("forces", "energy"))
        about = {"task": "new element", "case": "W into a potential of Mo, Nb and Ta", "source": ELEMENT}
        found.append(entry(about, frames, recipe, replay, len(same), forces, energy, forgetting))
    return found


def best(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of one length of training and one rate: those with the least error on the validation structures."""
    return min(
        grouped(rows, ("seconds", "rate")).values(), key=lambda same: fmean(row["score"] for row in same)
    )


def of_domain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Acetylacetone into a potential of 3BPA."""
    found = []
    for (recipe, labels, frames), same in grouped(rows, ("recipe", "replay", "frames")).items():
        if labels != "potential":
            forces = fmean(row["new_after"]["forces"] for row in same)
            forgetting = round(fmean(row["old_change"]["forces"] for row in same), 4)
            energy = fmean(row["new_after"]["energy"] for row in same)
            about = {
                "task": "new domain",
                "case": "acetylacetone into a potential of 3BPA",
                "source": DOMAIN,
            }
            found.append(
                entry(about, frames, recipe, labels is not None, len(same), forces, energy, forgetting)
            )
    return found


def grouped(rows: Iterable[dict[str, Any]], names: tuple[str, ...]) -> dict[tuple[Any, ...], list[Any]]:
    """Rows by the values of some keys."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return found


def entry(
    about: dict[str, Any],
    frames: int,
    recipe: str,
    replay: bool,
    seeds: int,
    forces: float,
    energy: float,
    forgetting: float | None,
) -> dict[str, Any]:
    return about | {
        "frames": frames, "recipe": recipe, "replay": replay, "seeds": seeds, "forces": round(forces, 2),
        "energy": round(energy, 2), "forgetting": forgetting,
    }  # fmt: skip


if __name__ == "__main__":
    main()
