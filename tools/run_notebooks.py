"""Execute every notebook of notebooks/ (jupytext percent scripts) from its first cell; any error is fatal.

    python tools/run_notebooks.py [--out FOLDER] [NAME ...]

Writes the executed .ipynb files to FOLDER when it is given. Exit code 1 when one fails.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
SECONDS_PER_CELL = 600


def execute(script: Path, out: Path | None) -> None:
    """Run one notebook in an empty folder; raises CellExecutionError at its first failing cell."""
    notebook = jupytext.read(script)
    notebook.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3"})
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(
            notebook, timeout=SECONDS_PER_CELL, kernel_name="python3", resources=resources
        ).execute()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, out / f"{script.stem}.ipynb")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these (file names without .py)")
    parser.add_argument("--out", type=Path, help="where to write the executed notebooks")
    arguments = parser.parse_args()
    scripts = sorted((ROOT / "notebooks").glob("*.py"))
    if arguments.names:
        scripts = [s for s in scripts if s.stem in arguments.names]
        missing = set(arguments.names) - {s.stem for s in scripts}
        if missing:
            parser.error(f"no such notebook: {', '.join(sorted(missing))}")
    failed = 0
    for script in scripts:
        start = time.perf_counter()
        try:
            execute(script, arguments.out)
            outcome = "ok"
        except CellExecutionError as error:
            outcome, failed = "FAILED", failed + 1
            print(error, file=sys.stderr)
        print(f"{script.stem}: {outcome} in {time.perf_counter() - start:.1f} s", flush=True)
    print(f"{len(scripts)} notebooks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
