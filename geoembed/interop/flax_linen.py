"""Encoders as flax.linen modules, and linen modules as encoders."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import flax.linen as nn
import jax

from ..core import InputError, Property
from ._parameters import (
    ByContent,
    Name,
    as_jax,
    check_encoder,
    copied,
    dotted,
    put_together,
    put_together_strictly,
    take_apart,
)

_WRAP = "flax_linen.wrap"
_BACK = "flax_linen.from_linen"

Axes = tuple[str | None, ...]


class Encoder(nn.Module):
    """What `wrap` returns: a linen module that computes what its encoder computes.

    Two of them are equal when their encoders are, arrays included, so that equal ones share a compiled program.

    Args:
        encoder: The encoder, as a constant that flax can compare.
        axes: The names of the axes of parameters, for sharding.
    """

    encoder: ByContent
    axes: tuple[tuple[str, Axes], ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns what the encoder returns, with the parameters of this module."""
        return self.current()(*args, **kwargs)

    @nn.compact
    def current(self) -> Any:
        """Returns the encoder with the parameters of this module, for its other methods."""
        frame, initial = take_apart(self.encoder.tree, _WRAP)
        return put_together(frame, {name: self._parameter(name, value) for name, value in initial.items()})

    def _parameter(self, name: Name, value: jax.Array) -> jax.Array:
        def initial(_: Any) -> jax.Array:
            return copied(value)

        axes = dict(self.axes).get(dotted(name))
        # Module.param would refuse a field that has the name of a method of linen's; its scope does not.
        scope: Any = self.scope
        for part in name[:-1]:
            if not isinstance(found := scope.get_variable("params", part, {}), Mapping):
                reason = f"expected the parameters below it, received a {type(found).__name__}"
                hint = "Pass what init of this module made"
                raise InputError("flax_linen.Encoder", ".".join((*scope.path, part)), reason, hint)
            scope = scope.push(part, reuse=True)
        return scope.param(name[-1], nn.with_partitioning(initial, axes) if axes else initial)


def wrap(
    encoder: Callable[..., Any], *, axes: Mapping[str, Axes] | None = None, name: str | None = None
) -> Encoder:
    """An encoder as a flax.linen module.

    Values and gradients are those of the encoder. Its parameters, the jax arrays of floating or complex
    numbers in it, become the collection "params" under the names of its fields:
    `{"params": {"layers": {"0": {"weight": …}}}}`. numpy arrays and integers are fixed tables of the program; to
    train one, put a jax array in its place first (`equinox.tree_at`). A function, or an encoder without
    parameters, has no variables.

    `init` gives the encoder's own numbers and does not use its key: for another start make another encoder.

    Args:
        encoder: An `eqx.Module` or a function.
        axes: Names of the axes of parameters: `{"layers.0.weight": ("out", None)}`. These parameters come out of
            `init` as `flax.linen.Partitioned`.
        name: The name of the module inside a larger one; "Encoder_0", … without.

    Returns:
        The module. Inside a larger module its method `current()` returns the encoder with the parameters of the
        moment, for methods other than the call.

    Raises:
        InputError: What came cannot be called, is a class or a flax module, or `axes` does not fit a parameter.

    Example:
        >>> import equinox as eqx, jax, jax.numpy as jnp
        >>> encoder = eqx.nn.Linear(2, 3, key=jax.random.key(0))
        >>> module, x = wrap(encoder), jnp.ones(2)
        >>> variables = module.init(jax.random.key(1), x)
        >>> jax.tree.map(jnp.shape, variables)
        {'params': {'bias': (3,), 'weight': (3, 2)}}
        >>> bool(jnp.array_equal(module.apply(variables, x), encoder(x)))
        True
    """
    if isinstance(encoder, nn.Module):
        raise InputError(_WRAP, type(encoder).__name__, "this is a linen module already", "Use it as it is")
    check_encoder(encoder, _WRAP)
    named = {dotted(parameter): value for parameter, value in take_apart(encoder, _WRAP)[1].items()}
    for parameter, names in (axes or {}).items():
        _check_axes(parameter, names, named)
    return Encoder(ByContent(encoder), tuple((k, tuple(v)) for k, v in (axes or {}).items()), name=name)


