"""The parameters of an encoder by name: taken out, put back, compared with what is expected."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..core import InputError, is_parameter

Name = tuple[str, ...]  # ("layers", "0", "weight")

_NAMES_TOLD = 8  # an error message lists at most so many names


@dataclass(frozen=True)
class Slot:
    """The place of a parameter that was taken out of an encoder."""

    name: Name
    shape: tuple[int, ...]
    dtype: np.dtype


class ByContent:
    """Any tree as a hashable constant: equal when structure, arrays and all other values are equal.

    flax compares the attributes of its modules to find compiled programs, and arrays do not compare to one
    truth value. Arrays are compared through a digest of their bytes. A traced array, or one that this process
    sees only a part of, has no bytes to compare: it equals itself only.
    """

    def __init__(self, tree: Any):
        self.tree = tree
        self._key: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByContent) and self._content() == other._content()

    def __hash__(self) -> int:
        try:
            return hash(self._content())
        except TypeError:  # a static field without a hash, such as a dictionary, can still be compared
            return hash(len(self._content()[1]))

    def __repr__(self) -> str:
        return getattr(self.tree, "__qualname__", type(self.tree).__name__)

    def _content(self) -> Any:
        if self._key is None:
            leaves, structure = jax.tree.flatten(self.tree)
            self._key = structure, tuple(map(_token, leaves))
        return self._key


def _token(leaf: Any) -> Any:
    if not isinstance(leaf, jax.Array | np.ndarray):
        return type(leaf), leaf
    if not _readable(leaf):
        return "identity", id(leaf)
    data = np.ascontiguousarray(leaf).reshape(-1).view(np.uint8)
    side = "jax" if isinstance(leaf, jax.Array) else "numpy"
    return side, str(leaf.dtype), leaf.shape, hashlib.sha256(data.data).digest()


def _readable(array: jax.Array | np.ndarray) -> bool:
    if isinstance(array, np.ndarray):
        return True
    if isinstance(array, Tracer) or jnp.issubdtype(array.dtype, jax.dtypes.extended):  # random keys
        return False
    return array.is_fully_addressable


def check_encoder(encoder: Any, taker: str) -> None:
    """Refuse what cannot be an encoder."""
    if isinstance(encoder, type):
        raise InputError(taker, encoder.__name__, "this is a class", "Make an encoder of it first")
    if not callable(encoder):
        kind = type(encoder).__name__
        raise InputError(taker, kind, "this cannot be called", "Pass an equinox module or a function")


def take_apart(encoder: Any, taker: str) -> tuple[Any, dict[Name, jax.Array]]:
    """The encoder with a `Slot` in the place of each parameter, and the parameters by name.

    Parameters are the jax arrays of floating or complex numbers. numpy arrays, integers and everything else
    are fixed tables and stay.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(encoder)
    parameters: dict[Name, jax.Array] = {}
    kept = []
    for path, leaf in leaves:
        if is_parameter(leaf):
            name = tuple(jax.tree_util.keystr((key,), simple=True) for key in path)
            if name in parameters:
                hint = "Use strings as keys"
                raise InputError(taker, dotted(name), "two parameters have this name", hint)
            parameters[name] = leaf
            leaf = Slot(name, leaf.shape, leaf.dtype)
        kept.append(leaf)
    return jax.tree.unflatten(structure, kept), parameters


def put_together(frame: Any, parameters: Mapping[Name, Any]) -> Any:
    """The encoder of a frame with these parameters."""
    return jax.tree.map(lambda leaf: parameters[leaf.name] if isinstance(leaf, Slot) else leaf, frame)


def put_together_strictly(frame: Any, given: Any, taker: str, top: str) -> Any:
    """The same, when the nested dictionary `given` has exactly the names, shapes and dtypes of the frame.

    Args:
        frame: From `take_apart`.
        given: The parameters; numpy arrays become jax arrays of the same dtype.
        taker: The function that the message is from.
        top: What stands before each name in a message.

    Raises:
        InputError: A parameter is missing, unknown, or of another shape or dtype.
    """
    slots = {leaf.name: leaf for leaf in jax.tree.leaves(frame) if isinstance(leaf, Slot)}
    values = dict(_flat(given))
    for name, slot in slots.items():
        if name not in values:
            hint = "Pass what init of this module made, or its part of a larger module's parameters"
            raise InputError(taker, f"{top}.{dotted(name)}", f"missing, expected {_kind(slot)}", hint)
    for name in values:
        if name not in slots:
            known = [dotted(slot) for slot in slots]
            told = ", ".join(known[:_NAMES_TOLD]) + ", …" * (len(known) > _NAMES_TOLD)
            hint = f"Remove it, the parameters are {told}" if known else "Remove it, there are no parameters"
            raise InputError(taker, f"{top}.{dotted(name)}", "the encoder has no such parameter", hint)
    return put_together(
        frame, {n: _fitting(slot, values[n], taker, f"{top}.{dotted(n)}") for n, slot in slots.items()}
    )


def as_jax(value: Any) -> Any:
    """A numpy array as a jax array of the same dtype, whatever jax's mode; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    with jax.enable_x64(True):  # only so that float64 is kept
        return jnp.asarray(value)


def copied(array: jax.Array) -> jax.Array:
    """An equal array in memory of its own: a training step may donate it, and the encoder keeps the original."""
    with jax.enable_x64(True):  # only so that float64 is kept
        return jnp.copy(array)


def dotted(name: Name) -> str:
    """A name as text."""
    return ".".join(name)


def _fitting(slot: Slot, value: Any, taker: str, where: str) -> jax.Array:
    if not isinstance(value, jax.Array | np.ndarray):
        reason = f"expected {_kind(slot)}, received a {type(value).__name__}"
        raise InputError(taker, where, reason, "Pass arrays")
    reason = f"expected {_kind(slot)}, received {_kind(value)}"
    if value.shape != slot.shape:
        hint = "Give it the expected shape, or wrap an encoder of that size; jax.vmap for a stack of encoders"
        raise InputError(taker, where, reason, hint)
    if value.dtype != slot.dtype:
        raise InputError(taker, where, reason, f"Cast it with .astype({slot.dtype.name!r})")
    return as_jax(value)


def _flat(tree: Any, name: Name = ()) -> Iterator[tuple[Name, Any]]:
    if not isinstance(tree, Mapping):
        yield name, tree
        return
    for key, value in tree.items():
        yield from _flat(value, (*name, str(key)))


def _kind(array: Any) -> str:
    return f"{array.dtype}[{', '.join(map(str, array.shape))}]"
