"""The studio engine: it re-photographs the reference. One function per operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from portrayal.engines.base import Job, Progress, Rendering, silent
from portrayal.engines.studio.generate import generate
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.remix import remix
from portrayal.request import Operation

OPERATIONS: Final[Mapping[Operation, Callable[[Job, Kept, Progress], Rendering]]] = MappingProxyType(
    {"generate": generate, "remix": remix}
)


class StudioEngine:
    """CPU only, no download. Keeps the geometry of the last few characters between pictures."""

    name = "studio"

    def __init__(self) -> None:
        self.kept = Kept()

    def portray(self, job: Job, progress: Progress = silent) -> Rendering:
        """Make one picture; see `portrayal.engines.base.Engine`."""
        return OPERATIONS[job.operation](job, self.kept, progress)
