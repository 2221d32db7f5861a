"""The names under which classes and functions may appear in an artefact."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, TypeVar, overload

import equinox as eqx

T = TypeVar("T")

_OBJECTS: dict[str, Any] = {}
_NAMES: dict[Any, str] = {}


@overload
def register(obj: T) -> T: ...
@overload
def register(*, name: str) -> Callable[[T], T]: ...
def register(obj: Any = None, *, name: str | None = None) -> Any:
    """Let `geoembed.save` and `geoembed.load` handle a class, or a function held in a static field.

    Only registered names are ever loaded, so an artefact cannot choose code to run. The default name is the
    public path: private modules drop out, `geoembed.sdf._meshes._mesh.MeshSDF` becomes "geoembed.sdf.MeshSDF".

    Args:
        obj: An `eqx.Module` class, a frozen dataclass, or a function.
        name: Another name than the default.

    Returns:
        `obj` itself, so this serves as a decorator with and without arguments.

    Raises:
        ValueError: The name belongs to another object, or the object has no importable place.

    Example:
        >>> import dataclasses
        >>> @register(name="example.Settings")
        ... @dataclasses.dataclass(frozen=True)
        ... class Settings:
        ...     order: int
    """
    if obj is None:
        return lambda decorated: _enter(decorated, name)
    return _enter(obj, name)


def _enter(obj: Any, name: str | None) -> Any:
    name = name or _public_path(obj)
    known = _OBJECTS.get(name)
    if known is not None and known is not obj and _place(known) != _place(obj):
        raise ValueError(f"the artefact name {name!r} belongs to {known!r} already: pass register(name=...)")
    _OBJECTS[name] = obj
    _NAMES[obj] = name
    return obj


def _place(obj: Any) -> tuple[str, str]:
    """Where an object was defined; equal for a class that a notebook cell defines again."""
    return getattr(obj, "__module__", ""), getattr(obj, "__qualname__", "")


def _public_path(obj: Any) -> str:
    module, name = _place(obj)
    if "<locals>" in name or not name:
        raise ValueError(
            f"{obj!r} is defined inside a function: move it to a module or pass register(name=...)"
        )
    return ".".join([part for part in module.split(".") if not part.startswith("_")] + [name])


def name_of(obj: Any) -> str | None:
    """The registered name of a class or function, or None."""
    try:
        return _NAMES.get(obj)
    except TypeError:  # unhashable: certainly not registered
        return None


def find(name: str) -> Any | None:
    """The object registered under a name, or None.

    A name "geoembed.<package>.…" imports that sub-package of geoembed first, because registration happens on
    import. Nothing else is imported on an artefact's word.
    """
    parts = name.split(".")
    if name not in _OBJECTS and len(parts) > 2 and parts[0] == "geoembed" and parts[1].isidentifier():
        package = f"geoembed.{parts[1]}"
        if importlib.util.find_spec(package) is not None:
            importlib.import_module(package)
    return _OBJECTS.get(name)


register(name="equinox.nn.Linear")(eqx.nn.Linear)
