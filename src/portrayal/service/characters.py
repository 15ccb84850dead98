"""Saved characters of the service, and the `@name` in any prompt.

Rows hold the card, the blob store the pictures, and each picture has a file row, so that it has an address and is not
taken for waste. In the embedded installation the library "main" and the folder that the command line uses are one:
what is saved, changed or removed here is so there, and the other way round (`character_folder`).
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any, Final

from portrayal.character import archive, cache, card, names, saved
from portrayal.character.card import THUMBNAIL, Card, id_of
from portrayal.character.mentions import candidates, mentions
from portrayal.errors import InvalidRequestError, MissingDataError, NotFoundError, UnknownCharacterError
from portrayal.request import MAX_CAST
from portrayal.service.blobs import Blobs
from portrayal.service.character_folder import CharacterFolder
from portrayal.service.character_store import Character, CharacterStore, taken
from portrayal.service.database import Database
from portrayal.service.files import File
from portrayal.service.keys import LIBRARY
from portrayal.service.orders import Order, Who
from portrayal.settings import Settings

PAGE: Final = 200
_MOST_MENTIONS: Final = 4000  # spellings that are looked up for one prompt
_LIST: Final = "GET /api/v1/characters lists all."
_KEY: Final = 80  # characters of the column


class Characters:
    """The characters of each library. Calls block; making one studies its picture (about 0.6 s)."""

    def __init__(self, settings: Settings, database: Database, blobs: Blobs) -> None:
        self._settings, self._blobs, self._store = settings, blobs, CharacterStore(database, blobs)
        self._studying = threading.Lock()
        self._folder = CharacterFolder(settings) if database.sqlite else None

    # Orders.

    def resolved(self, order: Order, library: str) -> tuple[Order, dict[str, str]]:
        """The order with the characters that its prompt mentions, and digest -> id of those that are saved.

        Raises:
            UnknownCharacterError: a name that nobody has.
            InvalidRequestError: more characters than a picture may have, or the operation has no use for them.
        """
        given = order.characters
        keys = candidates(order.prompt)
        if keys:
            there = {names.key(who.name) for who in given if who.name}
            known = self._by_keys(library, keys)
            called = mentions(order.prompt, [*(c.card.name for c in known.values()), *(w.name for w in given)])
            missing = [name for name in called if names.key(name) not in there]
            added = tuple(self._known(name, known, library) for name in missing)
            if len(given) + len(added) > MAX_CAST:
                raise InvalidRequestError(
                    f"{len(given) + len(added)} characters are given and mentioned",
                    field="prompt",
                    remedy=f"Name at most {MAX_CAST}.",
                )
            order = order.model_copy(update={"characters": (*given, *added)})
            order.check()
        return order, {who.image: id_of(who.name) for who in order.characters if who.name}

    def _known(self, name: str, known: Mapping[str, Character], library: str) -> Who:
        found = known.get(names.key(name))
        if found is None:
            raise self._unknown(name, library, "prompt")
        return found.who

    def who(self, name: str, library: str, field: str = "character") -> Who:
        """The character of a name, with or without ``@``, for an order.

        Raises:
            UnknownCharacterError: nobody has it; the nearest names are told.
        """
        found = self._find(name, library)
        if found is None:
            raise self._unknown(name.strip().lstrip("@＠"), library, field)
        return found.who

    def reference(self, name: str, library: str) -> File:
        """The file of a character's picture, for lineage and rules.

        Raises:
            NotFoundError: there is no such character.
        """
        found = self.get(name, library)
        return self.files([found])[found.card.id][found.card.reference.file]

    def _unknown(self, name: str, library: str, field: str) -> UnknownCharacterError:
        error = saved.unknown(name[:60], self._store.some_names(library))
        error.field = field
        error.remedy = error.remedy.replace("`portrayal character list` shows all.", _LIST)
        error.remedy = error.remedy.replace("`portrayal character add NAME PICTURE`", "POST /api/v1/characters")
        return error

    # Looking.

    def get(self, name: str, library: str) -> Character:
        """The character of a name (any spelling, with or without ``@``) or id.

        Raises:
            NotFoundError: there is none.
        """
        found = self._find(name, library)
        if found is None:
            raise NotFoundError("there is no such character", field="name", remedy=_LIST)
        return found

    def page(
        self, library: str, *, limit: int = 50, cursor: str = "", contains: str = ""
    ) -> tuple[list[Character], str]:
        """Characters by name, and the cursor of the next page ("" at the end).

        Args:
            limit: 1 to 200.
            cursor: what the page before gave.
            contains: a part of the name.

        Raises:
            InvalidRequestError: a cursor that is none.
        """
        self._refresh(library)
        return self._store.page(library, min(limit, PAGE), cursor, contains.strip().lstrip("@＠"))

    def files(self, characters: Sequence[Character]) -> dict[str, dict[str, File]]:
        """The files of characters with their addresses: id -> name of the file -> file; see `Character.digests`."""
        return self._store.files(characters)

    def export(self, name: str, library: str, *, with_identity: bool = False) -> tuple[str, bytes]:
        """(name, zip file) of a character, in the form of `portrayal character export`.

        Raises:
            NotFoundError: there is none.
            MissingDataError: one of its files is lost.
        """
        found = self.get(name, library)
        with tempfile.TemporaryDirectory() as folder:  # mode 0700
            data = {file: self._blobs.get(digest) for file, digest in found.digests.items()}
            for file, content in data.items():
                (Path(folder) / file).write_bytes(content)
            used = found.card.mask_file()
            whole = saved.SavedCharacter(
                found.card,
                Path(folder),
                data[found.card.reference.file],
                None if used is None else data[used.file],
            )
            return found.card.name, archive.packed(whole, self._settings, with_identity=with_identity)

    # Changing.

    def add(
        self,
        name: str,
        picture: bytes,
        library: str,
        *,
        mask: bytes | None = None,
        notes: str = "",
        tags: Sequence[str] = (),
        replace: bool = False,
    ) -> Character:
        """Save a character; see `portrayal.character.saved.add` for the fields.

        Raises:
            ConflictError: the name is taken and `replace` is not given.
            InvalidRequestError, MaskMismatchError, NoSubjectError: as there.
        """
        name = names.checked(name)
        self._refuse_taken(name, library, replace)
        new = card.made(
            schema_version=card.SCHEMA,
            id=id_of(name),
            name=name,
            kind="person",
            notes=notes,
            tags=_tags(tags),
            created=saved.now(),
            reference={"file": f"reference.{saved.extension(picture)}", "sha256": saved.sha256(picture)},
        )
        files = {new.reference.file: picture}
        if mask is not None:
            data = saved.prepared(picture, mask)
            new = saved.with_mask(new, data, "")
            files[new.masks[0].file] = data
        return self._studied(new, files, library, replace)

    def import_(self, data: bytes, library: str, *, name: str | None = None, replace: bool = False) -> Character:
        """Save the character of a zip file of `portrayal character export`.

        Raises:
            ArchiveError: it is none, or damaged.
            ConflictError: the name is taken and `replace` is not given.
        """
        wanted = None if name is None else names.checked(name)
        found, files = archive.unpacked(data)
        called = wanted or found.name
        self._refuse_taken(called, library, replace)
        found = found.model_copy(update={"name": called, "id": id_of(called)})
        kept = {found.reference.file, *(m.file for m in found.masks)}
        return self._studied(found, {file: data for file, data in files.items() if file in kept}, library, replace)

    def change(
        self,
        name: str,
        library: str,
        *,
        new_name: str | None = None,
        notes: str | None = None,
        tags: Sequence[str] | None = None,
        star: bool | None = None,
    ) -> Character:
        """Change what is written about a character; None leaves a thing as it is.

        Raises:
            NotFoundError: there is none. ConflictError: the new name is taken.
            InvalidRequestError: a value that is not allowed.
        """
        old = self.get(name, library)
        values: dict[str, Any] = {"notes": notes, "tags": None if tags is None else _tags(tags), "star": star}
        if new_name is not None:
            values["name"] = names.checked(new_name)
            values["id"] = id_of(values["name"])
            if values["id"] != old.card.id:
                self._refuse_taken(values["name"], library, replace=False)
        new = card.made(**{**old.card.model_dump(), **{k: v for k, v in values.items() if v is not None}})
        return self._kept(new, {}, old.thumbnail, old.advice, library, new.id == old.card.id, old)

    def add_mask(self, name: str, mask: bytes, library: str, *, note: str = "") -> Character:
        """Add a version of the mask, and use it.

        Raises:
            NotFoundError: there is no such character.
            MaskMismatchError, InvalidRequestError: as for `portrayal.character.saved.add_mask`.
        """
        old = self.get(name, library)
        picture = self._blobs.get(old.card.reference.sha256)
        data = saved.prepared(picture, mask)
        new = saved.with_mask(old.card, data, note)
        return self._studied(new, {new.masks[-1].file: data}, library, replace=True, old=old)

    def use_mask(self, name: str, version: int, library: str) -> Character:
        """Use another version of the mask; 0 is the automatic one.

        Raises:
            NotFoundError: there is no such character. InvalidRequestError: no such version.
        """
        old = self.get(name, library)
        have = [m.version for m in old.card.masks]
        if version and version not in have:
            shown = ", ".join(map(str, have)) or "none"
            raise InvalidRequestError(
                f"there is no version {version}",
                field="version",
                remedy=f"There are: {shown}; 0 is the automatic mask.",
            )
        new = old.card.model_copy(update={"mask_used": version})
        return self._studied(new, {}, library, replace=True, old=old)

    def remove(self, name: str, library: str) -> Character:
        """Delete a character, what was learnt from it, and its pictures where nothing else uses them.

        Raises:
            NotFoundError: there is none.
        """
        old = self.get(name, library)
        learnt = self._learnt_digests(old)
        if old.in_folder and self._folder is not None:
            with self._folder.alone:
                self._folder.remove(old.card.id)
                self._store.forget(old)
        else:
            self._store.forget(old)
        for digest in learnt:
            cache.forget(digest, self._settings.cache_dir)
        return old

    # Inside.

    def _studied(
        self, new: Card, files: dict[str, bytes], library: str, replace: bool, old: Character | None = None
    ) -> Character:
        """Study the picture with the mask in use, then keep all."""
        from portrayal.character.learning import study  # the nets and kernels: only where a picture is studied
        from portrayal.character.thumbnail import thumbnail

        picture = files.get(new.reference.file) or self._blobs.get(new.reference.sha256)
        used = new.mask_file()
        mask = None if used is None else files.get(used.file) or self._blobs.get(used.sha256)
        with self._studying:
            known = study(picture, mask=mask, use_cache=self._settings.cache, cache_dir=self._settings.cache_dir)
            small = thumbnail(known)
        new = new.model_copy(update={"kind": known.kind})
        files = {**files, THUMBNAIL: small}
        if replace and old is None:
            old = self._find(new.name, library)
        return self._kept(new, files, saved.sha256(small), known.advice, library, replace, old)

    def _kept(
        self,
        new: Card,
        files: dict[str, bytes],
        thumbnail: str,
        advice: tuple[str, ...],
        library: str,
        replace: bool,
        old: Character | None,
    ) -> Character:
        """Write a character: into the folder first, which is the truth of the embedded installation."""
        for data in files.values():
            self._blobs.put(data)
        made = Character(new, library, thumbnail, tuple(advice), time.time())
        if self._folder is None or library != LIBRARY:
            self._store.record(made, old)
            return made
        made = replaced(made, in_folder=True)
        whole = {file: files.get(file) or self._blobs.get(digest) for file, digest in made.digests.items()}
        with self._folder.alone:
            if not self._folder.write(new, whole, replace=replace):
                raise taken(new.name)
            if old is not None and old.card.id != new.id:
                self._folder.remove(old.card.id)
            self._store.record(made, old)
        return made

    def _learnt_digests(self, old: Character) -> set[str]:
        """Digests of all identity maps that may have been learnt: of the picture alone, and with each mask."""
        found = {old.card.reference.sha256}
        try:
            picture = self._blobs.get(old.card.reference.sha256)
            found |= {saved.sha256(picture + self._blobs.get(m.sha256)) for m in old.card.masks}
        except MissingDataError:
            pass  # then nothing can be named by it
        return found

    def _refuse_taken(self, name: str, library: str, replace: bool) -> None:
        if len(names.key(name)) > _KEY:
            raise InvalidRequestError("is too long", field="name", remedy="Use fewer letters.")
        if not replace and self._find(name, library) is not None:
            raise taken(name)

    def _find(self, name: str, library: str) -> Character | None:
        try:
            key = names.key(names.checked(name))
        except InvalidRequestError:
            return None
        self._refresh(library)
        return self._store.find(library, key=key)

    def _by_keys(self, library: str, keys: Sequence[str]) -> dict[str, Character]:
        if len(keys) > _MOST_MENTIONS:
            raise InvalidRequestError(
                "mentions too many names", field="prompt", remedy=f"Name at most {MAX_CAST} characters."
            )
        self._refresh(library)
        return self._store.by_keys(library, keys)

    # The command line's folder.

    def _refresh(self, library: str) -> None:
        """Take over what another program changed in the folder; one look at a date when nothing was."""
        if self._folder is None or library != LIBRARY:
            return
        with self._folder.changes(lambda: self._store.mirrored(LIBRARY)) as (changed, gone):
            for found, files in changed:
                old = self._store.find(LIBRARY, key=found.id)
                if old is not None and old.in_folder and old.card == found:
                    continue
                for data in files.values():
                    self._blobs.put(data)
                small = saved.sha256(files[THUMBNAIL])
                self._store.record(Character(found, LIBRARY, small, (), time.time(), True), old)
            for id_ in gone:
                old = self._store.find(LIBRARY, key=id_)
                if old is not None:
                    self._store.forget(old)


def _tags(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(" ".join(tag.split()) for tag in tags))
