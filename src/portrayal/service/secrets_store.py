"""The secrets of an installation: a file beside an SQLite database, or a row that all machines share."""

from __future__ import annotations

import sqlalchemy as sa

from portrayal.service.database import Database
from portrayal.service.signing import Secrets
from portrayal.service.tables import Meta
from portrayal.settings import Settings

_NAME = "secrets"


def shared_secrets(database: Database, settings: Settings) -> Secrets:
    """Load or make them; with PostgreSQL the first machine's are everybody's."""
    if database.sqlite:
        return Secrets.load(settings.data_dir / "keys")
    known = sa.select(Meta.value).where(Meta.name == _NAME)
    with database.session() as session:
        text = session.scalar(known)
    if text is None:
        try:
            with database.session() as session:
                session.add(Meta(name=_NAME, value=Secrets.load(settings.data_dir / "keys").to_text()))
        except sa.exc.IntegrityError:
            pass  # another machine was first
        with database.session() as session:
            text = session.scalar(known)
    return Secrets.from_text(text or "")
