"""What a running `solve` shows: a bar on a terminal, a line now and then elsewhere. Always on stderr."""

import math
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ..pinn import FieldProgress, TransientProgress
from ..pinn import Progress as Report

_USUAL_STEPS = 250  # solver steps on one grid; only for the estimate of the time left
_EVERY = 15.0  # seconds between two lines where there is no terminal


class SolveProgress:
    """A context that turns the reports of `solve` into progress on stderr.

    Args:
        what: What is solved.
        quiet: Show nothing.
    """

    def __init__(self, what: str, *, quiet: bool = False):
        self.console = Console(stderr=True, quiet=quiet)
        self.live = self.console.is_terminal and not quiet
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("at most"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self.console,
            disable=not self.live,
        )
        self.what, self.said = what, -math.inf
        self.first, self.last = 0.0, math.inf  # moments of a march
        self.task = self.bar.add_task(f"{what}: reading the input", total=None)

    def __enter__(self) -> "SolveProgress":
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def report(self, report: Report | TransientProgress | FieldProgress) -> None:
        """Shows one report."""
        if isinstance(report, FieldProgress):
            self._about_residual(report)
        elif isinstance(report, TransientProgress):
            self._about_march(report)
        else:
            self._about_grid(report)

    def _about_grid(self, report: Report) -> None:
        """Heat in a part."""
        text = (
            f"grid {report.grid}/{report.grids}  loss {report.energy:.6g}  held-out {report.held_out:.6g}"
            f"  estimated error {_figure(report.estimated_error)}"
        )
        # Each grid costs about three times the one before.
        weights = [3.0**number for number in range(report.grids)]
        share = 1.0 if report.finished else min(0.95, report.iteration / _USUAL_STEPS)
        completed = sum(weights[: report.grid - 1]) + share * weights[report.grid - 1]
        self.bar.update(self.task, description=text, completed=completed, total=sum(weights))
        if report.finished and not self.live:
            done = f"{report.parameters} parameters  {report.iteration} iterations  {report.seconds:.0f} s"
            self.say(f"{text}  {done}")

    def _about_march(self, report: TransientProgress) -> None:
        """Heat in a part in time. The bar counts marches; each costs about three times the one before."""
        text = (
            f"grid {report.grid}/{report.grids}  t = {report.time:.4g} s  {report.steps} steps"
            f"  estimated error {_figure(report.estimated_error)}"
        )
        weights = [3.0**number for number in range(report.grids)]
        share = (report.time - self.first) / max(self.last - self.first, 1e-300)
        completed = sum(weights[: report.grid - 1]) + min(share, 1.0) * weights[report.grid - 1]
        self.bar.update(self.task, description=text, completed=completed, total=sum(weights))
        now = time.monotonic()
        if not self.live and (report.finished or now - self.said > _EVERY):
            self.said = now
            self.say(f"{text}  {report.parameters} parameters  {report.seconds:.0f} s")

    def _about_residual(self, report: FieldProgress) -> None:
        """An equation. How long it will take cannot be told from the residual, so the bar has no end."""
        text = (
            f"{self.what}: step {report.iteration}  points {report.points}  residual {report.residual:.2e}"
            f"  held-out {report.held_out:.2e}  estimated error {_figure(report.estimated_error)}"
        )
        self.bar.update(self.task, description=text, total=None)
        now = time.monotonic()
        if not self.live and now - self.said > _EVERY:
            self.said = now
            self.say(f"{text}  {report.seconds:.0f} s")

    def phase(self, text: str) -> None:
        """Shows what is done outside the training."""
        self.bar.update(self.task, description=text, total=None)

    def say(self, text: str) -> None:
        """Prints a line that stays."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _figure(value: float) -> str:
    return f"{value:.1e}" if value < math.inf else "?"
