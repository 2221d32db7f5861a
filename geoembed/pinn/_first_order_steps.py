"""Many steps of a first-order optimiser as one program."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float
from optax import tree_utils

from ..core import is_parameter
from ._first_order_loss import Blocks, Terms, balanced, causal_weights
from ._first_order_options import FirstOrder

_MOST = 65_536  # points inside that are drawn for one report
_BALANCED_ON = 256  # points of each block

Weights = Float[np.ndarray, " terms"]


class FirstOrderSteps:
    """The compiled programs of one window.

    Args:
        functions: For each block of points, the function of a network and an item with its rows.
        network: The network.
        training: The options.
        time: The first and the last moment; None for a steady problem.
    """

    def __init__(
        self,
        functions: Sequence[Callable],
        network: Any,
        training: FirstOrder,
        time: tuple[float, float] | None,
    ):
        self.training, self.optimiser = training, training.transformation
        self.terms = Terms(functions, time if training.causal else None, training.slices)
        self.parameters, self._rest = eqx.partition(network, is_parameter)
        self._run = jax.jit(self._steps)
        self._held = jax.jit(self._causal)
        sizes = self.terms.gradient_sizes if training.balance == "gradient" else self.terms.kernel_sizes
        self._sizes = jax.jit(lambda parameters, blocks: sizes(self.network, parameters, blocks))

    def network(self, parameters: Any) -> Any:
        """The network with these trained numbers."""
        return eqx.combine(parameters, self._rest)

    @property
    def batches(self) -> int:
        """How many batches are drawn for a report."""
        if not self.training.draws:
            return 1
        return max(min(self.training.report, _MOST // self.training.points), 1)

    def start(self, parameters: Any) -> tuple[Any, Any]:
        """Trained numbers with a fresh state of the optimiser."""
        with _promoting():
            return parameters, self.optimiser.init(parameters)

    def balance(self, parameters: Any, blocks: Blocks) -> Weights:
        """λ of every term from the gradients on some of the points."""
        few = jax.tree.map(lambda leaf: jnp.asarray(leaf[0, :_BALANCED_ON]), blocks)
        return balanced(np.asarray(self._sizes(parameters, few), np.float64))

    def run(
        self,
        state: tuple[Any, Any],
        blocks: Blocks,
        weights: Weights,
        strictness: float,
        steps: tuple[int, int],
    ) -> tuple[tuple[Any, Any], float]:
        """Some steps.

        Args:
            state: Trained numbers and the state of the optimiser.
            blocks: The batches: every array has an axis for them in front.
            weights: λ.
            strictness: ε in parts of the loss of the first field.
            steps: The numbers of the first step and of that after the last.

        Returns:
            The new state and the mean loss.
        """
        blocks = jax.tree.map(jnp.asarray, blocks)
        weighted, strict = jnp.asarray(weights), jnp.asarray(strictness, weights.dtype)
        limits = [jnp.asarray(step, jnp.int32) for step in steps]
        with _promoting():
            held = None
            if self.terms.time is not None and not self.training.draws:
                held = self._held(state[0], jax.tree.map(lambda leaf: leaf[0], blocks), weighted, strict)
            state, total = self._run(state, blocks, weighted, strict, held, limits)
        return state, float(total) / (steps[1] - steps[0])

    def _causal(self, parameters: Any, blocks: Blocks, weights: Array, strictness: Array) -> Array:
        squares = self.terms.squares(self.network(parameters), blocks)[0]
        return causal_weights(self.terms.losses(squares, blocks[0], weights), strictness)

    def _steps(
        self, state: Any, blocks: Blocks, weights: Array, strictness: Array, held: Any, limits: list[Array]
    ) -> tuple[Any, Array]:
        searches, batches = self.training.searches, self.batches
        parameters, own = state
        if searches:  # the loss may have changed since the line search left its value
            own = tree_utils.tree_set(own, value=jnp.full_like(tree_utils.tree_get(own, "value"), jnp.inf))

        def step(i: Array, carry: tuple) -> tuple:
            parameters, own, total = carry
            batch = jax.tree.map(lambda leaf: leaf[i % batches], blocks)

            def loss(parameters: Any) -> Array:
                return self.terms.loss(self.network(parameters), batch, weights, strictness, held)

            if searches:
                value, slope = optax.value_and_grad_from_state(loss)(parameters, state=own)
            else:
                value, slope = jax.value_and_grad(loss)(parameters)
            updates, own = self.optimiser.update(
                slope, own, parameters, value=value, grad=slope, value_fn=loss
            )
            return optax.apply_updates(parameters, updates), own, total + value

        start = (parameters, own, jnp.zeros((), weights.dtype))
        parameters, own, total = jax.lax.fori_loop(limits[0], limits[1], step, start)
        return (parameters, own), total


@contextmanager
def _promoting() -> Iterator[None]:
    """optax may multiply floats by its whole numbers, and arrays of different ranks."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield
