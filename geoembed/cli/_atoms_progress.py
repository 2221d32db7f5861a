"""What a running `train` shows: a bar on a terminal, a line now and then elsewhere. Always on stderr."""

import math
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..atoms import FitProgress

_EVERY = 15.0  # seconds between two lines, where there is no terminal


class FitShown:
    """A context that turns the reports of `fit` into progress on stderr.

    Args:
        what: What is trained.
        quiet: Show nothing.
    """

    def __init__(self, what: str, *, quiet: bool = False):
        self.console = Console(stderr=True, quiet=quiet)
        self.live = self.console.is_terminal and not quiet
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("about"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self.console,
            disable=not self.live,
        )
        self.what, self.said, self.errors = what, -math.inf, ""
        self.task = self.bar.add_task(f"{what}: reading the structures", total=None)

    def __enter__(self) -> "FitShown":
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def report(self, report: FitProgress) -> None:
        """Shows one report."""
        if report.record is not None:
            self.errors = "  " + in_words(report.record)
        text = f"{self.what}: epoch {report.epoch:.4g}/{report.epochs}  loss {report.loss:.3e}{self.errors}"
        self.bar.update(self.task, description=text, completed=report.epoch, total=report.epochs)
        now, last = time.monotonic(), report.record is not None and report.epoch == report.epochs
        if not self.live and (now - self.said > _EVERY or last):
            self.said = now
            self.say(f"{text}  {report.seconds:.0f} s")

    def phase(self, text: str) -> None:
        """Shows what is done outside the training."""
        self.bar.update(self.task, description=text)

    def say(self, text: str) -> None:
        """Prints a line that stays."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def in_words(record: dict[str, float]) -> str:
    """The errors of a validation in a few words."""
    names = (
        ("energy_mae", "energy", "meV/atom"),
        ("forces_mae", "forces", "meV/Å"),
        ("stress_mae", "stress", "meV/Å³"),
    )
    shown = [f"{label} {1e3 * record[name]:.3g} {unit}" for name, label, unit in names if name in record]
    return "validation " + "  ".join(shown)
