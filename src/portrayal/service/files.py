"""Files with an address: uploads and results. Addresses are signed, end by themselves, and need no key."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa

from portrayal.errors import ConflictError, NotFoundError
from portrayal.service.blobs import Blobs
from portrayal.service.database import Database
from portrayal.service.envelope import Job, Role
from portrayal.service.ids import new_id
from portrayal.service.pictures import accepted, fingerprint
from portrayal.service.signing import Secrets
from portrayal.service.tables import StoredFile
from portrayal.settings import Settings

Purpose = Literal["upload", "result", "reference", "mask", "thumbnail"]
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_PATH = re.compile(r"/files/([0-9a-z]{26})(?:\.[a-z]{3,4})?")
_STORAGE = re.compile(r"/storage/files/(\d{1,12})/([0-9a-f]{64})(/[0-9a-z]{26}\.[a-z]{3,4})")
_OTHERS = re.compile(r"/v1/files/([0-9a-z]{26})(?:/download)?|/api/v1/files/([0-9a-z]{26})(?:/content)?")


@dataclass(frozen=True)
class File:
    """A stored picture.

    Attributes:
        size: bytes; width, height: pixels.
        fingerprint: 64-bit difference hash of the pixels.
        notes: what was changed when it was taken, in words.
    """

    id: str
    library: str
    sha256: str
    media_type: str
    size: int
    width: int
    height: int
    name: str = ""
    purpose: str = "upload"
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    created_at: float = 0.0
    expires_at: float | None = None

    @property
    def filename(self) -> str:
        """Its id with the usual ending."""
        return f"{self.id}.{EXTENSIONS.get(self.media_type, 'bin')}"


class Files:
    """Take, find, address and read files. Calls block."""

    def __init__(self, settings: Settings, database: Database, blobs: Blobs, secrets: Secrets) -> None:
        self._settings, self._database, self._blobs, self._secrets = settings, database, blobs, secrets

    def take(
        self, data: bytes, field: str, library: str, *, name: str = "", purpose: Purpose = "upload", file_id: str = ""
    ) -> File:
        """Check a picture that somebody gave, strip its metadata, and keep it.

        Args:
            file_id: the id that was promised for it; a new one when empty.

        Raises:
            ImageReadError, ImageTooLargeError: it is no picture that is taken; `field` is named.
        """
        good = accepted(
            data,
            field,
            max_bytes=self._settings.max_upload_bytes,
            max_pixels=self._settings.max_upload_pixels,
        )
        expires = time.time() + 86_400 * self._settings.upload_days if purpose == "upload" else None
        row = StoredFile(
            id=file_id or new_id(),
            library=library,
            sha256=self._blobs.put(good.data),
            media_type=good.media_type,
            size=len(good.data),
            width=good.width,
            height=good.height,
            name=name[:200],
            purpose=purpose,
            fingerprint=fingerprint(good.data),
            notes=list(good.notes),
            created_at=time.time(),
            expires_at=expires,
        )
        with self._database.session() as session:
            session.add(row)
        return file_of(row)

    def get(self, file_id: str, library: str | None = None) -> File:
        """The file of an id; `library` None = of any (the address was proved otherwise).

        Raises:
            NotFoundError: there is none, or it has expired.
        """
        with self._database.session() as session:
            row = session.get(StoredFile, file_id) if file_id.isalnum() else None  # PostgreSQL takes no NUL in a text
        if row is None or (library is not None and row.library != library) or (row.expires_at or 2e10) < time.time():
            raise NotFoundError("there is no such file, or it has expired", field="file", remedy="Give it again.")
        return file_of(row)

    def read(self, file: File) -> bytes:
        """Its bytes."""
        return self._blobs.get(file.sha256)

    def address(self, file_id: str, media_type: str, base: str) -> str:
        """An address that needs no key and works for `settings.link_seconds`."""
        path, expires, signature = self._signed(file_id, media_type)
        return f"{base}{path}?expires={expires}&signature={signature}"

    def storage_address(self, file_id: str, media_type: str, base: str) -> str:
        """The same as a path alone, for clients that append to it; the file may still be on its way."""
        path, expires, signature = self._signed(file_id, media_type)
        return f"{base}/storage/files/{expires}/{signature}{path.removeprefix('/files')}"

    def _signed(self, file_id: str, media_type: str) -> tuple[str, int, str]:
        path = f"/files/{file_id}.{EXTENSIONS.get(media_type, 'bin')}"
        # Whole minutes: the same picture keeps its address for a while, so that browsers keep it too.
        expires = (int(time.time()) // 60 + 1) * 60 + self._settings.link_seconds
        return path, expires, self._secrets.url_signature(path, expires)

    def proved(self, path: str, expires: str, signature: str) -> str | None:
        """The file's id, if the address is ours and has not ended."""
        match = _PATH.fullmatch(path)
        if match is None or not expires.isdecimal() or len(expires) > 12:
            return None
        good = self._secrets.url_valid(path, int(expires), signature, int(time.time()))
        return match[1] if good else None

    def own(self, url: str, bases: tuple[str, ...], library: str) -> File | None:
        """The file that one of our own addresses means; None for any other address.

        Raises:
            NotFoundError: it is ours, but has ended or is not the caller's.
        """
        try:
            parts = urlsplit(url)
        except ValueError:  # no URL at all, as `http://[`
            return None
        if f"{parts.scheme}://{parts.netloc}".lower() not in {base.lower().rstrip("/") for base in bases}:
            return None
        query = parse_qs(parts.query)
        if _PATH.fullmatch(parts.path):
            proved = self.proved(parts.path, query.get("expires", [""])[0], query.get("signature", [""])[0])
            return self.get(proved or "", None)
        if match := _STORAGE.fullmatch(parts.path):
            return self.get(self.proved(f"/files{match[3]}", match[1], match[2]) or "", None)
        match = _OTHERS.fullmatch(parts.path)
        return None if match is None else self.get(match[1] or match[2], library)

    def roles(self, job: Job) -> list[tuple[Role, File]]:
        """The files that a job was made from, to order it once more.

        Raises:
            ConflictError: one of them was deleted.
        """
        found: list[tuple[Role, File]] = []
        with self._database.session() as session:
            for source in job.sources:
                same = sa.select(StoredFile).where(
                    StoredFile.sha256 == source.sha256, StoredFile.library == job.library
                )
                row = session.get(StoredFile, source.picture) if source.picture else session.scalar(same.limit(1))
                if row is not None and not (source.character and source.role == "reference"):
                    found.append((source.role, file_of(row)))
        if not all(self._blobs.has(digest) for digest in job.order.digests()):
            raise ConflictError("a picture that it was made from was deleted", remedy="Order it anew.")
        return found

    def forget(self, file_id: str) -> None:
        """Its address ends; the bytes stay for others that use them."""
        with self._database.session() as session:
            session.execute(sa.delete(StoredFile).where(StoredFile.id == file_id))

    def keep(self, digests: tuple[str, ...], library: str) -> None:
        """Uploads of a library that a job of its own uses do not expire."""
        mine = sa.update(StoredFile).where(StoredFile.sha256.in_(digests), StoredFile.library == library)
        with self._database.session() as session:
            session.execute(mine.values(expires_at=None))


def file_of(row: StoredFile) -> File:
    """The value of a row."""
    values: dict[str, Any] = {name: getattr(row, name) for name in File.__dataclass_fields__}
    return File(**{**values, "notes": tuple(values["notes"])})
