"""The rows, file rows and blobs of saved characters."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portrayal.character import names
from portrayal.character.card import THUMBNAIL, Card
from portrayal.errors import ConflictError, InvalidRequestError
from portrayal.service import unused
from portrayal.service.blobs import Blobs
from portrayal.service.database import Database
from portrayal.service.files import File, Purpose, file_of
from portrayal.service.ids import new_id
from portrayal.service.orders import Who
from portrayal.service.pictures import fingerprint
from portrayal.service.tables import CharacterRow, PortrayalRow, SourceRow, StoredFile

_ADVICE: Final = "_advice"
_FOLDER: Final = "_folder"
_MEDIA: Final = {"jpg": "image/jpeg", "tif": "image/tiff"}


@dataclass(frozen=True)
class Character:
    """A saved character.

    Attributes:
        card: what is known of it; thumbnail: digest of its small picture.
        advice: what the study of the picture says to its owner.
        updated_at: seconds since 1970.
        in_folder: it lies in the command line's folder too.
    """

    card: Card
    library: str
    thumbnail: str
    advice: tuple[str, ...] = ()
    updated_at: float = 0.0
    in_folder: bool = False

    @property
    def mask(self) -> str | None:
        """Digest of the mask in use; None for the automatic one."""
        used = self.card.mask_file()
        return None if used is None else used.sha256

    @property
    def digests(self) -> dict[str, str]:
        """Its files: name -> digest."""
        masks = {m.file: m.sha256 for m in self.card.masks}
        return {self.card.reference.file: self.card.reference.sha256, **masks, THUMBNAIL: self.thumbnail}

    @property
    def who(self) -> Who:
        """As a part of an order, pinned by its digests."""
        return Who(image=self.card.reference.sha256, mask=self.mask, name=self.card.name)


class CharacterStore:
    """Reads and writes characters as they are; what they should be is decided elsewhere. Calls block."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database, self._blobs = database, blobs

    def find(self, library: str, *, key: str) -> Character | None:
        """The character of a name's key, or of an id."""
        with self._database.session() as session:
            row = session.scalar(
                sa.select(CharacterRow).where(
                    CharacterRow.library == library, sa.or_(CharacterRow.name_key == key, CharacterRow.id == key[:36])
                )
            )
        return None if row is None else _character(row)

    def by_keys(self, library: str, keys: Sequence[str]) -> dict[str, Character]:
        """Those of these keys that there are."""
        found = {}
        with self._database.session() as session:
            for at in range(0, len(keys), 400):  # databases limit the number of parameters
                part = keys[at : at + 400]
                for row in session.scalars(
                    sa.select(CharacterRow).where(CharacterRow.library == library, CharacterRow.name_key.in_(part))
                ):
                    found[row.name_key] = _character(row)
        return found

    def some_names(self, library: str, most: int = 2000) -> list[str]:
        """Names, to tell the nearest ones."""
        with self._database.session() as session:
            return list(
                session.scalars(sa.select(CharacterRow.name).where(CharacterRow.library == library).limit(most))
            )

    def page(self, library: str, limit: int, cursor: str, contains: str) -> tuple[list[Character], str]:
        """Characters by name, and the cursor of the next page; see `Characters.page`."""
        wanted = sa.select(CharacterRow).where(CharacterRow.library == library)
        if cursor:
            wanted = wanted.where(CharacterRow.name_key > _key_of(cursor))
        if contains:
            part = names.key(contains).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            wanted = wanted.where(CharacterRow.name_key.like(f"%{part}%", escape="\\"))
        with self._database.session() as session:
            rows = list(session.scalars(wanted.order_by(CharacterRow.name_key).limit(limit + 1)))
        more = len(rows) > limit
        rows = rows[:limit]
        return [_character(row) for row in rows], _cursor(rows[-1].name_key) if more else ""

    def mirrored(self, library: str) -> dict[str, Card]:
        """The cards that are in the command line's folder as far as the database knows."""
        with self._database.session() as session:
            rows = session.scalars(sa.select(CharacterRow).where(CharacterRow.library == library))
            return {row.id: _character(row).card for row in rows if row.card.get(_FOLDER)}

    def files(self, characters: Sequence[Character]) -> dict[str, dict[str, File]]:
        """The files of characters: id -> name of the file -> file; one query."""
        wanted = {digest for character in characters for digest in character.digests.values()}
        out: dict[str, dict[str, File]] = {character.card.id: {} for character in characters}
        libraries = {character.library for character in characters}
        purposes = ("reference", "mask", "thumbnail")
        with self._database.session() as session:
            for row in session.scalars(
                sa.select(StoredFile).where(
                    StoredFile.sha256.in_(wanted), StoredFile.purpose.in_(purposes), StoredFile.library.in_(libraries)
                )
            ):
                id_, _, file = row.name.partition("/")
                if id_ in out:
                    out[id_][file] = file_of(row)
        return out

    def record(self, made: Character, old: Character | None) -> None:
        """Write the rows; pictures that are not used any more go."""
        row = _row(made)
        try:
            with self._database.session() as session:
                if old is not None and old.card.id != made.card.id:
                    there = sa.and_(CharacterRow.id == old.card.id, CharacterRow.library == made.library)
                    session.execute(sa.delete(CharacterRow).where(there))
                    self._renamed(session, old, made)
                # A new one is inserted, so that of two that are saved at once under one name only one is.
                session.add(row) if old is None or old.card.id != row.id else session.merge(row)
                self._own_files(session, made, old)
        except IntegrityError:
            raise taken(made.card.name) from None
        if old is not None:
            unused.drop(
                self._database, self._blobs, set(old.digests.values()) - set(made.digests.values()), history=False
            )

    def _renamed(self, session: Session, old: Character, made: Character) -> None:
        mine = sa.select(PortrayalRow.id).where(PortrayalRow.library == made.library)
        session.execute(
            sa.update(SourceRow)
            .where(SourceRow.character == old.card.id, SourceRow.portrayal_id.in_(mine))
            .values(character=made.card.id)
        )

    def _own_files(self, session: Session, made: Character, old: Character | None) -> None:
        """One file row for each picture of the character, and none for those that it has no longer."""
        before = {} if old is None else {f"{old.card.id}/{name}": digest for name, digest in old.digests.items()}
        after = {f"{made.card.id}/{name}": digest for name, digest in made.digests.items()}
        for name, digest in before.items():
            if after.get(name) != digest:
                session.execute(sa.delete(StoredFile).where(*_file_is(digest, name, made.library)))
        for name, digest in after.items():
            if session.scalar(sa.select(StoredFile.id).where(*_file_is(digest, name, made.library))) is None:
                session.add(self._file_row(name, digest, made.library))

    def _file_row(self, name: str, digest: str, library: str) -> StoredFile:
        from PIL import Image

        data = self._blobs.get(digest)
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
        file = name.partition("/")[2]
        ending = file.rpartition(".")[2]
        purpose: Purpose = "thumbnail" if file == THUMBNAIL else "mask" if file.startswith("mask-") else "reference"
        return StoredFile(
            id=new_id(),
            library=library,
            sha256=digest,
            media_type=_MEDIA.get(ending, f"image/{ending}"),
            size=len(data),
            width=width,
            height=height,
            name=name,
            purpose=purpose,
            fingerprint=fingerprint(data) if purpose == "reference" else "",
            notes=[],
            created_at=time.time(),
        )

    def forget(self, old: Character) -> None:
        """Delete the rows, and the pictures that nothing else uses."""
        with self._database.session() as session:
            there = sa.and_(CharacterRow.id == old.card.id, CharacterRow.library == old.library)
            session.execute(sa.delete(CharacterRow).where(there))
            for name, digest in old.digests.items():
                session.execute(sa.delete(StoredFile).where(*_file_is(digest, f"{old.card.id}/{name}", old.library)))
        # What was made from it stays; the picture itself goes.
        unused.drop(self._database, self._blobs, old.digests.values(), history=False)


