"""Several characters in one picture."""

from __future__ import annotations

from portrayal.engines.base import Job, Progress, Rendering
from portrayal.engines.studio.kept import Kept
from portrayal.errors import InvalidRequestError


def generate_cast(job: Job, kept: Kept, progress: Progress) -> Rendering:
    """Make one picture of several characters."""
    raise InvalidRequestError("several characters are not portrayed yet", field="reference", remedy="Give one.")