def _check_axes(parameter: str, names: Axes, named: dict[str, jax.Array]) -> None:
    where = f"axes[{parameter!r}]"
    if parameter not in named:
        hint = f"The parameters are {', '.join(named)}" if named else "It has none"
        raise InputError(_WRAP, where, "the encoder has no such parameter", hint)
    if len(names) != named[parameter].ndim:
        reason = f"{len(names)} names for the shape {named[parameter].shape}"
        raise InputError(_WRAP, where, reason, "Give one name or None for each axis")


class FromLinen(eqx.Module):
    """What `from_linen` returns for a module that does not come from `wrap`.

    Args:
        variables: The variables of the module; their arrays are the leaves.
        module: The module.
        properties: What it promises; see `geoembed.check`.
    """

    variables: Any
    module: nn.Module = eqx.field(static=True)
    properties: tuple[Property, ...] = eqx.field(static=True, default=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns what the module returns."""
        return self.module.apply(self.variables, *args, **kwargs)

    def __hash__(self) -> int:
        return hash((type(self.module), self.properties))  # lets `jax.jit(encoder)` find its cache


def from_linen(
    module: nn.Module, variables: Mapping[str, Any], *, properties: tuple[Property, ...] = ()
) -> Any:
    """A linen module with its variables as an encoder.

    A module from `wrap` gives back its encoder with the parameters in `variables`, which `geoembed.save` can
    write. Any other module becomes an `eqx.Module` that calls `module.apply(variables, …)`: a pure function
    that `geoembed.check` measures. It has no random numbers and changes no variables, so dropout and batch
    statistics must be switched to inference in the module or in the arguments of the call.

    Args:
        module: The module, not bound to variables.
        variables: What `init` returned, or training made of it. Of a wrapped encoder inside a larger module:
            `{"params": variables["params"]["Encoder_0"]}`. numpy arrays, as `flax.serialization` restores
            them, become jax arrays of the same dtype.
        properties: What the module promises. An encoder from `wrap` brings its own.

    Returns:
        The encoder.

    Raises:
        InputError: For a wrapped encoder: a parameter is missing, unknown, or has another shape or dtype.

    Example:
        >>> import flax.linen as nn, jax, jax.numpy as jnp
        >>> module, x = nn.Dense(3), jnp.ones(2)
        >>> encoder = from_linen(module, module.init(jax.random.key(0), x))
        >>> encoder(x).shape
        (3,)
    """
    if not isinstance(module, nn.Module):
        raise InputError(_BACK, type(module).__name__, "this is no linen module", "Pass an nn.Module")
    if module.scope is not None:
        hint = "Pass the two parts of module.unbind()"
        raise InputError(_BACK, type(module).__name__, "the module is bound to variables", hint)
    if not isinstance(variables, Mapping):
        hint = "Pass what init of the module returned"
        raise InputError(_BACK, "variables", f"expected a dictionary, received {type(variables)}", hint)
    if type(module) is not Encoder:  # a transform of Encoder, such as nn.vmap, is another module
        return FromLinen(jax.tree.map(as_jax, variables), module, tuple(properties))
    if properties:
        hint = "Leave `properties` out"
        raise InputError(_BACK, "properties", "a wrapped encoder has properties of its own", hint)
    for collection in variables:
        if collection != "params":
            hint = 'Pass {"params": …} as init returns it'
            raise InputError(_BACK, str(collection), "an encoder has no such collection", hint)
    frame, _ = take_apart(module.encoder.tree, _BACK)
    return put_together_strictly(frame, nn.meta.unbox(variables.get("params", {})), _BACK, "params")
