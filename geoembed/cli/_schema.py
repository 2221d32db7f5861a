"""The reference of the configuration file, written from the schema itself so that the two cannot differ."""

import types
import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ._atoms_config import TrainConfig
from ._atoms_finetune_config import FinetuneConfig
from ._config import Config
from ._elastic_config import ElasticConfig
from ._field_config import FieldConfig
from ._mistakes import tagged
from ._parse_formula import FUNCTIONS
from ._transient_config import TransientConfig
from ._values_config import Said

_TITLES = {
    "part": "[part]",
    "patches": "[patches.NAME]",
    "physics": "[physics]",
    "conditions": "[[conditions]]",
    "sensors": "[sensors]",
    "unknown": "[[unknown]]",
    "shape": "[shape]",
    "solve": "[solve]",
    "output": "[output]",
}
_TRANSIENT_TITLES = {
    "physics": "[physics]",
    "time": "[time]",
    "initial": "[initial]",
    "conditions": "[[conditions]]",
    "solve": "[solve]",
    "output": "[output]",
}
_ELASTIC_TITLES = {name: _TITLES[name] for name in ("physics", "conditions", "solve")}
_FIELD_TITLES = {
    "domain": "[domain]",
    "patches": "[patches.NAME]",
    "physics": "[physics]",
    "regions": "[[regions]]",
    "conditions": "[[conditions]]",
    "time": "[time]",
    "solve": "[solve]",
    "training": "[training]",
    "network": "[network]",
    "output": "[output]",
}
_TRAIN_TITLES = {
    "data": "[data]",
    "potential": "[potential]",
    "training": "[training]",
    "trainable": "[[trainable]]",
}
_FINETUNE_TITLES = {
    "tuning": "[tuning]",
    "new": "[new.SYMBOL]",
    "old": "[old]",
    "training": "[training]",
}
_INTRODUCTION = """# The configuration file

`geoembed solve FILE.toml` reads one TOML file. The key `kind` of `[physics]` says whether it is about
[heat in a part](#heat-in-a-part), also [in time](#heat-in-a-part-in-time), [an elastic part](#an-elastic-part) or
[an equation in a domain](#an-equation-in-a-domain). Unknown keys are refused. This page is generated
from the schema that the program checks against.

## Heat in a part

Coordinates are in the part's own unit, the rest in SI units. What a *formula* may contain is said
[below](#an-equation-in-a-domain).
"""
_TRANSIENT_INTRODUCTION = """## Heat in a part in time

Coordinates are in the part's own unit, the rest in SI units. `[part]` and `[patches.NAME]` are those of
[heat in a part](#heat-in-a-part). A list of pairs stands for values at moments, linear between them and constant
beyond.
"""
_ELASTIC_INTRODUCTION = """## An elastic part

Coordinates are in the part's own unit, the rest in SI units. `[part]`, `[patches.NAME]` and `[output]` are those of
[heat in a part](#heat-in-a-part).
"""
_FIELD_INTRODUCTION = """## An equation in a domain

Where the type says *formula*, a text in quotes stands for a function of the point, such as `"-sin(pi*x)"`. It may
contain numbers, the coordinates `x`, `y`, `z` (as many as the domain has) and the time `t`, `pi` and `e`, `+ - * / **`
and parentheses, `where(condition, number, number)` with `<`, `<=`, `>`, `>=`, `and`, `or`, `not`, and the functions
FUNCTIONS. Coefficients of the equation may also contain its unknowns. A *number* may be a formula without coordinates:
`"2*pi"`.
"""
_TRAIN_INTRODUCTION = """## Training a potential

`geoembed train FILE.toml` reads a file of its own. Energies are in eV, lengths in Å.
"""
_FINETUNE_INTRODUCTION = """## Fine-tuning a potential

`geoembed finetune FILE.toml` reads a file of its own; see [how to fine-tune](../how-to/fine-tune.md). `[data]` and
`[[trainable]]` are those of [training a potential](#training-a-potential).
"""


def reference_page() -> str:
    """Returns the page as Markdown."""
    functions = ", ".join(f"`{name}`" for name in FUNCTIONS)
    sections = [_INTRODUCTION, *_sections(Config, _TITLES)]
    sections += [_TRANSIENT_INTRODUCTION, *_sections(TransientConfig, _TRANSIENT_TITLES)]
    sections += [_ELASTIC_INTRODUCTION, *_sections(ElasticConfig, _ELASTIC_TITLES)]
    sections += [_FIELD_INTRODUCTION.replace("FUNCTIONS", functions), *_sections(FieldConfig, _FIELD_TITLES)]
    sections += [_TRAIN_INTRODUCTION, *_sections(TrainConfig, _TRAIN_TITLES)]
    sections += [_FINETUNE_INTRODUCTION, *_sections(FinetuneConfig, _FINETUNE_TITLES)]
    return "\n".join(sections)


