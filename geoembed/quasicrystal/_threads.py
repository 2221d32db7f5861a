"""Work on the host by several threads."""

import concurrent.futures
import os
from collections.abc import Callable, Sequence
from typing import Any


def over_threads(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """The results of calls that spend their time in numpy and jax, side by side on all processors."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(processors, len(items))
    if threads < 2:
        return [work(item) for item in items]
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
