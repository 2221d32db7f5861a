"""Which recipe of a fine-tuning was the best so far, by how many structures there were: measured, or not said."""

import json
import math
from collections.abc import Sequence
from importlib import resources
from typing import Any

_FILE = "recipe_evidence.json"
_NEAR = 3.0  # structures up to so many times more or fewer count as alike
_ALLOWED = 0.05  # relative growth of the old errors
NEW_ELEMENT, NEW_DOMAIN = "new element", "new domain"


def evidence() -> list[dict[str, Any]]:
    """The rows of measurements, written by tools/write_recipe_evidence.py.

    Each says the `task` ("new element" or "new domain"), what it was in words (`case`), how many `frames` there were,
    the `recipe`, whether structures were replayed (`replay`), how many `seeds` were averaged, the errors of `forces`
    and `energy` (RMSE on test structures of the new domain, meV/Å and meV/atom), the `forgetting` (relative growth of
    the force RMSE on the old domain) and the file of the measurements (`source`).
    """
    file = resources.files("geoembed.cli") / _FILE
    return json.loads(file.read_text(encoding="utf-8"))["rows"]


def recommendation(
    rows: Sequence[dict[str, Any]], *, frames: int, new: bool, recipe: str | None
) -> dict[str, Any]:
    """What measurements with about as many structures say about recipes.

    Args:
        rows: The measurements, see `evidence`.
        frames: How many structures there are to learn from.
        new: Whether there are new elements.
        recipe: The one that is used.

    Returns:
        `text`, one sentence; `best`, the recipe with the least error on the new domain, and `gentle`, the same among
        those that made the old errors grow by at most 5 %, or None; and the `rows` that this rests on.
    """
    task = NEW_ELEMENT if new else NEW_DOMAIN
    own = [row for row in rows if row["task"] == task]
    sizes = sorted({row["frames"] for row in own}, key=lambda size: abs(math.log(size / frames)))
    near = [size for size in sizes if max(size / frames, frames / size) <= _NEAR]
    compared = next((c for size in near if len(c := [r for r in own if r["frames"] == size]) > 1), [])
    if not compared:
        text = (
            f"no recommendation: recipes have not been measured for a {task} with about {frames} structures"
        )
        return {"text": text, "best": None, "gentle": None, "rows": []}
    ordered = sorted(compared, key=lambda row: row["forces"])
    kept = [row for row in ordered if row["forgetting"] is not None and row["forgetting"] <= _ALLOWED]
    best, gentle = ordered[0], kept[0] if kept else None
    text = f"measured with {best['frames']} structures ({best['case']}): least force error by {_with_errors(best)}"
    if gentle is None:
        text += "; no recipe kept the old errors within 5 %"
    elif gentle is best:
        text += ", which kept the old errors within 5 %"
    else:
        text += f"; among those that kept the old errors within 5 %, by {_with_errors(gentle)}"
    if recipe is not None and all(recipe != row["recipe"] for row in (best, gentle) if row is not None):
        text += f"; this run uses {recipe}"
    names = name_of(best), None if gentle is None else name_of(gentle)
    return {"text": text, "best": names[0], "gentle": names[1], "rows": ordered}


def _with_errors(row: dict[str, Any]) -> str:
    return f"{name_of(row)} ({row['forces']:.4g} meV/Å, energies {row['energy']:.3g} meV/atom)"


def name_of(row: dict[str, Any]) -> str:
    """A recipe with what goes with it."""
    return f"{row['recipe']} with replay" if row["replay"] else row["recipe"]