def _sections(config: type[BaseModel], titles: dict[str, str]) -> list[str]:
    """A section for each table of a configuration; for a choice by `kind` one for each table to choose from."""
    sections = []
    for name, title in titles.items():
        field = config.model_fields[name]
        need = "required" if field.is_required() else "optional"
        choices = _choices(field.annotation)
        if not choices:
            model = _model(field.annotation)
            sections.append(f"### `{title}`\n\n{_sentence(model)} ({need})\n\n{_table(model)}")
            continue
        start = (field.description or "")[0].upper() + (field.description or "")[1:]
        sections.append(f"### `{title}`\n\n{start}. ({need})\n")
        sections += [
            f"#### {title} {kind}\n\n{_sentence(model)}\n\n{_table(model)}" for kind, model in choices
        ]
    return sections


def _choices(annotation: Any) -> list[tuple[str, type[BaseModel]]]:
    """The tables among which `kind` chooses, also in a list."""
    found = tagged(annotation) or tagged(next(iter(typing.get_args(annotation)), None))
    return list(found.items())


def _table(model: type[BaseModel], prefix: str = "") -> str:
    head = "| key | type | default | meaning |\n|---|---|---|---|\n" if not prefix else ""
    return head + "".join(_rows(prefix + name, field) for name, field in model.model_fields.items())


def _rows(name: str, field: FieldInfo) -> str:
    choices = _choices(field.annotation)
    inner = None if choices else _model(field.annotation)
    several = typing.get_origin(field.annotation) is list
    kind = ("tables" if several else "table") if inner else " ".join([_words(field), *_bounds(field)])
    if choices:
        kind = "tables, each with `kind` = " if several else "table with `kind` = "
        kind += " or ".join(f"`{name}`" for name, _ in choices)
    default = "required" if field.is_required() else "—" if inner else _default(field.default)
    row = f"| `{name}` | {kind} | {default} | {field.description} |\n"
    return row + (_table(inner, f"{name}.") if inner else "")


def _default(value: Any) -> str:
    """A default as TOML has it."""
    if value is None or value == []:
        return "—"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list):
        return f"`{value}`".replace("'", '"')
    return f"`{value:.12g}`" if isinstance(value, float) and value % 1 else f"`{value}`"


def _sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _words(field: FieldInfo) -> str:
    """The type of a key in words."""
    inside = [info for a in typing.get_args(field.annotation) for info in getattr(a, "__metadata__", ())]
    said = [info.words for info in [*field.metadata, *inside] if isinstance(info, Said)]
    if said and typing.get_origin(field.annotation) is not list:
        return said[0]
    (element, *_) = typing.get_args(_given(field.annotation)) or (None,)
    if typing.get_origin((typing.get_args(element) or (None,))[0]) is list:
        return "list of pairs of numbers"
    found = [*field.metadata, *(limit for info in inside for limit in getattr(info, "metadata", ()))]
    sizes = {
        name: getattr(limit, name)
        for limit in found
        for name in ("min_length", "max_length")
        if hasattr(limit, name)
    }
    words = {2: "two", 3: "three"}
    if len(sizes) == 2 and sizes["min_length"] != sizes["max_length"]:
        return f"{words[sizes['min_length']]} or {words[sizes['max_length']]} numbers"
    return f"{words[sizes['min_length']]} numbers" if sizes else _kind(field.annotation)


def _given(annotation: Any) -> Any:
    """The type of an optional key where it is given, without what narrows it down."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        annotation = next(a for a in typing.get_args(annotation) if a is not type(None))
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is typing.Annotated else annotation


def _kind(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return _kind(next(a for a in arguments if a is not type(None)))
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    name = str(annotation.__name__)
    return {"str": "text", "float": "number", "int": "whole number", "bool": "true or false"}.get(name, name)


def _bounds(field: FieldInfo) -> list[str]:
    """Returns the limits of a number in words; an optional number keeps them inside its annotation."""
    inside = [info for a in typing.get_args(field.annotation) for info in getattr(a, "__metadata__", ())]
    limits = [*field.metadata, *(limit for info in inside for limit in getattr(info, "metadata", ()))]
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    return [
        f"{sign} {getattr(limit, name):,}".replace(",", " ")
        for name, sign in signs.items()
        for limit in limits
        if hasattr(limit, name)
    ]


def _model(annotation: Any) -> Any:
    """Returns the table class inside an annotation, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for a in typing.get_args(annotation) if (found := _model(a))), None)
