"""An object as a JSON tree beside a table of arrays, and back.

Arrays become {"$array": name}, modules and dataclasses {"$class": registered name, "fields": {…}}. Every JSON
object is such a tagged form; strings, integers, booleans, None and finite floats stand for themselves (the
shortest decimal form of a float reads back to the same bits).
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import equinox as eqx
import jax
import numpy as np

from ._registry import find, name_of

_OTHER_VERSION = "Load it with the version that wrote it"

Fail = Callable[[str, str, str], Exception]  # (where, reason, hint) -> the error to raise


def encode(obj: Any, fail: Fail) -> tuple[Any, dict[str, np.ndarray | jax.Array]]:
    """The JSON tree of an object and its arrays by name."""
    arrays: dict[str, np.ndarray | jax.Array] = {}
    return _encode(obj, "", arrays, fail), arrays


def decode(tree: Any, arrays: dict[str, Any], fail: Fail) -> Any:
    """The object of a JSON tree; every array must be used exactly once."""
    left = dict(arrays)
    obj = _decode(tree, "", left, fail)
    if left:
        raise fail("manifest.json", f"no field holds the array {min(left)!r}", "Save the object again")
    return obj


def _encode(obj: Any, path: str, arrays: dict, fail: Fail) -> Any:
    where = path or "the object"
    if obj is None or type(obj) in (str, bool, int):
        return obj
    if type(obj) is float:
        return obj if math.isfinite(obj) else {"$float": str(obj)}
    if type(obj) is np.ndarray or isinstance(obj, jax.Array):
        name = path or "array"
        arrays[name] = obj
        return {"$array": name}
    if type(obj) in (tuple, list):
        items = [_encode(item, _join(path, str(i)), arrays, fail) for i, item in enumerate(obj)]
        return items if type(obj) is list else {"$tuple": items}
    if type(obj) is dict:
        if not all(type(key) is str for key in obj):
            raise fail(where, "a dictionary has keys that are not strings", "Use strings as keys")
        return {"$dict": {key: _encode(item, _join(path, key), arrays, fail) for key, item in obj.items()}}
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        return _encode_fields(obj, path, arrays, fail)
    if (name := name_of(obj)) is not None:
        return {"$object": name}
    hint = "Save Python numbers, strings, tuples, arrays and registered classes or functions"
    raise fail(
        where, f"a value of type {type(obj).__module__}.{type(obj).__qualname__} cannot be saved", hint
    )


def _encode_fields(obj: Any, path: str, arrays: dict, fail: Fail) -> dict[str, Any]:
    cls = type(obj)
    if (name := name_of(cls)) is None:
        hint = "Decorate the class with geoembed.core.register"
        raise fail(
            path or "the object", f"the class {cls.__module__}.{cls.__qualname__} is not registered", hint
        )
    fields = {field.name: getattr(obj, field.name) for field in _saved_fields(cls)}
    return {
        "$class": name,
        "fields": {key: _encode(item, _join(path, key), arrays, fail) for key, item in fields.items()},
    }


def _decode(tree: Any, path: str, arrays: dict, fail: Fail) -> Any:
    if tree is None or type(tree) in (str, bool, int, float):
        return tree
    if type(tree) is list:
        return [_decode(item, _join(path, str(i)), arrays, fail) for i, item in enumerate(tree)]
    match tree:
        case {"$float": str(text)} if text in ("inf", "-inf", "nan"):
            return float(text)
        case {"$array": str(name)}:
            if name not in arrays:
                raise fail(
                    "manifest.json", f"the array {name!r} is missing or used twice", "Save the object again"
                )
            return arrays.pop(name)
        case {"$tuple": list(items)}:
            return tuple(_decode(item, _join(path, str(i)), arrays, fail) for i, item in enumerate(items))
        case {"$dict": dict(items)}:
            return {key: _decode(item, _join(path, key), arrays, fail) for key, item in items.items()}
        case {"$object": str(name)}:
            return _found(name, path, fail)
        case {"$class": str(name), "fields": dict(fields)}:
            values = {key: _decode(item, _join(path, key), arrays, fail) for key, item in fields.items()}
            return _build(_found(name, path, fail), name, values, path, fail)
    raise fail("manifest.json", f"{path or 'the tree'} has an unknown form", _OTHER_VERSION)


def _found(name: str, path: str, fail: Fail) -> Any:
    obj = find(name)
    if obj is None:
        place = f"manifest.json, {path}" if path else "manifest.json"
        hint = "Import the module that registers it, or update geoembed"
        raise fail(place, f"{name!r} is not a registered class or function", hint)
    return obj


def _build(cls: Any, name: str, values: dict[str, Any], path: str, fail: Fail) -> Any:
    place = f"manifest.json, {path}" if path else "manifest.json"
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise fail(place, f"{name!r} is not a class with fields", _OTHER_VERSION)
    fields = {field.name: field for field in _saved_fields(cls)}
    values = _defaults(fields) | values
    if set(fields) != set(values):
        wrong = min(set(fields) ^ set(values))
        state = "missing" if wrong in fields else "unknown"
        raise fail(place, f"the field {wrong!r} of {name} is {state}", _OTHER_VERSION)
    for key, field in fields.items():
        if field.metadata.get("static", False) and any(map(eqx.is_array, jax.tree.leaves(values[key]))):
            raise fail(place, f"the static field {key!r} of {name} holds an array", "Save the object again")
    try:
        return _restore_module(cls, values) if issubclass(cls, eqx.Module) else cls(**values)
    except Exception as error:  # whatever the class's own checks raise
        raise fail(place, f"{name} refuses these fields: {error}", _OTHER_VERSION) from error


def _restore_module(cls: type, values: dict[str, Any]) -> Any:
    """A module with the given fields, checked by its `__check_init__` but not sent through its `__init__`."""
    module = object.__new__(cls)
    for key, value in values.items():
        object.__setattr__(module, key, value)
    for parent in cls.__mro__:
        if "__check_init__" in parent.__dict__:
            parent.__dict__["__check_init__"](module)
    return module


def _saved_fields(cls: type) -> list[dataclasses.Field]:
    """All fields of a module; of a plain dataclass those that its constructor takes."""
    return [field for field in dataclasses.fields(cls) if field.init or issubclass(cls, eqx.Module)]


def _defaults(fields: dict[str, dataclasses.Field]) -> dict[str, Any]:
    """What an artefact means that is older than a field: the field's default, if it has one."""
    return {name: field.default for name, field in fields.items() if field.default is not dataclasses.MISSING}


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _join(path: str, key: str) -> str:
    key = quote(key, safe=" ").replace(".", "%2E")  # so that {"a.b": …} and {"a": {"b": …}} stay apart
    return f"{path}.{key}" if path else key
