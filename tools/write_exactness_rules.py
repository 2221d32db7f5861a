"""Write the table of rules in docs/explanation/exactness.md from the one that the library follows.

    python tools/write_exactness_rules.py [--check]

With --check nothing is written; exit code 1 when the table is not what the library says.
"""

import argparse
import sys
from pathlib import Path

from geoembed.sdf._shapes._exactness import rules_table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "exactness.md"
START, END = "<!-- rules: tools/write_exactness_rules.py -->\n", "\n\n<!-- end of rules -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    page = before + START + rules_table() + END + rest.split(END)[1]
    if parser.parse_args().check:
        return 0 if text == page else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
