"""A log with one JSON object a line."""

import json
from pathlib import Path
from typing import Any


class JsonLines:
    """Appends records to a JSONL file; every line is complete once written.

    Args:
        path: The file, or None to keep nothing.
    """

    def __init__(self, path: str | Path | None):
        self.path = None if path is None else Path(path)

    def write(self, record: dict[str, Any]) -> None:
        """Appends one record. A number that is not finite is written as null: JSON has no nan."""
        if self.path is None:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_plain(record), allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
