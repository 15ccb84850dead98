"""What the studio keeps of the last few characters between pictures: geometry that depends on the reference alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final, Generic, TypeVar

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.body import complete
from portrayal.engines.studio.head import HeadModel, analyse
from portrayal.engines.studio.mirror import mirrored
from portrayal.engines.studio.wardrobe.head import Bare, undressed

T = TypeVar("T")
_CHARACTERS: Final = 6


class Kept:
    """Head models and other states of the characters, by the character's digest; made at first use. Thread-safe."""

    def __init__(self) -> None:
        self._models: _Few[HeadModel] = _Few()
        self._completed: _Few[IdentityMap] = _Few()
        self._mirrored: _Few[IdentityMap] = _Few()
        self._bare: _Few[Bare] = _Few()

    def model(self, character: IdentityMap) -> HeadModel:
        """Geometry of the head; only for characters with a face."""
        return self._models.get(character, analyse)

    def wider(self, character: IdentityMap) -> IdentityMap:
        """The character with completed shoulders; itself when nothing is cut off."""
        return self._completed.get(character, complete)

    def mirrored(self, character: IdentityMap) -> IdentityMap:
        """The character seen in a mirror."""
        return self._mirrored.get(character, mirrored)

    def bare(self, character: IdentityMap) -> Bare:
        """The character without clothes below the neck; only for characters with a face."""
        return self._bare.get(character, undressed)


class _Few(Generic[T]):
    """What was made of the last few characters, by digest."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def get(self, character: IdentityMap, make: Callable[[IdentityMap], T]) -> T:
        with self._lock:
            if character.digest in self._items:
                self._items.move_to_end(character.digest)
                return self._items[character.digest]
        made = make(character)
        with self._lock:
            self._items[character.digest] = made
            while len(self._items) > _CHARACTERS:
                self._items.popitem(last=False)
        return made
