"""What a running `solve` shows: a bar on a terminal, a line a grid elsewhere. Always on stderr."""

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

from ..pinn import Progress as Report

_USUAL_STEPS = 250  # solver steps on one grid; only for the estimate of the time left


class SolveProgress:
    """A context that turns the reports of `solve` into progress on stderr."""

    def __init__(self, what: str):
        self.console = Console(stderr=True)
        self.live = self.console.is_terminal
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
        self.task = self.bar.add_task(f"{what}: reading the part", total=None)

    def __enter__(self) -> "SolveProgress":
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def report(self, report: Report) -> None:
        """Shows one report."""
        error = f"{report.estimated_error:.1e}" if report.estimated_error < float("inf") else "?"
        text = (
            f"grid {report.grid}/{report.grids}  loss {report.energy:.6g}  held-out {report.held_out:.6g}"
            f"  estimated error {error}"
        )
        # Each grid costs about three times the one before.
        weights = [3.0**number for number in range(report.grids)]
        share = 1.0 if report.finished else min(0.95, report.iteration / _USUAL_STEPS)
        completed = sum(weights[: report.grid - 1]) + share * weights[report.grid - 1]
        self.bar.update(self.task, description=text, completed=completed, total=sum(weights))
        if report.finished and not self.live:
            done = f"{report.parameters} parameters  {report.iteration} iterations  {report.seconds:.0f} s"
            self.say(f"{text}  {done}")

    def phase(self, text: str) -> None:
        """Shows what is done outside the training."""
        self.bar.update(self.task, description=text, total=None)

    def say(self, text: str) -> None:
        """Prints a line that stays."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)
