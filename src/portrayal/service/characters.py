"""Saved characters of the service, and the `@name` in any prompt."""

from __future__ import annotations

from portrayal.character.mentions import mentions
from portrayal.errors import UnknownCharacterError
from portrayal.service.blobs import Blobs
from portrayal.service.database import Database
from portrayal.service.files import Files
from portrayal.service.orders import Order
from portrayal.settings import Settings


class Characters:
    """The characters of each library."""

    def __init__(self, settings: Settings, database: Database, blobs: Blobs, files: Files) -> None:
        self._settings, self._database, self._blobs, self._files = settings, database, blobs, files

    def resolved(self, order: Order, library: str) -> tuple[Order, dict[str, str]]:
        """The order with the characters that its prompt mentions, and digest -> id of those that are saved.

        Raises:
            UnknownCharacterError: a name that nobody has.
        """
        found = mentions(order.prompt, ())
        if found:
            raise UnknownCharacterError(f"no character @{found[0]} is saved", field="prompt", remedy="Save it first.")
        return order, {}
