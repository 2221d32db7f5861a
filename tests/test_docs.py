"""Examples in docstrings, in the README and in docs/ run, and the pages cover what exists."""

import ast
import doctest
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "geoembed").rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```python[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

FEM = ("field_reference",)  # examples that need the extra `fem`

COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/geoembed demo",
    "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
)


def _docstrings(path: Path) -> list[tuple[str, int, str]]:
    """(name, line, text) of every docstring with an example.

    They are read from the source: under the type checking of a test run the functions are wrapped, and
    doctest's own search then takes them for another module's and skips them without a word.
    """
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text and ">>>" in text:
                found.append((getattr(node, "name", "module"), getattr(node, "lineno", 1), text))
    return found


EXAMPLES = [(path, *docstring) for path in SOURCES for docstring in _docstrings(path)]


@pytest.mark.parametrize(
    ("path", "name", "line", "text"),
    [
        pytest.param(
            *e, id=f"{e[0].relative_to(ROOT)}:{e[1]}", marks=[pytest.mark.fem] if e[1] in FEM else []
        )
        for e in EXAMPLES
    ],
)
def test_docstring_example(path, name, line, text, tmp_path, monkeypatch):
    if name in FEM:
        pytest.importorskip("skfem")
    monkeypatch.chdir(tmp_path)
    module_name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(module_name)
    example = doctest.DocTestParser().get_doctest(text, dict(vars(module)), name, str(path), line)
    report: list[str] = []
    # as a reader would run it: with jax's own defaults
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(example, out=report.append)
    assert not report, "".join(report)


def _blocks(page: Path) -> list[str]:
    return [m.group(1) for m in FENCE.finditer(page.read_text(encoding="utf-8"))]


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if _blocks(p)], ids=lambda p: str(p.relative_to(ROOT)))
def test_python_blocks_of_page(page, tmp_path):
    """The blocks of a page run one after the other in one fresh interpreter, in an empty folder."""
    script = tmp_path / "page.py"
    script.write_text("\n".join(_blocks(page)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_gives_the_two_commands(command):
    """Each alone on its line, so that it can be copied; .ci/run takes the second from there."""
    assert command in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


def test_every_sub_package_has_an_api_page():
    packages = {p.parent.name for p in (ROOT / "geoembed").glob("*/__init__.py")}
    pages = {p.stem for p in (ROOT / "docs" / "api").glob("*.md")} - {"index"}
    assert packages - {"cli"} == pages - {"cli"}


def test_pages_do_not_link_to_missing_files():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://", "mailto:")):
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
