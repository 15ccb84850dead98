"""Who waits for which job: threads that change one wake the coroutines that wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Final

ANY: Final = ""
"""Rings with every job."""
_END: Final = "/end"


class Hub:
    """A bell for each job. `ring` may be called from any thread, `listen` from any event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bells: dict[str, list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}

    def ring(self, job_id: str, *, ended: bool = False) -> None:
        """Something happened to the job, and is committed; `ended`: it may be its end."""
        names = (job_id, ANY, job_id + _END) if ended else (job_id, ANY)
        with self._lock:
            bells = [bell for name in names for bell in self._bells.get(name, ())]
        for loop, bell in bells:
            with contextlib.suppress(RuntimeError):  # the loop was closed with the reader in it
                loop.call_soon_threadsafe(bell.set)

    def awaited(self) -> tuple[str, ...]:
        """The jobs that somebody waits for."""
        with self._lock:
            return tuple({job.removesuffix(_END) for job in self._bells if job != ANY})

    def listen(self, job_id: str, *, ended: bool = False) -> Listener:
        """A context whose `wait` ends at the next ring, or at one since the last `wait`.

        Args:
            job_id: of the job, or `ANY`.
            ended: only rings that may be its end count.
        """
        return Listener(self, job_id + _END if ended else job_id)


class Listener:
    """One who waits for a job, or for any."""

    def __init__(self, hub: Hub, job_id: str) -> None:
        self._hub, self._id = hub, job_id
        self._entry = (asyncio.get_running_loop(), asyncio.Event())

    def __enter__(self) -> Listener:
        with self._hub._lock:
            self._hub._bells.setdefault(self._id, []).append(self._entry)
        return self

    def __exit__(self, *_: object) -> None:
        with self._hub._lock:
            bells = self._hub._bells[self._id]
            bells.remove(self._entry)
            if not bells:
                del self._hub._bells[self._id]

    async def wait(self, timeout: float) -> bool:
        """Wait for the next ring, at most `timeout` seconds; whether it rang."""
        bell = self._entry[1]
        try:
            await asyncio.wait_for(bell.wait(), timeout)
        except TimeoutError:
            return False
        bell.clear()
        return True
