"""Write the table of flax round trips into docs/how-to/flax.md, between its two markers.

    python tools/write_flax_table.py [--check]

With --check nothing is written; exit code 1 when the page does not list the encoders of
tests/test_conformance.py with these figures.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "how-to" / "flax.md"
START, END = "<!-- round trips: tools/write_flax_table.py -->", "<!-- end -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    sys.path.insert(0, str(ROOT))
    faces = importlib.import_module("tests.interop.flax_faces")
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(START)
    after = rest.split(END)[1]
    with tempfile.TemporaryDirectory() as folder:
        table = faces.table(faces.ROWS, Path(folder))
    new = f"{before}{START}\n{table}\n{END}{after}"
    if check:
        return 0 if new == page else 1
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
