"""Training a potential."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from ...core import host_generator
from ...train import JsonLines, Train
from .._buckets import Buckets
from .._frame import Frame
from ._evaluate import Evaluator, check_labels
from ._fit_result import FitProgress, FitResult
from ._interaction import check_elements, precision, real_type, reduced
from ._loader import Loader
from ._loss import Form
from ._plateau import Plateau
from ._position import TREES, Checkpoint, Position, identity_of
from ._settings import Stage, Training
from ._steps import Knobs, everywhere, mesh_of, replicated, start, step, transformation
from ._trainable import trainable as chosen
from ._vectors import Layout, Vectors

_SAVE_EVERY = 60.0  # seconds
_LOG, _CHECKPOINT = "log.jsonl", "checkpoint"
_CHANGES = (
    2**31 + 1
)  # folded into the key: where changes of low rank start, apart from the order of the structures


def fit(
    potential: Any,
    train: Sequence[Frame],
    valid: Sequence[Frame],
    *,
    key: PRNGKeyArray,
    settings: Training | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    trainable: Sequence[Train] | None = None,
    buckets: Buckets | None = None,
    devices: int = 1,
    time_limit: float | None = None,
    group: str = "config_type",
    callback: Callable[[FitProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> FitResult:
    """Trains a potential on energies, forces and stresses, and keeps the best iterate on the validation structures.

    The loss of a batch is the weighted sum of the means of w ℓ over the known energies per atom, components of forces
    and components of stresses, with the `weight` w of a structure; the means are over the batches of all devices
    together. Validation does not weigh structures. Energies of isolated atoms are
    taken from the labels in float64 before anything is cast. On one machine with as many devices, a run that was
    interrupted and resumed ends with the same bits as one that was not.

    Args:
        potential: A `Potential` whose jax arrays are trained. It may have the methods `interaction(batch)`, the
            energies without those of the isolated atoms, and `isolated(numbers)`, these in float64 on the host.
        train: Structures to learn from; labels that are missing do not count.
        valid: Structures to judge by.
        key: Random key; decides the order of the structures, and where changes of low rank start.
        settings: The options.
        folder: Where `log.jsonl` and the checkpoint are kept; None keeps nothing.
        resume: Continue the run whose checkpoint is in the folder, if there is one.
        trainable: Rules that say which arrays are trained, and how; see `atoms.trainable`, which also says what the
            default None means. The rest stays as it is, bit for bit, also under weight decay, which pulls the trained
            numbers only: of changes of low rank and gains these, not the arrays. The moving average is of the
            trained numbers too. What is judged and returned is a plain potential, with the changes merged in.
        buckets: The shapes of the batches, such as those that `choose_buckets` finds for a larger set: runs that share
            them share their compiled programs. None chooses them for each set.
        devices: How many devices share a batch.
        time_limit: Stop after this time, s.
        group: The value of the comment line that says to which group a structure belongs.
        callback: Receives a `FitProgress` now and then.
        should_stop: Asked now and then; True ends the run, which can be resumed.

    Returns:
        The best potential, and how it came about.

    Raises:
        InputError: There are no labels, the potential does not know an element, a rule cannot be applied, a batch does
            not fit into the buckets, or the checkpoint is of another run.

    Example:
        >>> import equinox as eqx, jax, jax.numpy as jnp, numpy as np
        >>> class Constant(eqx.Module):
        ...     energy: jax.Array
        ...     cutoff: float = 3.0
        ...     def __call__(self, batch):
        ...         return self.energy + 0.0 * batch.positions[:, 0]
        >>> frame = Frame(np.array([18]), np.zeros((1, 3)), None, np.zeros(3, bool), energy=-0.5)
        >>> settings = Training(epochs=50, rate=0.1)
        >>> found = fit(Constant(jnp.zeros(())), [frame], [frame], key=jax.random.key(0), settings=settings)
        >>> bool(abs(found.potential.energy + 0.5) < 0.1), found.status
        (True, 'done')
    """
    settings = Training() if settings is None else settings
    for frames, name in ((train, "training structures"), (valid, "validation structures")):
        check_labels(frames, name)
        check_elements(potential, frames, name)
    with precision(potential):
        run = _Run(potential, train, valid, key, settings, folder, trainable, buckets, devices, group)
        run.callback, run.should_stop, run.time_limit = callback, should_stop, time_limit
        run.begin(resume)
        return run.finish()


class _Run:
    """One training."""

    def __init__(
        self,
        potential: Any,
        train: Sequence[Frame],
        valid: Sequence[Frame],
        key: PRNGKeyArray,
        settings: Training,
        folder: str | Path | None,
        trainable: Sequence[Train] | None,
        buckets: Buckets | None,
        devices: int,
        group: str,
    ):
        self.settings, self.key = settings, key
        self.began = time.perf_counter()
        trained = chosen(potential, trainable)
        self.mesh = mesh_of(devices)
        self.changes = everywhere(trained.changes, self.mesh)
        self.bare = everywhere(trained.changes.without(potential), self.mesh)
        self.loader = Loader(
            reduced(potential, train),
            float(potential.cutoff),
            settings.batch,
            devices,
            real_type(potential),
            buckets,
        )
        self.evaluator = Evaluator(potential, valid, settings.batch, devices, group, buckets)
        self.optimiser = transformation(settings.optimiser, settings.clip, settings.decay)
        self.form = Form(
            settings.loss,
            settings.huber,
            any(frame.forces is not None for frame in train) and any(s.forces for s in settings.stages),
            any(frame.stress is not None for frame in train) and any(s.stress for s in settings.stages),
        )
        self.folder = None if folder is None else Path(folder)
        identity = identity_of(potential, trained, train, valid, key, settings)
        self.checkpoint = Checkpoint(self.folder and self.folder / _CHECKPOINT, identity)
        numbers = jax.device_get(trained.start(potential, key=jax.random.fold_in(key, _CHANGES)))
        self.layout = Layout.of(numbers)
        vectors = replicated(self.layout.ravel(numbers), self.mesh)
        self.rates = replicated(self.layout.ravel(trained.each_rate(numbers)), self.mesh)
        moving = everywhere(start(vectors, self.optimiser), self.mesh)
        self.at = Position(moving, moving, vectors)
        self.callback: Callable[[FitProgress], None] | None = None
        self.should_stop: Callable[[], bool] | None = None
        self.time_limit: float | None = None

    def begin(self, resume: bool) -> None:
        """Continues from the checkpoint, or begins a new log."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if resume:
            at = self.checkpoint.load(self.at)
            trees = {name: everywhere(getattr(at, name), self.mesh) for name in TREES}
            self.at = replace(at, **trees)
        self.began -= self.at.seconds
        (self.folder / _LOG).unlink(missing_ok=True)
        for record in self.at.history:
            self._log(record)

    def finish(self) -> FitResult:
        """Goes on to the end."""
        saved = time.perf_counter()
        while self.at.status == "running":
            self._advance()
            if self.at.batch == self.loader.count:
                self._end_epoch()
            stopped = self._stopped() if self.at.status == "running" else ""
            if stopped or self.at.status != "running" or time.perf_counter() - saved > _SAVE_EVERY:
                self.checkpoint.save(replace(self.at, seconds=self._seconds()))
                saved = time.perf_counter()
            if stopped:
                return self._result(stopped)
        return self._result(self.at.status)

    def _stopped(self) -> str:
        if self.time_limit is not None and self._seconds() > self.time_limit:
            return "time limit"
        return "interrupted" if self.should_stop is not None and self.should_stop() else ""

    def _advance(self) -> None:
        """Some steps. If one of them is not finite, none is kept: back to what was good, with half the rate."""
        at, losses = self.at, []
        stage = self.settings.stage(at.epoch)
        order = host_generator(jax.random.fold_in(self.key, at.epoch)).permutation(len(self.loader.frames))
        until = min((at.batch // self.settings.check + 1) * self.settings.check, self.loader.count)
        moving = at.moving
        for number in range(at.batch, until):
            batch = self.loader.batch(order, number)
            knobs = self._knobs(stage, at.step + number - at.batch)
            moving, *said = step(
                moving, (self.bare, self.changes), batch, knobs,
                rates=self.rates, layout=self.layout, form=self.form, optimiser=self.optimiser, mesh=self.mesh,
            )  # fmt: skip
            losses.append(said)
        found = np.array([[float(value), float(size)] for value, size in losses])
        if not np.all(np.isfinite(found)):
            self._roll_back()
            return
        done = at.step + until - at.batch
        loss = at.loss + float(found[:, 0].sum())
        self.at = replace(at, moving=moving, good=at.moving, batch=until, step=done, loss=loss)
        if until < self.loader.count:
            self._tell(None)

    def _knobs(self, stage: Stage, number: int) -> Knobs:
        settings = self.settings
        steps = settings.epochs * self.loader.count
        left = self.at.factor * self.at.plateau[0]
        rate = settings.rate * stage.rate * left * settings.rate_at(number, steps)
        return Knobs(rate, settings.average_at(number), stage.energy, stage.forces, stage.stress)

    def _roll_back(self) -> None:
        at = self.at
        status = "diverged" if at.rollbacks >= self.settings.rollbacks else "running"
        self.at = replace(at, moving=at.good, factor=at.factor / 2, rollbacks=at.rollbacks + 1, status=status)

    def _end_epoch(self) -> None:
        at, settings = self.at, self.settings
        mean = at.loss / self.loader.count
        self.at = replace(at, epoch=at.epoch + 1, batch=0, loss=0.0)
        last = self.at.epoch == settings.epochs
        if last or self.at.epoch % settings.validate == 0:
            self._validate(mean)
        if last:
            self.at = replace(self.at, status="done")
        elif settings.patience is not None and self.at.stale >= settings.patience:
            self.at = replace(self.at, status="patience")

    def _validate(self, loss: float) -> None:
        """Judges the average, and keeps it if it is the best."""
        at, settings = self.at, self.settings
        potential = self._potential(at.moving.average)
        errors = self.evaluator(potential).errors
        stage = settings.stages[-1]
        score = (
            stage.energy * errors.energy.mean_square
            + stage.forces * errors.forces.mean_square
            + stage.stress * errors.stress.mean_square
        )
        record = {
            "epoch": at.epoch,
            "step": at.step,
            "loss": loss,
            "score": score,
            "rollbacks": at.rollbacks,
            "rate": self._knobs(settings.stage(at.epoch - 1), at.step - 1).rate,
            **{f"{n}_{k}": v[k] for n, v in errors.to_dict().items() for k in ("mae", "rmse")},
            "seconds": self._seconds(),
        }
        better = math.isfinite(score) and score < at.best_score
        if better:
            self.at = replace(at, best=at.moving.average, best_score=score, best_epoch=at.epoch)
        left = Plateau(*at.plateau)
        if settings.schedule == "plateau":
            left = left.after(score, settings.plateau_factor, settings.plateau_patience)
        stale, history = 0 if better else at.stale + 1, (*at.history, record)
        self.at = replace(self.at, stale=stale, plateau=left, history=history)
        self._log(record)
        self._tell(record, potential)

    def _tell(self, record: dict[str, Any] | None, potential: Any = None) -> None:
        if self.callback is None:
            return
        at, count = self.at, self.loader.count
        loss = record["loss"] if record else at.loss / max(at.batch, 1)
        epoch = at.epoch + at.batch / count
        self.callback(
            FitProgress(epoch, self.settings.epochs, at.step, loss, record, self._seconds(), potential)
        )

    def _potential(self, vectors: Vectors) -> Any:
        numbers = self.layout.unravel(jax.device_get(vectors))
        return everywhere(self.changes.merged(self.bare, numbers), self.mesh)

    def _log(self, record: dict[str, Any]) -> None:
        JsonLines(self.folder and self.folder / _LOG).write(record)

    def _seconds(self) -> float:
        return time.perf_counter() - self.began

    def _result(self, status: str) -> FitResult:
        at = self.at
        best = self._potential(at.best)
        judged = self.evaluator(best) if at.history and status != "interrupted" else None
        return FitResult(best, status, at.best_epoch, at.step, self._seconds(), at.history, judged)
