"""The reference of the configuration file says what the program checks."""

import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from pydantic import BaseModel

from geoembed.cli import _schema
from geoembed.cli._atoms_config import TrainConfig
from geoembed.cli._atoms_finetune_config import FinetuneConfig
from geoembed.cli._config import Config
from geoembed.cli._elastic_config import ElasticConfig
from geoembed.cli._field_config import FieldConfig
from geoembed.cli._read_config import read_config
from geoembed.cli._transient_config import TransientConfig

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "configuration.md"

EXAMPLE = """\
[part]
mesh = "heat_sink.stl"
unit = "mm"
[patches.base]
facing = [0, 0, -1]
[physics]
kind = "steady_heat"
conductivity = 0.5        # W/(m K)
[[conditions]]
patch = "base"
temperature = 350.0       # K
[[conditions]]
patch = "rest"
convection = { h = 25.0, ambient = 293.0 }   # W/(m² K), K
"""


def test_the_page_is_what_the_schema_says():
    assert PAGE.read_text(encoding="utf-8") == _schema.reference_page(), "run tools/write_config_reference.py"


def test_the_tool_compares_the_page():
    tool = [sys.executable, str(ROOT / "tools" / "write_config_reference.py"), "--check"]
    done = subprocess.run(tool, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr


def keys(model: type[BaseModel]) -> set[str]:
    """All keys of a table and of the tables in it, walked without the code under test."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(name)
        for inner in Config.model_json_schema()["$defs"].values():
            title = inner["title"]
            if re.search(rf"\b{title}\b", str(field.annotation)):
                found |= set(inner["properties"])
    return found


def test_every_key_has_a_row_a_meaning_and_a_default():
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    named = {name.split(".")[-1] for name, *_ in rows}
    schemas = [
        model.model_json_schema()
        for model in (Config, TransientConfig, ElasticConfig, FieldConfig, TrainConfig, FinetuneConfig)
    ]
    expected = {key for one in schemas for table in one["$defs"].values() for key in table["properties"]}
    assert named == expected
    assert keys(Config) - set(Config.model_fields) <= named
    for _, kind, default, meaning in rows:
        assert kind.strip()
        assert default.strip()
        assert len(meaning.strip()) > 5


def test_defaults_on_the_page_are_those_of_an_empty_table():
    page = PAGE.read_text(encoding="utf-8")
    solve = page[page.index("### `[solve]`") :]
    values = tomllib.loads(EXAMPLE)
    config = Config.model_validate(values)
    assert f"| `{config.solve.cells}` |" in solve
    assert f"| `{config.solve.tolerance}` |" in solve
    assert config.solve.time_limit is None


def test_the_example_parses(tmp_path):
    path = tmp_path / "example.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    config = read_config(path)
    assert config.part.unit == "mm"
    assert config.patches["base"].facing == [0, 0, -1]
    assert config.physics.conductivity == 0.5
    assert config.conditions[0].temperature == 350.0
    assert config.conditions[1].convection is not None
    assert (config.conditions[1].convection.h, config.conditions[1].convection.ambient) == (25.0, 293.0)


@pytest.mark.parametrize("line", [line for line in EXAMPLE.splitlines() if "=" in line])
def test_every_key_of_the_example_is_known_to_the_page(line):
    page = PAGE.read_text(encoding="utf-8")
    for key in re.findall(r"(\w+) = ", line):
        assert f"`{key}`" in page or f".{key}`" in page


def test_the_bundled_configuration_parses():
    with resources.as_file(resources.files("geoembed.pinn") / "data" / "heat_sink.toml") as path:
        config = read_config(path)
        assert (path.parent / config.part.mesh).exists()
