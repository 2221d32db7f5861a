"""Turning Ctrl-C and SIGTERM into a polite request to stop."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class StopRequest:
    """A context in which Ctrl-C and SIGTERM set a flag, so that running work can save itself first.

    A second Ctrl-C interrupts at once. Outside the main thread signals cannot be caught, and the flag stays down
    until `request` is called.

    Example:
        >>> with StopRequest() as stop:
        ...     stop.request()
        ...     bool(stop)
        True
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[int, Any] = {}

    def request(self) -> None:
        """Raises the flag."""
        self._asked = True

    def __bool__(self) -> bool:
        return self._asked

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._caught)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        if self._asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._asked = True
