"""Reading a configuration file: a mistake becomes one message with its line and the nearest valid name."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..core import InputError
from ._config import Config
from ._elastic_config import ElasticConfig
from ._field_config import FieldConfig
from ._lines import Place, key_lines, line_of
from ._mistakes import first_mistake, nearest, tagged
from ._transient_config import TransientConfig

Model = TypeVar("Model", bound=BaseModel)

STEADY_HEAT, TRANSIENT_HEAT, STEADY_ELASTICITY = "steady_heat", "transient_heat", "steady_elasticity"
_PARTS: dict[str, type[Config] | type[TransientConfig] | type[ElasticConfig]] = {
    STEADY_HEAT: Config,
    TRANSIENT_HEAT: TransientConfig,
    STEADY_ELASTICITY: ElasticConfig,
}
_LARGEST = 1_000_000  # bytes; a configuration is a few hundred


def read_case(path: Path) -> Config | TransientConfig | ElasticConfig | FieldConfig:
    """Reads and checks a configuration file.

    It is of heat in a part, steady or in time, of an elastic part or of another equation, as [physics] kind says.

    Args:
        path: A TOML file.

    Returns:
        The configuration.

    Raises:
        InputError: The file cannot be read, is not TOML, or a key, type or value is wrong.
    """
    content = _content(path)
    kind = _kind(path, content)
    if kind not in _PARTS:
        return _checked(path, content, FieldConfig)
    config = _checked(path, content, _PARTS[kind])
    _check_patch_names(path, config)
    return config


def read_config(path: Path) -> Config:
    """Reads and checks the configuration of heat in a part, see `read_case`."""
    config = _checked(path, _content(path), Config)
    _check_patch_names(path, config)
    return config


def read_toml(path: Path, model: type[Model]) -> Model:
    """Reads a TOML file and checks it against a model, see `read_case`."""
    return _checked(path, _content(path), model)


def _kind(path: Path, content: dict[str, Any]) -> str:
    """Which kind of problem this is about: the key physics.kind decides where it is there, else the tables."""
    physics = content.get("physics")
    kind = physics.get("kind") if isinstance(physics, dict) else None
    if isinstance(kind, str):
        known = [*_PARTS, *tagged(FieldConfig.model_fields["physics"].annotation)]
        if kind not in known:
            place = place_of(path, ("physics", "kind"))
            raise InputError(path, place, f"there is no equation {kind!r}", nearest(kind, known))
        return kind
    if "part" not in content and {"domain", "time"} & set(content):
        return ""
    keys = set(physics) if isinstance(physics, dict) else set()
    if keys & {"young", "poisson"}:
        return STEADY_ELASTICITY
    return TRANSIENT_HEAT if "capacity" in keys or {"time", "initial"} & set(content) else STEADY_HEAT


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read_text(path))
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        reason, where = _toml_place(str(error))
        raise InputError(
            path, where, f"this is not TOML: {reason}", "See https://toml.io for the syntax"
        ) from error


def _checked(path: Path, content: dict[str, Any], model: type[Model]) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        place, reason, hint = first_mistake(error, model)
        raise InputError(path, place_of(path, place), reason, hint) from error


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


def _dotted(place: tuple[str | int, ...]) -> str:
    return ".".join(f"[{part}]" if isinstance(part, int) else part for part in place).replace(".[", "[")


def place_of(path: Path, place: Place) -> str:
    """Returns where a key stands in a configuration file, in words: "line 12: physics.conductivity"."""
    line = line_of(key_lines(_read_text(path)), place)
    return (f"line {line}: " if line else "") + _dotted(place)


def place_in_file(path: Path, error: InputError) -> InputError:
    """Returns an error about the problem in a part as one about its line in the configuration file."""
    if error.file == "equation":
        return InputError(path, place_of(path, ("physics", error.where)), error.reason, error.hint)
    if error.file == "conditions" and error.where == "Initial":
        return InputError(path, place_of(path, ("initial", "temperature")), error.reason, error.hint)
    if error.file not in ("patches", "conditions"):
        return error
    if error.where.startswith("[patches."):
        name = error.where.removeprefix("[patches.").removesuffix("]")
        return InputError(path, place_of(path, ("patches", name)), error.reason, error.hint)
    # the last condition on the patch that the message names, or the first condition when it names none
    said = f"{error.where} {error.reason}".strip()
    conditions = tomllib.loads(_read_text(path)).get("conditions", [])
    named = [number for number, table in enumerate(conditions) if repr(table["patch"]) in said]
    hint = error.hint.replace("Displacement", "displacement").replace("ElasticFoundation", "foundation")
    return InputError(path, place_of(path, ("conditions", named[-1] if named else 0)), said, hint)


def _check_patch_names(path: Path, config: Config | TransientConfig | ElasticConfig) -> None:
    known = [*config.patches, "rest"]
    if "rest" in config.patches:
        reason = "the name 'rest' is reserved for what no patch takes"
        raise InputError(path, place_of(path, ("patches", "rest")), reason, "Choose another name")
    named: list[tuple[Place, str]] = [
        (("conditions", number, "patch"), condition.patch)
        for number, condition in enumerate(config.conditions)
    ]
    shape = config.shape if isinstance(config, Config) else None
    if shape is not None:
        named += [(("shape", "over"), shape.over)] if shape.over is not None else []
        named += [
            (("shape", "moves", number, "patch"), move.patch) for number, move in enumerate(shape.moves)
        ]
    for place, name in named:
        if name not in known:
            raise InputError(path, place_of(path, place), f"there is no patch {name!r}", nearest(name, known))
