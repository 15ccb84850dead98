"""The fields of a call, whichever way they came: multipart, URL-encoded or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request

from portrayal.api.bodies import Upload, read_form, read_json
from portrayal.errors import InvalidRequestError

_SHOWN: Final = 8  # unknown names in one warning


class Fields:
    """What a caller gave, by name. It remembers which names were asked for.

    Args:
        parts: every value of each name, in order: texts and uploads of a form, or what JSON holds.
    """

    def __init__(self, parts: Mapping[str, Sequence[Any]]) -> None:
        self._parts = {name: [v for v in values if not _empty(v)] for name, values in parts.items()}
        self._known: set[str] = set()

    @classmethod
    async def read(cls, request: Request, largest: int) -> Fields:
        """The fields of a request.

        Args:
            largest: size of one picture, bytes.

        Raises:
            InvalidRequestError, ImageTooLargeError: as for `bodies.read_form` and `bodies.read_json`.
        """
        headers = request.headers
        if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
            return cls({})
        if headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            found = await read_json(request, largest)
            return cls({name: value if isinstance(value, list) else [value] for name, value in found.items()})
        return cls(await read_form(request, largest))

    def given(self, name: str) -> bool:
        """Whether there is anything under that name."""
        self._known.add(name)
        return bool(self._parts.get(name))

    def values(self, name: str) -> list[Any]:
        """Every value; files as text.

        Raises:
            InvalidRequestError: a file that is no text.
        """
        self._known.add(name)
        return [_text(value, name) if isinstance(value, Upload) else value for value in self._parts.get(name, [])]

    def value(self, name: str) -> Any:
        """The one value; None when there is none.

        Raises:
            InvalidRequestError: there are several.
        """
        found = self.values(name)
        if len(found) > 1:
            raise InvalidRequestError("is given more than once", field=name, remedy="Give one value.")
        return found[0] if found else None

    def objects(self, name: str) -> list[Any]:
        """Values that are JSON: parts of a form that hold it, or what a JSON body holds; lists are put in a row.

        Raises:
            InvalidRequestError: a part that is no JSON.
        """
        found: list[Any] = []
        for value in self.values(name):
            read = _json(value, name) if isinstance(value, str) else value
            found += read if isinstance(read, list) else [read]
        return found

    def object(self, name: str) -> Any:
        """The one value that is JSON; None when there is none.

        Raises:
            InvalidRequestError: there are several, or it is no JSON.
        """
        found = self.objects(name)
        if len(found) > 1:
            raise InvalidRequestError("is given more than once", field=name, remedy="Give one value.")
        return found[0] if found else None

    def pictures(self, name: str) -> list[bytes | str]:
        """Pictures: the bytes of uploads; texts are addresses or data URIs.

        Raises:
            InvalidRequestError: something else, e.g. a number in JSON.
        """
        self._known.add(name)
        found: list[bytes | str] = []
        for value in self._parts.get(name, []):
            if not isinstance(value, Upload | str):
                raise InvalidRequestError("is no picture", field=name, remedy="Send the file itself.")
            found.append(value.data if isinstance(value, Upload) else value)
        return found

    def picture(self, name: str, remedy: str) -> bytes | str:
        """The one picture.

        Raises:
            InvalidRequestError: there is none, or several; `remedy` says what to do when there is none.
        """
        found = self.pictures(name)
        if len(found) != 1:
            message = "is required" if not found else f"{len(found)} files are given"
            raise InvalidRequestError(message, field=name, remedy=remedy if not found else "Give one.")
        return found[0]

    def unknown(self) -> tuple[str, ...]:
        """A warning for each field that nobody asked for."""
        names = [name for name in self._parts if name not in self._known]
        shown = ["".join(c if c.isprintable() else "?" for c in name)[:40] for name in names[:_SHOWN]]
        notes = tuple(f"{name}: this call has no such field; it was ignored" for name in shown)
        more = len(names) - len(shown)
        return (*notes, f"{more} more fields were ignored") if more else notes


def _empty(value: Any) -> bool:
    """Nothing: null, "", or the empty file that a form sends for a field that was left open."""
    return value in (None, "") or (isinstance(value, Upload) and not value.data and not value.name)


def _text(upload: Upload, name: str) -> str:
    try:
        return upload.data.decode()
    except UnicodeDecodeError:
        raise InvalidRequestError("is a file, not a text", field=name, remedy="Send UTF-8.") from None


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequestError("is no JSON", field=name, remedy="Send a JSON part.") from None
