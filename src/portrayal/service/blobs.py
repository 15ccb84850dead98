"""Files by the digest of their content: a folder, or S3, through obstore. Writing twice is writing once.

Bytes are stored before the row that refers to them, so garbage collection leaves young ones alone; bytes that are
there already and not young are written again, which makes them young.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import obstore
from obstore.exceptions import NotFoundError as Missing
from obstore.store import LocalStore, from_url

from portrayal.errors import InvalidRequestError, MissingDataError
from portrayal.settings import Settings

GRACE: Final = 3600.0
"""Seconds for which unreferenced bytes are kept at least: a row may be on its way."""
_YOUNG: Final = timedelta(minutes=20)  # well below the shortest grace
SHORTEST_GRACE: Final = 2400.0
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Blob(NamedTuple):
    """One of the stored ones: its digest, bytes, and when it was written (seconds since 1970)."""

    digest: str
    size: int
    written: float


class Blobs:
    """A store of bytes. Calls block: in an event loop use a thread.

    Attributes:
        folder: where they are; None for an object store.
    """

    def __init__(self, settings: Settings) -> None:
        where = settings.blobs_url
        self.folder: Path | None = None
        if "://" in where and not where.startswith("file://"):
            try:
                self._store: Any = from_url(where)
            except (ValueError, obstore.exceptions.BaseError) as error:
                raise InvalidRequestError(
                    f"is no address of an object store ({type(error).__name__})",
                    field="PORTRAYAL_BLOBS_URL",
                    remedy="Write s3://BUCKET/PREFIX, and set AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.",
                ) from None
        else:
            self.folder = Path(where.removeprefix("file://")) if where else settings.data_dir / "blobs"
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
            self._store = LocalStore(self.folder)

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their SHA-256 in hexadecimal digits. Others never see them half-written."""
        digest = hashlib.sha256(data).hexdigest()
        try:
            written = obstore.head(self._store, _path(digest))["last_modified"]
            if datetime.now(UTC) - written < _YOUNG:
                return digest
        except (Missing, FileNotFoundError):
            pass
        if self.folder is not None:
            (self.folder / digest[:2]).mkdir(exist_ok=True, mode=0o700)
        obstore.put(self._store, _path(digest), data, use_multipart=False)
        if self.folder is not None:
            (self.folder / _path(digest)).chmod(0o600)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, proved.

        Raises:
            MissingDataError: they are not there, or were changed.
        """
        try:
            data = bytes(obstore.get(self._store, _path(digest)).bytes())
        except (Missing, FileNotFoundError):
            raise MissingDataError(
                f"the stored file {digest[:12]} is missing", remedy="Give the picture again."
            ) from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise MissingDataError(f"the stored file {digest[:12]} was changed", remedy="Give the picture again.")
        return data

    def has(self, digest: str) -> bool:
        """Whether the bytes are there."""
        return self.written(digest) is not None

    def written(self, digest: str) -> float | None:
        """When the bytes were written last, seconds since 1970; None when they are not there."""
        try:
            return float(obstore.head(self._store, _path(digest))["last_modified"].timestamp())
        except (Missing, FileNotFoundError):
            return None

    def delete(self, digest: str) -> None:
        """Forget the bytes."""
        obstore.delete(self._store, _path(digest))

    def listed(self) -> Iterator[Blob]:
        """All of them; what has another name than we give is left out."""
        for batch in obstore.list(self._store):
            for entry in batch:
                digest = entry["path"].rsplit("/", 1)[-1]
                if _DIGEST.fullmatch(digest) and entry["path"] == _path(digest):
                    yield Blob(digest, int(entry["size"]), entry["last_modified"].timestamp())

    def dangling(self, older: float) -> list[Path]:
        """Files in the folder that a write left half-done, if not touched for `older` seconds."""
        if self.folder is None:
            return []
        limit, found = time.time() - older, []
        for part in self.folder.glob("[0-9a-f][0-9a-f]/*#*"):
            stem = part.name.split("#")[0]
            if _DIGEST.fullmatch(stem) and os.path.getmtime(part) < limit:
                found.append(part)
        return found


def _path(digest: str) -> str:
    return f"{digest[:2]}/{digest}"
