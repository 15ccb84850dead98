"""Pictures that nothing needs any more."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from portrayal.service.blobs import Blobs
from portrayal.service.database import Database
from portrayal.service.envelope import FINAL
from portrayal.service.tables import PortrayalRow, SourceRow, StoredFile


def drop(database: Database, blobs: Blobs, digests: Iterable[str], *, history: bool) -> None:
    """Delete those of these blobs that no file and no unfinished job uses.

    Args:
        history: finished portrayals that were made from a picture hold it back too.
    """
    with database.session() as session:
        for digest in digests:
            users = [
                sa.select(StoredFile.id).where(StoredFile.sha256 == digest),
                sa.select(PortrayalRow.id).where(
                    PortrayalRow.state.not_in(FINAL), sa.cast(PortrayalRow.order, sa.Text).contains(digest)
                ),
            ]
            if history:
                users.append(sa.select(SourceRow.portrayal_id).where(SourceRow.sha256 == digest))
            if all(session.scalar(user.limit(1)) is None for user in users) and blobs.has(digest):
                blobs.delete(digest)
