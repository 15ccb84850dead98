"""Files by the digest of their content: a folder, or S3, through obstore. Writing twice is writing once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import NotFoundError as Missing
from obstore.store import LocalStore, from_url

from portrayal.errors import MissingDataError
from portrayal.settings import Settings


class Blobs:
    """A store of bytes. Calls block: in an event loop use a thread."""

    def __init__(self, settings: Settings) -> None:
        where = settings.blobs_url
        if "://" in where and not where.startswith("file://"):
            self._store: Any = from_url(where)
        else:
            folder = Path(where.removeprefix("file://")) if where else settings.data_dir / "blobs"
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store = LocalStore(folder)

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their SHA-256 in hexadecimal digits."""
        digest = hashlib.sha256(data).hexdigest()
        if not self.has(digest):
            obstore.put(self._store, _path(digest), data)
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
        try:
            obstore.head(self._store, _path(digest))
        except (Missing, FileNotFoundError):
            return False
        return True

    def delete(self, digest: str) -> None:
        """Forget the bytes."""
        obstore.delete(self._store, _path(digest))


def _path(digest: str) -> str:
    return f"{digest[:2]}/{digest}"
