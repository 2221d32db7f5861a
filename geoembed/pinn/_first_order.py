"""Solving any equation by the gradient of its squared residual: Adam, SOAP, L-BFGS."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Float, PRNGKeyArray

from ..core import InputError, is_parameter
from ..train import Rows
from ..train._residuals import Residuals
from ._collocation import Collocation, Points
from ._field_checkpoint import FieldCheckpoint
from ._field_problem import FieldProblem
from ._first_order_loss import Blocks
from ._first_order_options import FirstOrder
from ._first_order_position import FirstOrderPosition, position
from ._first_order_steps import FirstOrderSteps
from ._first_order_windows import frozen, joined, window
from ._halving import estimated
from ._integral_rows import MeasuredIntegral, integral_rows
from ._region_field import RegionField
from ._result import Result, field_result
from ._rows import form_of, inside_rows, side_rows
from ._training import AnyField, FieldProgress
from ._trial import NetworkField

_HELD_OUT = 8192
_CHUNK = 2048
_SIDES = 4  # a soft condition has this part as many points as the inside
_KEPT = 0.9  # part of the old λ in a new one
_OPEN = 0.99  # smallest causal weight at which ε grows
_STRICTER = 10.0
_PATIENCE = 10  # looks at a line search without a better held-out residual; others get half of their steps
_SAVE_EVERY = 60.0


class FirstOrderRun:
    """The moving parts of one solution by gradients."""

    def __init__(
        self,
        problem: FieldProblem,
        network: Any,
        training: FirstOrder,
        tolerance: float,
        time_limit: float,
        callback: Callable[[FieldProgress], None] | None,
        should_stop: Callable[[], bool] | None,
        checkpoint: str | Path | None,
        key: PRNGKeyArray,
    ):
        _check_time(problem, training)
        self.whole, self.training, self.tolerance, self.key = problem, training, tolerance, key
        self.time_limit, self.callback, self.should_stop = time_limit, callback, should_stop
        self.network = network
        self.store = FieldCheckpoint(checkpoint, problem, (training.identity, tolerance), key)
        self.began = self.saved = time.monotonic()
        self.fields: list[NetworkField | RegionField] = []
        self._enter()
        self.at = self._first(self.steps.parameters)

    def _enter(self) -> None:
        """Compiles for the window after those that are solved."""
        before = self.fields[-1] if self.fields else None
        problem = self.problem = window(self.whole, len(self.fields), self.training.windows, before)
        self.draw = Collocation(problem, key=jax.random.fold_in(self.key, len(self.fields)))
        self.form = form_of(problem, problem.shapings, problem.coordinates)
        functions = [inside_rows(problem, self.form)]
        functions += [side_rows(problem, self.form, condition) for condition in problem.soft]
        measured = [MeasuredIntegral(problem, c).for_layers() for c in problem.integrals]
        functions += [integral_rows(self.form, own) for own in measured]
        self.integrals: Blocks = [own.items for own in measured]
        self.residuals = Residuals(functions, self.network, _CHUNK)
        self.steps = FirstOrderSteps(functions, self.network, self.training, problem.time)
        held = [*self._points(_HELD_OUT, 1), *self.integrals]
        self.held = [Rows(items, np.ones(len(_first_leaf(items)))) for items in held]
        self.values = jax.jit(lambda theta, points: jax.vmap(self._field(theta))(points))

    def _first(self, parameters: Any) -> FirstOrderPosition:
        """The start of a window from a network's numbers."""
        state = self.steps.start(parameters)
        vector = np.asarray(ravel_pytree(parameters)[0])
        weights = np.ones(len(self._means(vector)))
        strictness = self.training.causal or 0.0
        at = FirstOrderPosition(state, weights, weights, strictness, None, vector)
        weights = self._balanced(at, self._batches(at), 0.0)
        return replace(at, weights=weights, judged=weights, scale=float(weights @ self._means(vector)))

    def _field(self, vector: Any) -> NetworkField | RegionField:
        return self.form(self.residuals.combined(vector))

    def _points(self, count: int, number: int) -> Blocks:
        """Points inside, and on every soft condition with their normals."""
        sides = [self.draw.on(c, count // _SIDES, 1000 * number + i) for i, c in enumerate(self.problem.soft)]
        return [self.draw.inside(count, number), *((side.points, side.normals) for side in sides)]

    def _batches(self, at: FirstOrderPosition) -> Blocks:
        """The points of the steps until the next report, with an axis for the batches in front."""
        count = self.steps.batches
        number = 10 + at.iteration if self.training.draws else 3
        drawn = self._points(count * self.training.points, number)

        def cut(points: Points) -> np.ndarray:
            size = len(points) // count
            return points[: count * size].reshape(count, size, -1)

        def repeated(part: np.ndarray) -> np.ndarray:
            return np.broadcast_to(part, (count, *part.shape))

        return [*jax.tree.map(cut, drawn), *jax.tree.map(repeated, self.integrals)]

    def _balanced(self, at: FirstOrderPosition, blocks: Blocks, kept: float) -> Float[np.ndarray, " terms"]:
        """λ of the terms, moved from the old ones."""
        if self.training.balance is None or len(at.weights) == 1:
            return at.weights
        return kept * at.weights + (1 - kept) * self.steps.balance(at.state[0], blocks)

    def _means(self, vector: Any) -> Float[np.ndarray, " terms"]:
        """The mean squares of all terms at the held-out points."""
        return np.concatenate([np.mean(rows**2, axis=0) for rows in self._held_rows(vector)])

    def _held_rows(self, vector: Any) -> list[Float[np.ndarray, "n k"]]:
        theta = jnp.asarray(vector)
        return [self.residuals.rows(theta, rows, block) for block, rows in enumerate(self.held)]

    def run(self) -> Result:
        """Trains until something ends it."""
        status = None
        while status is None:
            status = self._asked_to_stop() or self._advance()
        if status in ("interrupted", "time limit"):
            self._save()
        return self._result(status)

    def _asked_to_stop(self) -> str | None:
        if self.should_stop is not None and self.should_stop():
            return "interrupted"
        return "time limit" if self._seconds() >= self.time_limit else None

    def _seconds(self) -> float:
        return self.at.seconds + time.monotonic() - self.began

    def _advance(self) -> str | None:
        """The steps to the next report and a look at their field; returns the status that ends the run, or None."""
        at, blocks = self.at, self._batches(self.at)
        if at.iteration:
            at = replace(at, weights=self._balanced(at, blocks, _KEPT))
        until = min(at.iteration + self.training.report, self.training.window_steps)
        strictness = at.strictness / (at.scale or 1.0)
        state, loss = self.steps.run(at.state, blocks, at.weights, strictness, (at.iteration, until))
        if not math.isfinite(loss):
            return "diverged"
        self.at = replace(at, state=state, iteration=until)
        ended = self._look(loss)
        if ended is None:
            return None
        return self._next_window(ended)

    def _look(self, loss: float) -> str | None:
        """Measures the held-out residual; keeps the best field; returns the status that ends the window, or None."""
        vector = np.asarray(ravel_pytree(self.at.state[0])[0])
        rows = self._held_rows(vector)
        means = np.concatenate([np.mean(part**2, axis=0) for part in rows])
        held_out = math.sqrt(float(self.at.judged @ means))
        if held_out < self.at.best_held_out:
            iteration = self.at.iteration
            self.at = replace(self.at, best=vector, best_held_out=held_out, best_iteration=iteration)
            self.at = estimated(
                self.at, lambda: np.asarray(self.values(jnp.asarray(vector), jnp.asarray(self.held[0].items)))
            )
        self._grow_stricter(rows[0])
        self._report(loss, held_out)
        if time.monotonic() - self.saved > _SAVE_EVERY:
            self._save()
        return self._ended()

    def _ended(self) -> str | None:
        at, training = self.at, self.training
        if at.estimated_error <= self.tolerance:
            return "converged"
        patience = _PATIENCE * training.report if training.searches else training.window_steps // 2
        if at.iteration - at.best_iteration > patience:
            return "stalled"
        return "step limit" if at.iteration >= training.window_steps else None

    def _grow_stricter(self, rows: Float[np.ndarray, "n k"]) -> None:
        """Raises ε once all moments count."""
        if self.training.causal is None:
            return
        at, (first, last) = self.at, self.problem.time or (0.0, 1.0)
        share = (self.held[0].items[:, -1] - first) / (last - first)
        number = np.minimum((share * self.training.slices).astype(int), self.training.slices - 1)
        sums = np.bincount(number, rows**2 @ at.weights[: rows.shape[1]], self.training.slices)
        losses = sums / np.maximum(np.bincount(number, minlength=self.training.slices), 1)
        if math.exp(-at.strictness / (at.scale or 1.0) * float(np.sum(losses[:-1]))) > _OPEN:
            self.at = replace(at, strictness=_STRICTER * at.strictness)

    def _next_window(self, status: str) -> str | None:
        """Begins the next window with the best numbers of this one; after the last, the status of the run."""
        at = self.at
        ended = (*at.ended, (status, at.best_held_out, at.estimated_error))
        if len(ended) == self.training.windows:
            worse = [one for one, _, _ in ended if one != "converged"]
            return worse[0] if worse else "converged"
        self.at = replace(at, ended=ended, solved=(*at.solved, at.best))
        self._solved(at.best)
        fresh = self._first(eqx.partition(self.residuals.combined(jnp.asarray(at.best)), is_parameter)[0])
        self.at = replace(
            fresh,
            scale=at.scale,
            before=at.before + at.iteration,
            solved=self.at.solved,
            ended=ended,
            seconds=at.seconds,
            history=at.history,
        )
        return None

    def _solved(self, vector: Float[np.ndarray, " p"]) -> None:
        self.fields.append(frozen(self._field(jnp.asarray(vector))))
        self._enter()

    def _best_field(self) -> AnyField:
        """The windows before and the best of this one, which goes on to the end."""
        fields = [*self.fields, self._field(jnp.asarray(self.at.best))]
        starts = [field.shapings[0].start for field in fields[1:] if isinstance(field, NetworkField)]
        return joined(fields, starts)

    def _report(self, loss: float, held_out: float) -> None:
        progress = FieldProgress(
            self.at.before + self.at.iteration,
            self.training.points,
            self.residuals.size,
            math.sqrt(loss),
            held_out,
            self.at.estimated_error,
            0.0,
            self._seconds(),
            self._best_field(),
        )
        self.at = replace(self.at, history=(*self.at.history, progress.record()))
        if self.callback is not None:
            self.callback(progress)

    def _save(self) -> None:
        self.saved = time.monotonic()
        self.store.write(replace(self.at, seconds=self._seconds()).content)

    def resume(self) -> None:
        """Continues from the checkpoint if there is one."""
        content = self.store.read()
        if content is None:
            return
        self.store.check_size(content["best"], self.residuals.size)
        for vector in content["solved"]:
            self._solved(vector)
        self.at = position(content, self.steps.start(self.steps.parameters))

    def _result(self, status: str) -> Result:
        at = self.at
        ended = [(found, error) for _, found, error in at.ended[: len(self.fields)]]
        found, errors = zip(*ended, (at.best_held_out, at.estimated_error), strict=True)
        complete = len(found) == self.training.windows
        at = replace(
            at,
            estimated_error=max(errors) if complete else math.inf,
            best_held_out=math.sqrt(sum(one**2 for one in found) / len(found)),
        )
        steps = at.before + at.iteration
        return field_result(self._best_field(), status, at, iterations=steps, seconds=self._seconds())


def _first_leaf(items: Any) -> np.ndarray:
    return jax.tree.leaves(items)[0]


def _check_time(problem: FieldProblem, training: FirstOrder) -> None:
    if problem.time is None and (training.causal is not None or training.windows > 1):
        name = "windows" if training.windows > 1 else "causal"
        raise InputError("<options>", name, "this problem has no time", "Leave it away")
    if problem.regions is not None and training.windows > 1:
        reason = "a window of several materials does not know the unknowns of all regions"
        raise InputError("<options>", "windows", reason, "Leave it away")
    if problem.integrals and training.windows > 1:
        raise InputError("<options>", "windows", "an Integral is over all of the time", "Leave it away")
