"""The function that is baked, evaluated on many points in float64, chunk by chunk, with a count."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from .._many import in_chunks

CHUNK = 16_384  # points evaluated at once: constant memory
_FEW = 1_024  # two shapes for all calls: two compilations


class BakeProgress(NamedTuple):
    """How far a bake is.

    Args:
        stage: "base grid", "probing", "refining" or "measuring".
        spacing: The finest spacing so far, in the unit of length.
        done: Evaluations of the function in this stage.
        total: Evaluations that this stage needs.
    """

    stage: str
    spacing: float
    done: int
    total: int


class Derivatives(NamedTuple):
    """Value, gradient and matrix of second derivatives at many points."""

    value: Float[np.ndarray, " n"]
    gradient: Float[np.ndarray, "n 3"]
    hessian: Float[np.ndarray, "n 3 3"]

    @property
    def laplacian(self) -> Float[np.ndarray, " n"]:
        """The trace of the second derivatives."""
        return np.trace(self.hessian, axis1=1, axis2=2)


class Exact:
    """A function of space with its evaluations counted and reported.

    Computes in float64 whatever the caller's setting is, and leaves that setting alone.

    Args:
        function: Maps one point to one scalar.
        callback: Receives a `BakeProgress` after every chunk.
    """

    def __init__(
        self,
        function: Callable[[Array], Array],
        callback: Callable[[BakeProgress], None] | None = None,
    ):
        self.function, self.callback = function, callback
        self.evaluations = 0

    def values(
        self, points: Float[np.ndarray, "n 3"], stage: str = "", spacing: float = 0.0
    ) -> Float[np.ndarray, " n"]:
        """Returns the values at many points."""
        (value,) = self._chunks(_value, points, stage, spacing)
        return value

    def derivatives(
        self, points: Float[np.ndarray, "n 3"], stage: str = "", spacing: float = 0.0
    ) -> Derivatives:
        """Returns values, gradients and second derivatives at many points, by automatic differentiation."""
        return Derivatives(*self._chunks(_derivatives, points, stage, spacing))

    def _chunks(
        self, evaluate: Callable, points: Float[np.ndarray, "n 3"], stage: str, spacing: float
    ) -> list[np.ndarray]:
        def tell(done: int, total: int) -> None:
            if self.callback is not None and stage:
                self.callback(BakeProgress(stage, spacing, done, total))

        size = _FEW if len(points) <= _FEW else CHUNK
        found = in_chunks(partial(evaluate, self.function), np.asarray(points, np.float64), size, tell)
        self.evaluations += len(points)
        return [np.asarray(part, np.float64) for part in found]


@eqx.filter_jit
def _value(function: Callable[[Array], Array], points: Array) -> tuple[Array]:
    return (jax.vmap(lambda x: function(x))(points),)


@eqx.filter_jit
def _derivatives(function: Callable[[Array], Array], points: Array) -> tuple[Array, Array, Array]:
    def one(x: Array) -> tuple[Array, Array, Array]:
        value, gradient = jax.value_and_grad(lambda y: function(y))(x)
        return value, gradient, jax.jacfwd(jax.grad(lambda y: function(y)))(x)

    return jax.vmap(one)(points)
