"""Write docs/reference/configuration.md from the schema that `geoembed solve` checks against.

    python tools/write_config_reference.py [--check]

With --check nothing is written; exit code 1 when the page is not what the schema says.
"""

import argparse
import sys
from pathlib import Path

from geoembed.cli._schema import reference_page

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "configuration.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    page = reference_page()
    if parser.parse_args().check:
        return 0 if PAGE.read_text(encoding="utf-8") == page else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
