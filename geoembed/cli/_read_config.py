"""Reading a configuration file: a mistake becomes one message with its line and the nearest valid name."""

import difflib
import tomllib
import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ..core import InputError
from ._config import Config
from ._lines import Place, key_lines, line_of

_LARGEST = 1_000_000  # bytes; a configuration is a few hundred


def read_config(path: Path) -> Config:
    """Reads and checks a configuration file.

    Args:
        path: A TOML file.

    Returns:
        The configuration.

    Raises:
        InputError: The file cannot be read, is not TOML, or a key, type or value is wrong.
    """
    text = _read_text(path)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason, where = _toml_place(str(error))
        raise InputError(
            path, where, f"this is not TOML: {reason}", "See https://toml.io for the syntax"
        ) from error
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise _first_mistake(path, error) from error
    _check_patch_names(path, config)
    return config


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():
            raise InputError(path, "", "there is no such file", "Check the path of the configuration")
        if path.stat().st_size > _LARGEST:
            reason = f"the file is larger than {_LARGEST} bytes"
            raise InputError(path, "", reason, "Give a TOML configuration file")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            path, f"byte {error.start}", "this is not UTF-8 text", "Save the file as UTF-8"
        ) from error
    except OSError as error:
        raise InputError(path, "", f"cannot be read: {error.strerror}", "Check its permissions") from error


def _toml_place(message: str) -> tuple[str, str]:
    reason, separator, place = message.rpartition(" (at ")
    if not separator:
        return message, ""
    return reason, place.rstrip(")")


def _first_mistake(path: Path, error: ValidationError) -> InputError:
    mistakes = sorted(
        error.errors(), key=lambda e: e["type"] != "extra_forbidden"
    )  # a misspelt key explains the rest
    mistake = mistakes[0]
    place = tuple(mistake["loc"])
    reason, hint = _explain(mistake, place)
    if len(mistakes) > 1:
        hint += f" (and {len(mistakes) - 1} more to mend)"
    return InputError(path, place_of(path, place), reason, hint)


def _dotted(place: tuple[str | int, ...]) -> str:
    return ".".join(f"[{part}]" if isinstance(part, int) else part for part in place).replace(".[", "[")


def _explain(mistake: Any, place: tuple[str | int, ...]) -> tuple[str, str]:
    name = str(place[-1]) if place else "the file"
    value = mistake["input"]
    match mistake["type"]:
        case "extra_forbidden":
            known = _keys_beside(place)
            return f"there is no key {name!r} here", nearest(name, known)
        case "missing":
            return f"the key {name!r} is missing", _meaning(place)
        case "literal_error":
            options = mistake["ctx"]["expected"].replace("'", '"')
            return f"{_short(value)} is not one of {options}", nearest(
                str(value), _literals(options), alike=0.3
            )
        case _:
            said = mistake["msg"].removeprefix("Value error, ")
            said = said[0].lower() + said[1:]
            shown = "" if isinstance(value, dict) else f" (it is {_short(value)})"
            return said + shown, _meaning(place)


def nearest(name: str, known: list[str], alike: float = 0.5) -> str:
    """Returns a hint that names the valid name closest to a wrong one."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=alike)
    listed = ", ".join(known)
    return f"Did you mean {close[0]!r}? Valid here: {listed}" if close else f"Valid here: {listed}"


def _literals(options: str) -> list[str]:
    return [part.strip().strip('"') for part in options.replace(" or ", ", ").split(",")]


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _keys_beside(place: tuple[str | int, ...]) -> list[str]:
    model = _model_at(place[:-1])
    return list(model.model_fields) if model else []


def _meaning(place: tuple[str | int, ...]) -> str:
    model = _model_at(place[:-1])
    field = model.model_fields.get(str(place[-1])) if model and place else None
    if field is None or not field.description:
        return "See the reference of the configuration file in the documentation"
    return f"It is: {field.description}"


def _model_at(place: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Returns the table that a path leads to."""
    model: type[BaseModel] | None = Config
    kind: Any = Config
    for part in place:
        if model is not None and str(part) in model.model_fields:
            kind = model.model_fields[str(part)].annotation
        else:
            kind = _element(kind)  # a name in [patches], a number in [[conditions]], a position in a list
        model = _table(kind)
    return model


def _element(kind: Any) -> Any:
    arguments = typing.get_args(kind)
    return arguments[-1] if arguments else None


def _table(kind: Any) -> type[BaseModel] | None:
    options = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    return next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)


def place_of(path: Path, place: Place) -> str:
    """Returns where a key stands in a configuration file, in words: "line 12: physics.conductivity"."""
    line = line_of(key_lines(_read_text(path)), place)
    return (f"line {line}: " if line else "") + _dotted(place)


def place_in_file(path: Path, error: InputError) -> InputError:
    """Returns an error about patches or conditions as one about their line in the configuration file."""
    if error.file not in ("patches", "conditions"):
        return error
    if error.where.startswith("[patches."):
        name = error.where.removeprefix("[patches.").removesuffix("]")
        return InputError(path, place_of(path, ("patches", name)), error.reason, error.hint)
    # the last condition on the patch that the message names, or the first condition when it names none
    said = f"{error.where} {error.reason}".strip()
    conditions = tomllib.loads(_read_text(path))["conditions"]
    named = [number for number, table in enumerate(conditions) if repr(table["patch"]) in said]
    return InputError(path, place_of(path, ("conditions", named[-1] if named else 0)), said, error.hint)


def _check_patch_names(path: Path, config: Config) -> None:
    known = [*config.patches, "rest"]
    if "rest" in config.patches:
        reason = "the name 'rest' is reserved for what no patch takes"
        raise InputError(path, place_of(path, ("patches", "rest")), reason, "Choose another name")
    for number, condition in enumerate(config.conditions):
        if condition.patch not in known:
            where = place_of(path, ("conditions", number, "patch"))
            reason = f"there is no patch {condition.patch!r}"
            raise InputError(path, where, reason, nearest(condition.patch, known))
