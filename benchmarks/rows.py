"""Rows of a benchmark in a .jsonl file: a row that is there already is not measured again."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def commit() -> str:
    """The commit of the code; "+" marks changes on top of it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=RESULTS.parent, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def row(
    path: Path, identity: dict[str, Any], measure: Callable[[], dict[str, Any]], *, again: bool
) -> dict[str, Any]:
    """Returns the last row that has this identity, or measures it and adds it to the file.

    Args:
        path: The file.
        identity: What tells the row from others; it is stored with it.
        measure: Returns the figures.
        again: Measure even if the row is there.
    """
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    known = [found for found in rows if found.items() >= identity.items()]
    if known and not again:
        return known[-1]
    found = identity | measure()
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(found) + "\n")
    return found