def _character(row: CharacterRow) -> Character:
    values = dict(row.card)
    advice, in_folder = values.pop(_ADVICE, ()), bool(values.pop(_FOLDER, False))
    known = Card.model_validate(values)
    return Character(known, row.library, row.thumbnail_sha256, tuple(advice), row.updated_at, in_folder)


def _row(made: Character) -> CharacterRow:
    known = made.card
    return CharacterRow(
        id=known.id,
        library=made.library,
        name=known.name,
        name_key=names.key(known.name),
        notes=known.notes,
        card={**known.model_dump(mode="json"), _ADVICE: list(made.advice), _FOLDER: made.in_folder},
        reference_sha256=known.reference.sha256,
        mask_sha256=made.mask,
        thumbnail_sha256=made.thumbnail,
        created_at=known.created.timestamp(),
        updated_at=made.updated_at,
    )


def _file_is(digest: str, name: str, library: str) -> tuple[Any, ...]:
    return StoredFile.sha256 == digest, StoredFile.name == name, StoredFile.library == library


def taken(name: str) -> ConflictError:
    """The error for a name that somebody has."""
    return ConflictError(
        f"a character @{name} is saved already", field="name", remedy="Choose another name, or replace it."
    )


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _key_of(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise InvalidRequestError("is no cursor", field="cursor", remedy="Give what the page before gave.") from None
