"""The library: finding, marking and deleting what was made."""

from __future__ import annotations

from portrayal.service.blobs import Blobs
from portrayal.service.database import Database


class Library:
    """What was made."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database, self._blobs = database, blobs
