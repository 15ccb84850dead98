"""Keys: who calls, what they may do, and how much."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import sqlalchemy as sa

from portrayal.errors import InvalidRequestError, NotFoundError, UnauthenticatedError
from portrayal.service.database import Database
from portrayal.service.ids import new_id
from portrayal.service.signing import hash_key, key_prefix, new_api_key
from portrayal.service.tables import ApiKey

Scope = Literal["create", "read", "delete", "admin"]
"""``create`` makes pictures and characters, ``read`` looks at them, ``delete`` removes them, ``admin`` manages keys."""
SCOPES: Final[tuple[str, ...]] = get_args(Scope)
LIBRARY: Final = "main"
_USED_EVERY = 60.0  # seconds between two notes of when a key was used


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        key_id: "" when no key is needed and none was given.
        library: what the caller sees: keys of the same library share characters and pictures.
        max_in_flight: unfinished jobs that the key may have; None = the door's own limit.
        daily: pictures that it may make in 24 hours; None = no limit.
    """

    key_id: str = ""
    name: str = ""
    library: str = LIBRARY
    scopes: frozenset[str] = frozenset(SCOPES)
    max_in_flight: int | None = None
    daily: int | None = None


class Keys:
    """The keys of an installation.

    Args:
        database: where their hashes are.
        needed: whether a call without a known key is refused.
    """

    def __init__(self, database: Database, *, needed: bool) -> None:
        self._database, self.needed = database, needed

    def caller(self, presented: str | None) -> Caller:
        """Who presents this key.

        Raises:
            UnauthenticatedError: none or an unknown one where one is needed; a revoked one in any case.
        """
        row = self._find(presented) if presented else None
        if row is not None and row.revoked_at is not None:
            raise UnauthenticatedError("this key was revoked", remedy="Ask the operator for a new one.")
        if row is None:
            if not self.needed:
                return Caller()
            what = "the key is not known" if presented else "no key was given"
            raise UnauthenticatedError(what, remedy="Make one with `portrayal keys create NAME`.")
        return Caller(row.id, row.name, row.library, frozenset(row.scopes), row.max_in_flight, row.daily)

    def _find(self, presented: str) -> ApiKey | None:
        digest = hash_key(presented)
        now = time.time()
        with self._database.session() as session:
            row = session.scalar(sa.select(ApiKey).where(ApiKey.hash == digest))
            if row is not None and now - (row.used_at or 0.0) > _USED_EVERY:
                row.used_at = now
        return row

    def create(
        self,
        name: str,
        *,
        library: str = LIBRARY,
        scopes: Sequence[str] = ("create", "read", "delete"),
        max_in_flight: int | None = None,
        daily: int | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key: its row, and the key itself, which is shown this once.

        Raises:
            InvalidRequestError: a name, scope or number that is not allowed.
        """
        if not name.strip() or len(name) > 80:
            raise InvalidRequestError("has 1 to 80 characters", field="name", remedy="Give the key another name.")
        if not library.strip() or len(library) > 40:
            raise InvalidRequestError("has 1 to 40 characters", field="library", remedy="Give it another name.")
        for scope in scopes:
            if scope not in SCOPES:
                raise InvalidRequestError(
                    f"{scope[:40]!r} is no scope", field="scopes", remedy=f"Use some of {', '.join(SCOPES)}."
                )
        for field, number in (("max_in_flight", max_in_flight), ("daily", daily)):
            if number is not None and number < 1:
                raise InvalidRequestError("is smaller than 1", field=field, remedy="Leave it out for no limit.")
        key = new_api_key()
        row = ApiKey(
            id=new_id(),
            name=name.strip(),
            hash=hash_key(key),
            prefix=key_prefix(key),
            library=library.strip(),
            scopes=sorted(set(scopes)),
            max_in_flight=max_in_flight,
            daily=daily,
            created_at=time.time(),
        )
        with self._database.session() as session:
            session.add(row)
        return row, key

    def listed(self) -> list[ApiKey]:
        """All keys, the oldest first; revoked ones too."""
        with self._database.session() as session:
            return list(session.scalars(sa.select(ApiKey).order_by(ApiKey.id)))

    def revoke(self, name_or_id: str) -> ApiKey:
        """End a key, now and for ever.

        Raises:
            NotFoundError: there is no such key.
            InvalidRequestError: several have that name.
        """
        with self._database.session() as session:
            wanted = sa.or_(ApiKey.id == name_or_id, ApiKey.name == name_or_id, ApiKey.prefix == name_or_id)
            rows = list(session.scalars(sa.select(ApiKey).where(wanted, ApiKey.revoked_at.is_(None))))
            if not rows:
                raise NotFoundError(
                    "no key has that name or id", field="key", remedy="`portrayal keys list` shows them all."
                )
            if len(rows) > 1:
                raise InvalidRequestError("several keys have that name", field="key", remedy="Name it by its id.")
            rows[0].revoked_at = time.time()
            return rows[0]
