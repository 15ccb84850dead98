"""Both cores, without a framework.

Numba kernels of this package are compiled with ``nogil=True`` and work on a band of rows; `bands` runs them
side by side. A band never depends on another one, so that the result does not depend on the number of cores.
(Numba's own ``parallel=True`` is not used: its default threading layer must not be entered by two threads
at once, which a service does.)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

_POOL = "portrayal"
A = TypeVar("A")
B = TypeVar("B")


def cores() -> int:
    """Number of cores that this process may use, at most 16."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, min(16, len(os.sched_getaffinity(0))))
    return max(1, min(16, os.cpu_count() or 1))


@lru_cache(1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix=_POOL)


def bands(kernel: Callable[[int, int], object], rows: int, least: int = 64) -> None:
    """Call ``kernel(first_row, last_row)`` over disjoint bands that cover ``range(rows)``.

    Args:
        kernel: must release the GIL to gain anything, and must only write its own rows.
        rows: number of rows of the picture.
        least: fewest rows of a band.
    """
    parts = max(1, min(cores(), rows // least))
    if threading.current_thread().name.startswith(f"{_POOL}_"):
        parts = 1  # bands inside of a band: a pool whose threads all wait for their own would stand still
    edges = [rows * i // parts for i in range(parts + 1)]
    jobs = [_pool().submit(kernel, a, b) for a, b in pairwise(edges[1:])]
    kernel(edges[0], edges[1])
    for job in jobs:
        job.result()


def together(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two independent functions at the same time; return both results, or raise the first error.

    The second one gets a thread of its own, not one of the pool: both may call `bands`, and a pool whose threads
    all wait for their own bands would stand still.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="portrayal-together") as own:
        job = own.submit(second)
        a = first()
        return a, job.result()
