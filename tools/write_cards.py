"""Write docs/reference/property-cards.md: the card of every encoder of the conformance table, and the planted faults.

    python tools/write_cards.py

Measures everything anew, which takes a few minutes. Figures differ in their last digits from machine to machine.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "property-cards.md"
COLUMNS = {"float32": (0,), "float64": (1,), "both": (0, 1)}
HEAD = """\
# Property cards

What every public encoder promises and what was measured on the items of `tests/test_conformance.py`; then the faults
that were planted in small encoders to see that each check finds what it is for. A column holds the measured figure and,
behind the stroke, the tolerance or bound that it must keep. [What a card means](../explanation/properties.md) and what
it cannot prove; [how to make one](../how-to/check-an-encoder.md).

This page is generated: `python tools/write_cards.py`.
"""
PLANTED = """\
## Planted faults

Each fault has a healthy twin. The check passes the twin and fails the fault; the card of the fault fails in these rows
and in no others; the card of the twin passes (`tests/check/test_planted.py`).

| planted fault | caught by | rows of the card that fail |
|---|---|---|
"""


def main() -> None:
    """Measure, and write the page."""
    sys.path.insert(0, str(ROOT))
    conformance = importlib.import_module("tests.test_conformance")
    parts = [HEAD]
    for row in conformance.ENCODERS:
        sys.stderr.write(f"{row.name}\n")
        parts.append("\n".join(section(row.name, conformance.card_of(row))))
    parts.append(PLANTED + "\n".join(planted_rows()))
    PAGE.write_text("\n".join(part.rstrip("\n") + "\n" for part in parts), encoding="utf-8")


def section(name: str, card: Any) -> Iterator[str]:
    """An encoder's table."""
    from geoembed.check._card import figures

    yield f"## {name}\n"
    yield "| property | promise | float32 | float64 | verdict |\n|---|---|---|---|---|"
    lines: dict[tuple[Any, str], list[Any]] = {}
    for row in card.rows:
        cells = lines.setdefault((row.declared, row.check.name), ["", "", True])
        for column in COLUMNS[row.dtype]:
            cells[column] = " / ".join(figures(row.check))
        cells[2] = cells[2] and row.check.passed
    for (declared, title), (single, double, passed) in lines.items():
        promise = f"{declared.exactness}, {declared.domain}" if declared else ""
        verdict = "passed" if passed else "**failed**"
        yield f"| {title} | {promise} | {single} | {double} | {verdict} |"


def planted_rows() -> Iterator[str]:
    """The rows of the table of planted faults."""
    from geoembed.check._measure import title
    from tests.check.planted import PLANTED

    for planted in PLANTED:
        rows = [*([title(planted.promise)] if planted.promise else []), *planted.rows]
        yield f"| {planted.fault} | `{planted.check}` | {', '.join(rows)} |"


if __name__ == "__main__":
    main()
