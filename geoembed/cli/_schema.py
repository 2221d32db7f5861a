"""The reference of the configuration file, written from the schema itself so that the two cannot differ."""

import types
import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ._config import Config

_TITLES = {
    "part": "[part]",
    "patches": "[patches.NAME]",
    "physics": "[physics]",
    "conditions": "[[conditions]]",
    "solve": "[solve]",
}
_INTRODUCTION = """# The configuration file

`geoembed solve FILE.toml` reads one TOML file. Coordinates are in the part's own unit, the rest in SI units.
Unknown keys are refused. This page is generated from the schema that the program checks against.
"""


def reference_page() -> str:
    """Returns the page as Markdown."""
    sections = [_INTRODUCTION]
    for name, title in _TITLES.items():
        field = Config.model_fields[name]
        model = _model(field.annotation)
        need = "required" if field.is_required() else "optional"
        sections.append(f"## `{title}`\n\n{_sentence(model)} ({need})\n\n{_table(model)}")
    return "\n".join(sections)


def _table(model: type[BaseModel], prefix: str = "") -> str:
    head = "| key | type | default | meaning |\n|---|---|---|---|\n" if not prefix else ""
    return head + "".join(_rows(prefix + name, field) for name, field in model.model_fields.items())


def _rows(name: str, field: FieldInfo) -> str:
    inner = _model(field.annotation)
    kind = "table" if inner else " ".join([_kind(field.annotation), *_bounds(field)])
    default = "required" if field.is_required() else ("—" if field.default is None else f"`{field.default}`")
    row = f"| `{name}` | {kind} | {default} | {field.description} |\n"
    return row + (_table(inner, f"{name}.") if inner else "")


def _sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _kind(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return _kind(next(a for a in arguments if a is not type(None)))
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return "three numbers"
    name = str(annotation.__name__)
    return {"str": "text", "float": "number", "int": "whole number"}.get(name, name)


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
