"""What importing geoembed loads, what its modules may contain, and which versions run."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import geoembed

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "geoembed"
SOURCES = sorted(PACKAGE.rglob("*.py"))
SUBPACKAGES = sorted(p.parent.name for p in PACKAGE.glob("*/__init__.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Each costs a newcomer seconds, or is an optional dependency.
HEAVY = [
    "IPython",
    "ase",
    "e3nn_jax",
    "flax",
    "hypothesis",
    "matplotlib",
    "meshio",
    "optax",
    "orbax",
    "pandas",
]
HEAVY += [
    "pyamg",
    "pydantic",
    "pytetwild",
    "pyvista",
    "rich",
    "scipy",
    "skfem",
    "skimage",
    "sklearn",
    "spglib",
    "sympy",
]
HEAVY += ["torch", "trimesh", "typer", "vesin"]


def _python(code: str) -> str:
    """Standard output of a fresh interpreter that runs `code` with warnings as errors."""
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_is_light():
    loaded = _python(f"import geoembed, sys; print(*[m for m in {HEAVY!r} if m in sys.modules])").split()
    assert loaded == [], f"`import geoembed` loads {loaded}; import them where they are used"


@pytest.mark.parametrize("name", SUBPACKAGES)
def test_sub_package_imports_alone_and_silently(name):
    assert _python(f"import geoembed.{name}") == ""


def test_sub_packages_load_on_first_use():
    code = f"""
import sys, geoembed
late = [n for n in {SUBPACKAGES!r} if n != "core"]
loaded = [n for n in late if "geoembed." + n in sys.modules]
assert not loaded, loaded
for name in late:
    assert getattr(geoembed, name) is sys.modules["geoembed." + name]
    assert name in dir(geoembed)
"""
    _python(code)


def test_named_sub_packages_are_those_that_exist():
    assert sorted(geoembed._SUBPACKAGES) == SUBPACKAGES


def test_every_module_imports_without_a_warning():
    """Also the private ones; what needs an optional package must ask for it only when it is used."""
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in SOURCES]
    _python("import importlib\nfor name in " + repr(names) + ": importlib.import_module(name)")


FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
GLOBAL_CONFIGURATION = {"jax.config.update", "config.update", "jax.config.parse_flags_with_absl"}


def _violations(tree: ast.AST, *, may_print: bool) -> list[str]:
    """Calls and imports that no module of the library may contain."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [f"line {node.lineno}: {what}" for what in _forbidden_in_call(node, may_print)]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            roots = {name.split(".")[0] for name in names}
            found += [f"line {node.lineno}: import {root}" for root in roots & FORBIDDEN_MODULES]
    return found


def _forbidden_in_call(call: ast.Call, may_print: bool) -> list[str]:
    name = ast.unparse(call.func)
    bad = name in FORBIDDEN_CALLS or name in GLOBAL_CONFIGURATION or (name == "print" and not may_print)
    pickles = [k for k in call.keywords if k.arg == "allow_pickle" and ast.unparse(k.value) != "False"]
    return [f"{name}(...)"] * bad + ["allow_pickle"] * bool(pickles)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_module_neither_prints_nor_unpickles_nor_evaluates(path):
    may_print = path.is_relative_to(PACKAGE / "cli")
    assert _violations(ast.parse(path.read_text(encoding="utf-8")), may_print=may_print) == []


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "eval('1')",
        "import pickle",
        "from pickle import loads",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import jax\njax.config.update('jax_enable_x64', True)",
    ],
)
def test_the_scan_sees_each_kind(source):
    assert _violations(ast.parse(source), may_print=False)


def test_running_versions_satisfy_the_bounds():
    """Also that no excluded jax is running: a shared environment can hold one."""
    for text in PROJECT["dependencies"]:
        requirement = Requirement(text)
        installed = importlib.metadata.version(requirement.name)
        assert requirement.specifier.contains(installed), f"{requirement} is required, {installed} runs"


def test_excluded_versions_of_jax_stay_excluded():
    (jax,) = [r for r in map(Requirement, PROJECT["dependencies"]) if r.name == "jax"]
    for bad in ("0.10.2", "0.11.0", "0.11.1"):
        assert not jax.specifier.contains(bad), f"jax {bad} is unsound; see pyproject.toml"
    assert jax.specifier.contains("0.10.1")  # the newest that Python 3.11 can have


def test_version_is_stated_once_and_the_same():
    assert geoembed.__version__ == PROJECT["version"]


def test_ignored_by_git():
    """What a run leaves behind never reaches a commit."""
    ignored = (ROOT / ".gitignore").read_text().split()
    for folder in (".jax_cache/", ".venv/", ".hypothesis/", ".pytest_cache/"):
        assert folder in ignored


def _required() -> set[tuple[str, str, str]]:
    """(extra, name, specifier) of every package that pyproject.toml asks for."""
    lists = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    pairs = [(extra, Requirement(text)) for extra, texts in lists.items() for text in texts]
    return {(extra, r.name.lower(), str(r.specifier)) for extra, r in pairs if r.name != PROJECT["name"]}


def _locked(package: dict) -> set[tuple[str, str, str]]:
    """The same as uv.lock has it."""
    found = set()
    for entry in package["metadata"]["requires-dist"]:
        extra = entry.get("marker", "").removeprefix("extra == '").removesuffix("'")
        found.add((extra, entry["name"], str(SpecifierSet(entry.get("specifier", "")))))
    return {item for item in found if item[1] != PROJECT["name"]}


def test_lock_file_belongs_to_this_pyproject():
    """After a change of a dependency: `uv lock`."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    (own,) = [p for p in lock["package"] if p["name"] == PROJECT["name"]]
    assert _required() == _locked(own)


def test_lock_file_names_no_private_registry():
    hosts = set(re.findall(r'(?:https?|file)://[^/"]*', (ROOT / "uv.lock").read_text()))
    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}
