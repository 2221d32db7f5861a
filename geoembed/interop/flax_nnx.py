"""Encoders as flax.nnx modules, and nnx modules as encoders."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from flax import nnx

from ..core import InputError, Property
from ._parameters import (
    ByContent,
    Name,
    Slot,
    check_encoder,
    copied,
    dotted,
    put_together,
    put_together_strictly,
    take_apart,
)

_WRAP = "flax_nnx.wrap"
_BACK = "flax_nnx.from_nnx"
_FRAME = "_geoembed_frame"  # no field of an encoder is likely to have this name


class Fields(nnx.Module):
    """The parameters below one field of an encoder, by attribute or, for the items of a tuple, by index."""

    def __getitem__(self, key: int | str) -> Any:
        return getattr(self, str(key))


class Encoder(Fields):
    """What `wrap` returns: an nnx module that computes what its encoder computes."""

    def __init__(self, frame: Any, parameters: dict[Name, jax.Array]):
        setattr(self, _FRAME, ByContent(frame))
        for name, value in parameters.items():
            node: Any = self
            for part in name[:-1]:
                if not isinstance(vars(node).get(part), Fields):
                    setattr(node, part, Fields())
                node = getattr(node, part)
            setattr(node, name[-1], nnx.Param(copied(value)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns what the encoder returns, with the parameters of this module."""
        frame = getattr(self, _FRAME).tree
        slots = [leaf for leaf in jax.tree.leaves(frame) if isinstance(leaf, Slot)]
        return put_together(frame, {slot.name: _value(self, slot) for slot in slots})(*args, **kwargs)


def _value(node: Any, slot: Slot) -> jax.Array:
    """The value of one parameter below a node; its dtype is free, for mixed precision."""
    for part in slot.name:
        node = getattr(node, part)
    value = node.get_value() if isinstance(node, nnx.Variable) else node
    if value.shape != slot.shape:
        reason = f"the shape is {value.shape}, expected {slot.shape}"
        hint = "Give it that shape, or wrap an encoder of that size; nnx.vmap for a stack of encoders"
        raise InputError("flax_nnx.Encoder", dotted(slot.name), reason, hint)
    return value


def wrap(encoder: Callable[..., Any]) -> Encoder:
    """An encoder as a flax.nnx module.

    Values and gradients are those of the encoder. Its parameters, the jax arrays of floating or complex
    numbers in it, become `nnx.Param` under the names of its fields: `module.layers[0].weight`. numpy arrays and
    integers are fixed tables of the program; to train one, put a jax array in its place first
    (`equinox.tree_at`).

    Args:
        encoder: An `eqx.Module` or a function.

    Returns:
        The module. For methods of the encoder other than the call: `from_nnx(module).method(…)`, also in a
        program that is differentiated.

    Raises:
        InputError: What came cannot be called, is a class or a flax module.

    Example:
        >>> import equinox as eqx, jax, jax.numpy as jnp
        >>> from flax import nnx
        >>> encoder = eqx.nn.Linear(2, 3, key=jax.random.key(0))
        >>> module, x = wrap(encoder), jnp.ones(2)
        >>> module.weight.shape
        (3, 2)
        >>> bool(jnp.array_equal(module(x), encoder(x)))
        True
        >>> gradient = nnx.grad(lambda module: module(x).sum())(module)
        >>> gradient.bias.get_value().tolist()
        [1.0, 1.0, 1.0]
    """
    if isinstance(encoder, nnx.Module):
        raise InputError(_WRAP, type(encoder).__name__, "this is an nnx module already", "Use it as it is")
    check_encoder(encoder, _WRAP)
    return Encoder(*take_apart(encoder, _WRAP))


class FromNNX(eqx.Module):
    """What `from_nnx` returns for a module that does not come from `wrap`.

    Args:
        state: The variables of the module as a dictionary of arrays, the leaves.
        graphdef: The rest of the module.
        properties: What it promises; see `geoembed.check`.
    """

    state: Any
    graphdef: Any = eqx.field(static=True)
    properties: tuple[Property, ...] = eqx.field(static=True, default=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns what the module returns; changes that the call makes to the module's variables are dropped."""
        return nnx.merge(self.graphdef, self.state)(*args, **kwargs)

    def __hash__(self) -> int:
        return hash(
            (len(jax.tree.leaves(self.state)), self.properties)
        )  # lets `jax.jit(encoder)` find its cache


def from_nnx(module: nnx.Module, *, properties: tuple[Property, ...] = ()) -> Any:
    """An nnx module as an encoder.

    A module from `wrap` gives back its encoder with the module's present parameters, which `geoembed.save` can
    write. Any other module becomes an `eqx.Module` around a copy of the module: a pure function that
    `geoembed.check` measures. What a call changes in the copy (batch statistics, counters of random numbers)
    is dropped; switch dropout off with `module.eval()` first.

    Args:
        module: The module.
        properties: What the module promises. An encoder from `wrap` brings its own.

    Returns:
        The encoder.

    Raises:
        InputError: For a wrapped encoder: a parameter is missing, unknown, or has another shape or dtype.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> encoder = from_nnx(nnx.Linear(2, 3, rngs=nnx.Rngs(0)))
        >>> encoder(jnp.ones(2)).shape
        (3,)
    """
    if not isinstance(module, nnx.Module):
        raise InputError(_BACK, type(module).__name__, "this is no nnx module", "Pass an nnx.Module")
    graphdef, state = nnx.split(module)
    pure = nnx.to_pure_dict(state)
    if not isinstance(module, Encoder):
        if not callable(module):
            hint = "Give the module a method __call__"
            raise InputError(_BACK, type(module).__name__, "this cannot be called", hint)
        return FromNNX(pure, graphdef, tuple(properties))
    if properties:
        hint = "Leave `properties` out"
        raise InputError(_BACK, "properties", "a wrapped encoder has properties of its own", hint)
    return put_together_strictly(getattr(module, _FRAME).tree, pure, _BACK, "module")
