"""What pydantic finds wrong in a configuration, as one reason and one hint with the nearest valid name."""

import difflib
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError

from ._lines import Place

Model = type[BaseModel]


def first_mistake(error: ValidationError, root: Model) -> tuple[Place, str, str]:
    """Returns the place, the reason and the hint of the mistake that explains most.

    Args:
        error: What was found.
        root: The model of the whole file.
    """
    mistakes = sorted(
        error.errors(), key=lambda e: e["type"] != "extra_forbidden"
    )  # a misspelt key explains the rest
    mistake = mistakes[0]
    place, above, own = _walk(root, tuple(mistake["loc"]))
    reason, hint = _explain(mistake, place, above)
    if mistake["type"].startswith("union_tag"):
        place, reason, hint = (*place, "kind"), *_about_kind(mistake, own)
    if len(mistakes) > 1:
        hint += f" (and {len(mistakes) - 1} more to mend)"
    return place, reason, hint


def nearest(name: str, known: list[str], alike: float = 0.5) -> str:
    """Returns a hint that names the valid name closest to a wrong one."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=alike)
    listed = ", ".join(known)
    return f"Did you mean {close[0]!r}? Valid here: {listed}" if close else f"Valid here: {listed}"


def tagged(kind: Any) -> dict[str, Model]:
    """Returns the tables among which the key `kind` chooses, by its value; nothing for another type."""
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    options = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else ()
    given = [option for option in options if option is not type(None)]
    if len(given) == 1 and len(options) == 2:  # a table that may be left out
        return tagged(given[0])
    models = [option for option in options if isinstance(option, type) and issubclass(option, BaseModel)]
    if len(models) < 2:
        return {}
    return {typing.get_args(model.model_fields["kind"].annotation)[0]: model for model in models}


def _explain(mistake: Any, place: Place, above: Model | None) -> tuple[str, str]:
    name = str(place[-1]) if place else "the file"
    value = mistake["input"]
    match mistake["type"]:
        case "extra_forbidden":
            known = list(above.model_fields) if above else []
            return f"there is no key {name!r} here", nearest(name, known)
        case "missing":
            return f"the key {name!r} is missing", _meaning(place, above)
        case "literal_error":
            options = mistake["ctx"]["expected"].replace("'", '"')
            return f"{_short(value)} is not one of {options}", nearest(
                str(value), _literals(options), alike=0.3
            )
        case _:
            said = mistake["msg"].removeprefix("Value error, ").rstrip(".")
            said = said[0].lower() + said[1:]
            shown = "" if isinstance(value, dict) else f" (it is {_short(value)})"
            return said + shown, _meaning(place, above)


def _about_kind(mistake: Any, own: Any) -> tuple[str, str]:
    """About the key that chooses a table."""
    known = list(tagged(own))
    tag = mistake["ctx"].get("tag")
    if tag is None:
        return "the key 'kind' is missing", f"Valid here: {', '.join(known)}"
    return f"{_short(tag)} is none of the kinds", nearest(str(tag), known)


def _literals(options: str) -> list[str]:
    return [part.strip().strip('"') for part in options.replace(" or ", ", ").split(",")]


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _meaning(place: Place, above: Model | None) -> str:
    field = above.model_fields.get(str(place[-1])) if above and place else None
    if field is None or not field.description:
        return "See the reference of the configuration file in the documentation"
    return f"It is: {field.description}"


def _walk(root: Model, loc: tuple[str | int, ...]) -> tuple[Place, Model | None, Any]:
    """Follows the path of a mistake through the models.

    Returns the path as it stands in the file, without the kinds that pydantic enters where it has chosen a table by
    one; the table in which its last step lies; and the type of what it leads to.
    """
    place: list[str | int] = []
    above: Model | None = None
    model: Model | None = root
    kind: Any = root
    for part in loc:
        choices = tagged(kind)
        if part in choices:
            model = kind = choices[str(part)]
            continue
        place.append(part)
        above = model
        if model is not None and str(part) in model.model_fields:
            kind = model.model_fields[str(part)].annotation
        else:
            kind = _element(kind)  # a name in [patches], a number in [[conditions]], a position in a list
        model = _table(kind)
    return tuple(place), above, kind


def _element(kind: Any) -> Any:
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    arguments = typing.get_args(kind)
    return arguments[-1] if arguments else None


def _table(kind: Any) -> Model | None:
    options = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    models = [option for option in options if isinstance(option, type) and issubclass(option, BaseModel)]
    return models[0] if len(models) == 1 else None
