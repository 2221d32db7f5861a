"""Run the strict readers over a folder of malformed files and print one JSON line about it.

usage: python tools/malformed_table.py [FOLDER …]      (without one: the cases of tests/malformed_cases.py)

A folder holds files and cases.json, a list of {name, file, kind: mesh | atoms, expect: error | flagged | ok |
repair_or_error}. A silent load is a file that should be refused or flagged and loads with nothing to say.
"""

import importlib
import json
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

from geoembed.atoms import inspect_frames
from geoembed.core import InputError
from geoembed.sdf import inspect_mesh

ROOT = Path(__file__).resolve().parent.parent


def own_cases(folder: Path) -> None:
    """Write the cases of the test suite."""
    sys.path.insert(0, str(ROOT))
    importlib.import_module("tests.malformed_cases").write(folder)


def outcome(path: Path, kind: str) -> str:
    """error, flagged, ok, or the name of another exception."""
    try:
        report = inspect_mesh(path, "m") if kind == "mesh" else inspect_frames(path)
    except InputError:
        return "error"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:100]
    return "flagged" if report["notes"] or report["flags"] else "ok"


def table(folder: Path) -> dict:
    """The figures of one folder."""
    rows = json.loads((folder / "cases.json").read_text())
    wrong, silent, seconds, typed = [], [], {}, 0
    for row in rows:
        start = time.perf_counter()
        got = outcome(folder / row["file"], row["kind"])
        seconds[row["name"]] = time.perf_counter() - start
        typed += got == "error"
        good = {"error": ["error"], "repair_or_error": ["error", "flagged"]}.get(
            row["expect"], [row["expect"]]
        )
        if got not in good:
            wrong.append(f"{row['name']}: {got} instead of {row['expect']}")
            if got in ("ok", "flagged") and row["expect"] in ("error", "flagged") and got != "flagged":
                silent.append(row["name"])
    peaks = {}
    tracemalloc.start()
    for row in rows:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        outcome(folder / row["file"], row["kind"])
        peaks[row["name"]] = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    slowest, largest = max(seconds, key=seconds.get), max(peaks, key=peaks.get)
    return {
        "cases": len(rows),
        "to_refuse": sum(row["expect"] == "error" for row in rows),
        "typed_errors": typed,
        "silent_loads": silent,
        "other_than_expected": wrong,
        "slowest_seconds": round(seconds[slowest], 3),
        "slowest": slowest,
        "peak_megabytes": round(peaks[largest] / 1e6, 1),
        "largest": largest,
    }


def main() -> None:
    """Print the table of each folder, or of the test suite's cases."""
    np.seterr(all="warn")
    folders = [Path(name) for name in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as scratch:
        if not folders:
            folders = [Path(scratch)]
            own_cases(folders[0])
        print(json.dumps({folder.name if sys.argv[1:] else "tests": table(folder) for folder in folders}))


if __name__ == "__main__":
    main()
