"""The library: finding, marking and deleting what was made."""

from __future__ import annotations

import sqlalchemy as sa

from portrayal.errors import NotFoundError
from portrayal.service.blobs import Blobs
from portrayal.service.database import Database
from portrayal.service.tables import EventRow, PictureRow, PortrayalRow, RunRow, SourceRow, StoredFile, TagRow


class Library:
    """What was made."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database, self._blobs = database, blobs

    def delete(self, job_id: str, library: str) -> None:
        """Forget a portrayal and its pictures; their bytes go with the next garbage collection. Blocks.

        Raises:
            NotFoundError: there is none in this library.
        """
        with self._database.session() as session:
            row = session.get(PortrayalRow, job_id)
            if row is None or row.library != library:
                raise NotFoundError("there is no such portrayal", field="id", remedy="It may have been deleted.")
            pictures = sa.select(PictureRow.id).where(PictureRow.portrayal_id == job_id)
            session.execute(sa.delete(StoredFile).where(StoredFile.id.in_(pictures)))
            for table in (PictureRow, SourceRow, TagRow, EventRow):
                session.execute(sa.delete(table).where(table.portrayal_id == job_id))
            session.execute(sa.delete(RunRow).where(RunRow.id == job_id))
            session.delete(row)
