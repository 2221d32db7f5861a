"""Minimising a random loss by Adam."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import is_parameter, on_device
from ._change import Changes
from ._rule import Train
from ._trainable import trainable as choose

Model = TypeVar("Model")
Loss = Callable[[Any, Any, PRNGKeyArray], Float[Array, ""]]

_ADAM = optax.scale_by_adam()
_CHANGES = 2**31 + 1  # folded into the key: where changes of low rank start, apart from the steps
_WARM_UP = 0.05  # part of the steps over which the rate rises from 0


@dataclass(frozen=True)
class DescentProgress:
    """One report of a running `descend`.

    Args:
        step: Steps done.
        steps: Steps in all.
        loss: The mean loss since the last report.
        seconds: Wall time since the start.
    """

    step: int
    steps: int
    loss: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Descent:
    """What `descend` found.

    Args:
        model: The trained model.
        status: "done"; "interrupted" when it was asked to stop; "diverged" when a loss was not finite: the model is
            then that of the last report before.
        history: The reports.
    """

    model: Any
    status: str
    history: tuple[DescentProgress, ...]


def descend(
    loss: Loss,
    model: Any,
    data: Any,
    *,
    steps: int,
    rate: float,
    key: PRNGKeyArray,
    trainable: Sequence[Train] | None = None,
    chunk: int = 100,
    callback: Callable[[DescentProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Descent:
    """Minimises E[loss(model, data, key)] over the jax arrays of a model by Adam.

    The rate rises over the first 5 % of the steps and then falls to 0 along a cosine. numpy arrays, integers and
    static fields of the model stay as they are. The steps between two reports run as one program on the device; calls
    with the same `loss` function and arrays of the same shapes share one compilation, whatever `steps` and `rate`.

    Args:
        loss: A function of the model, the data and a random key that draws the batch.
        model: A pytree with the parameters.
        data: A pytree of arrays that are not trained.
        steps: How many steps.
        rate: The largest learning rate.
        key: Random key; step i gets `jax.random.fold_in(key, i)`.
        trainable: Rules that say which arrays are trained, and how, see `Train`; the others stay as they are, bit for
            bit. None: all jax arrays.
        chunk: Steps between two reports.
        callback: Receives a `DescentProgress` after each chunk.
        should_stop: Asked after each chunk; True ends the descent.

    Returns:
        The model with its status and history.

    Raises:
        ValueError: `steps` or `chunk` is below 1.
        InputError: A rule cannot be applied.

    References:
        D. P. Kingma, J. Ba, ICLR 2015, algorithm 1; I. Loshchilov, F. Hutter, ICLR 2017, eq. 5 (cosine).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> def loss(x, target, key):
        ...     return jnp.sum((x - target) ** 2)
        >>> found = descend(loss, jnp.zeros(2), jnp.ones(2), steps=300, rate=0.1, key=jax.random.key(0))
        >>> bool(jnp.allclose(found.model, 1.0, atol=1e-3)), found.status
        (True, 'done')
    """
    if steps < 1 or chunk < 1:
        raise ValueError(f"steps and chunk must be at least 1, received {steps} and {chunk}")
    start = time.perf_counter()
    parameters, maker, rates = _begin(model, trainable, key)
    state = _ADAM.init(parameters)
    history: list[DescentProgress] = []
    status, done = "done", 0
    while done < steps:
        until = min(done + chunk, steps)
        moved, state, total = _run(
            loss, parameters, maker, rates, state, data, key, (done, until, steps), rate
        )
        mean = float(total) / (until - done)
        if not np.isfinite(mean):
            status = "diverged"
            break
        parameters, done = moved, until
        history.append(DescentProgress(done, steps, mean, time.perf_counter() - start))
        if callback is not None:
            callback(history[-1])
        if done < steps and should_stop is not None and should_stop():
            status = "interrupted"
            break
    return Descent(maker.at_the_end(parameters), status, tuple(history))


class _Maker(eqx.Module):
    """Makes the model of what is trained.

    Args:
        rest: The model without it.
        changes: How it is put in; None where it is the arrays themselves.
    """

    rest: Any
    changes: Changes | None = None

    def __call__(self, parameters: Any) -> Any:
        return (
            eqx.combine(parameters, self.rest)
            if self.changes is None
            else self.changes(self.rest, parameters)
        )

    def at_the_end(self, parameters: Any) -> Any:
        """The same on the host."""
        return self(parameters) if self.changes is None else self.changes.merged(self.rest, parameters)


def _begin(model: Any, rules: Sequence[Train] | None, key: PRNGKeyArray) -> tuple[Any, _Maker, Any]:
    """What is trained, what makes the model of it, and by what the rate is multiplied; None for 1."""
    if rules is None:
        parameters, rest = eqx.partition(model, is_parameter)
        return parameters, _Maker(rest), None
    chosen = choose(model, rules)
    numbers = chosen.start(model, key=jax.random.fold_in(key, _CHANGES))
    rates = on_device(chosen.each_rate(jax.device_get(numbers)))
    return numbers, _Maker(chosen.changes.without(model), chosen.changes), rates


def _run(
    loss: Loss,
    parameters: Any,
    maker: _Maker,
    rates: Any,
    state: Any,
    data: Any,
    key: PRNGKeyArray,
    counts: tuple[int, int, int],
    rate: float,
) -> tuple[Any, Any, Array]:
    """Some steps as one program."""
    limits = [jnp.asarray(count, jnp.int32) for count in counts]
    with jax.numpy_dtype_promotion("standard"):  # optax multiplies floats by its integer count of steps
        return _compiled(loss, parameters, maker, rates, state, data, key, limits, jnp.asarray(rate))


@eqx.filter_jit
def _compiled(loss, parameters, maker, rates, state, data, key, limits, rate):
    start, until, steps = limits

    def value(parameters: Any, step_key: PRNGKeyArray) -> Array:
        return loss(maker(parameters), data, step_key)

    def step(i: Array, carry: tuple) -> tuple:
        parameters, state, total = carry
        found, gradient = jax.value_and_grad(value)(parameters, jax.random.fold_in(key, i))
        updates, state = _ADAM.update(gradient, state)
        updates = updates if rates is None else jax.tree.map(jnp.multiply, updates, rates)
        size = rate * _schedule(i, steps, rate.dtype)
        moved = jax.tree.map(lambda p, u: p - (size * u).astype(p.dtype), parameters, updates)
        return moved, state, total + found.astype(total.dtype)

    return jax.lax.fori_loop(start, until, step, (parameters, state, jnp.zeros_like(rate)))


def _schedule(i: Array, steps: Array, dtype: Any) -> Array:
    """The rate of a step, in parts of the largest."""
    share = (i.astype(dtype) + 0.5) / steps.astype(dtype)
    fall = 0.5 * (1.0 + jnp.cos(jnp.pi * jnp.maximum(share - _WARM_UP, 0.0) / (1.0 - _WARM_UP)))
    return jnp.minimum(share / _WARM_UP, 1.0) * fall
