"""The folder of the command line's saved characters, watched and written by the embedded service.

Every program that writes there sets the mode of the folder first (`portrayal.character.folders.writing`), which
changes its dates: one look at them tells that nothing has happened.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from portrayal.character import folders, saved
from portrayal.character.card import THUMBNAIL, Card
from portrayal.errors import PortrayalError
from portrayal.settings import Settings

log = logging.getLogger("portrayal.characters")

Changes: TypeAlias = tuple[list[tuple[Card, dict[str, bytes]]], list[str]]
_Stamp: TypeAlias = tuple[int, int, int]
_MISSING: Final[_Stamp] = (-1, 0, 0)
_SETTLED: Final = 100_000_000
"""Nanoseconds after which a second change of the same folder gets another date on every file system in use."""


class CharacterFolder:
    """The folder ``characters`` of the data folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.alone = threading.RLock()
        """Held while folder and database are brought together."""
        self._seen: _Stamp | None = None
        self._cards: dict[str, _Stamp] | None = None  # id -> dates of its card when it was last read

    def write(self, known: Card, files: dict[str, bytes], *, replace: bool) -> bool:
        """Write a character; False when one of its name is there and shall not be replaced.

        Raises:
            OutputError: it cannot be written.
        """
        whole = {**files, saved.CARD: known.text()}
        with self.alone:
            folder = folders.create(self._settings, known.id, whole, replace)
            if folder is not None and self._cards is not None:
                self._cards[known.id] = _stamp(folder / saved.CARD)
            return folder is not None

    def remove(self, id_: str) -> None:
        """Delete a character, if it is there.

        Raises:
            OutputError: it cannot be deleted.
        """
        with self.alone:
            folder = folders.find(self._settings, id_)
            if folder is not None:
                folders.delete(self._settings, folder)
            if self._cards is not None:
                self._cards.pop(id_, None)

    @contextmanager
    def changes(self, known: Callable[[], dict[str, Card]]) -> Iterator[Changes]:
        """What other programs changed since the last time: characters with their files, and ids that are gone.

        The changes count as taken over when the context ends without an error.

        Args:
            known: the cards that the database has; asked for the first time only.
        """
        with self.alone:
            base = folders.base(self._settings)
            stamp = _stamp(base)
            if stamp == self._seen or (stamp != _MISSING and not os.access(base, os.R_OK | os.X_OK)):
                yield [], []
                return
            at = time.time_ns()
            there = {folder.name: _stamp(folder / saved.CARD) for folder in folders.every(self._settings)}
            cards = known() if self._cards is None else {}
            before = self._cards or {}
            gone = sorted((before.keys() | cards.keys()) - there.keys())
            new = [id_ for id_, dates in there.items() if before.get(id_) != dates]
            changed = [found for id_ in new if (found := self._read(id_, cards.get(id_))) is not None]
            yield [found for found in changed if found[1]], gone
            read = {found[0].id for found in changed}
            self._cards = {id_: dates for id_, dates in there.items() if id_ in read or id_ not in new}
            # What changes within the same tick of the clock would keep its date.
            self._seen = stamp if at - max(stamp[1:]) > _SETTLED else None

    def _read(self, id_: str, known: Card | None) -> tuple[Card, dict[str, bytes]] | None:
        """A character with its files; without them when the database has the same card; None when it is damaged."""
        try:
            found = saved.resolve(id_, self._settings)
            if found.card == known:
                return found.card, {}
            files = {found.card.reference.file: found.reference}
            files |= {m.file: saved.proved(found.folder, m.file, m.sha256, found.name) for m in found.card.masks}
            files[THUMBNAIL] = _thumbnail(found, self._settings)
        except PortrayalError as error:
            log.warning("a saved character cannot be used", extra={"character": id_, "error": type(error).__name__})
            return None
        return found.card, files


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return _MISSING
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _thumbnail(found: saved.SavedCharacter, settings: Settings) -> bytes:
    """The small picture; made again where it is missing."""
    try:
        return found.thumbnail.read_bytes()
    except OSError:
        return saved.learnt(found.reference, found.mask, settings, None)[1]
