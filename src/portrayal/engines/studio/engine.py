"""The studio engine: it re-photographs the reference. One function per operation."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final, TypeAlias

from portrayal.engines.base import Job, Progress, Rendering, silent
from portrayal.engines.studio.kept import Kept
from portrayal.request import Operation

Perform: TypeAlias = Callable[[Job, Kept, Progress], Rendering]

# Module and function of each operation. A process loads only those that it performs: a picture comes sooner.
OPERATIONS: Final[dict[Operation, tuple[str, str]]] = {
    "generate": ("generate", "generate"),
    "edit": ("edit", "edit"),
    "remix": ("remix", "remix"),
    "reframe": ("operations", "reframe"),
    "replace-background": ("operations", "replace_background"),
    "remove-background": ("operations", "remove_background"),
    "upscale": ("operations", "upscale"),
}


class StudioEngine:
    """CPU only, no download. Keeps the geometry of the last few characters between pictures."""

    name = "studio"

    def __init__(self) -> None:
        self.kept = Kept()

    def portray(self, job: Job, progress: Progress = silent) -> Rendering:
        """Make one picture; see `portrayal.engines.base.Engine`."""
        module, function = OPERATIONS[job.operation]
        perform: Perform = getattr(import_module(f"portrayal.engines.studio.{module}"), function)
        return perform(job, self.kept, progress)
