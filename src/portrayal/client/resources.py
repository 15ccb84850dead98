"""What a server keeps: files, characters, portrayals."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

from portrayal.client.models import Character, Event, Job, StoredFile
from portrayal.client.transport import ServerError, Transport
from portrayal.errors import ImageReadError, InvalidRequestError, PortrayalError

Given: TypeAlias = str | Path | bytes | StoredFile
"""A picture: a path, bytes, an http(s) address, a data URI, or a file of the server."""
Show: TypeAlias = Callable[[str, float], None]
_POLL: Final = 1.0


class WaitingError(PortrayalError):
    """The time for waiting is out; what was waited for goes on."""


class Files:
    """Uploads and masks of what is in them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(self, *pictures: str | Path | bytes, field: str = "file") -> list[StoredFile]:
        """Upload pictures: paths or bytes.

        Raises:
            ImageReadError: one cannot be read, or the server says that it is no picture; `field` is named.
        """
        parts = []
        for picture in pictures:
            if isinstance(picture, bytes):
                parts.append(("files", ("picture", picture)))
            else:
                parts.append(("files", (Path(picture).name, _bytes(Path(picture), field))))
        try:
            found = self._transport.call("POST", "/files", files=parts)
        except (ImageReadError, InvalidRequestError) as error:
            error.field = field
            raise
        return [StoredFile.model_validate(file) for file in found["files"]]

    def address(self, given: Given, field: str) -> str:
        """What the server is told for a picture; local ones are uploaded first."""
        if isinstance(given, StoredFile):
            return given.id
        if isinstance(given, str) and given[:8].lower().startswith(("http://", "https://", "data:")):
            return given
        return self.upload(given, field=field)[0].id

    def get(self, file_id: str) -> StoredFile:
        """What is known of a file."""
        return StoredFile.model_validate(self._transport.call("GET", f"/files/{quote(file_id)}"))

    def read(self, file_id: str) -> bytes:
        """Its bytes."""
        return self._transport.data(f"/files/{quote(file_id)}/content")

    def delete(self, file_id: str) -> None:
        """Delete an upload."""
        self._transport.call("DELETE", f"/files/{quote(file_id)}")

    def mask(
        self,
        picture: Given,
        what: Literal["face", "hair", "head", "person", "clothing", "background"],
        *,
        grow: int = 0,
        feather: int = 0,
    ) -> StoredFile:
        """A mask of what is in a picture, white = chosen; `grow` and `feather` in pixels."""
        file = picture if isinstance(picture, StoredFile) else None
        if file is None:
            if isinstance(picture, str) and picture.startswith(("http", "data:")):
                raise InvalidRequestError("is an address", field="picture", remedy="Give a file.")
            file = self.upload(picture, field="picture")[0]  # type: ignore[arg-type]
        body = {"what": what, "grow": grow, "feather": feather}
        return StoredFile.model_validate(self._transport.call("POST", f"/files/{file.id}/mask", json=body))


class Characters:
    """Saved characters; use them as ``@name`` in every prompt."""

    def __init__(self, transport: Transport, files: Files) -> None:
        self._transport, self._files = transport, files

    def add(
        self,
        name: str,
        picture: Given,
        *,
        mask: Given | None = None,
        notes: str = "",
        tags: Sequence[str] = (),
        replace: bool = False,
    ) -> Character:
        """Save one. Only pictures of people who agreed."""
        body = {
            "name": name,
            "image": self._files.address(picture, "reference"),
            "mask": None if mask is None else self._files.address(mask, "mask"),
            "notes": notes,
            "tags": list(tags),
            "replace": replace,
        }
        return Character.model_validate(self._transport.call("POST", "/characters", json=body))

    def get(self, name: str) -> Character:
        """The character of a name."""
        return Character.model_validate(self._transport.call("GET", _character(name)))

    def list(self, contains: str = "") -> Iterator[Character]:
        """All by name, or those whose name holds a text; pages are fetched as they are needed."""
        cursor: str | None = ""
        while cursor is not None:
            query = {"q": contains, "cursor": cursor, "limit": 100}
            page = self._transport.call("GET", "/characters", params=query)
            yield from (Character.model_validate(entry) for entry in page["characters"])
            cursor = page["next"]

    def change(self, name: str, /, **values: Any) -> Character:
        """Change `name`, `notes`, `tags` or `star`."""
        return Character.model_validate(self._transport.call("PATCH", _character(name), json=values))

    def add_mask(self, name: str, mask: Given, *, note: str = "") -> Character:
        """Add a version of the mask, and use it."""
        body = {"mask": self._files.address(mask, "mask"), "note": note}
        return Character.model_validate(self._transport.call("POST", f"{_character(name)}/masks", json=body))

    def use_mask(self, name: str, version: int) -> Character:
        """Use another version of the mask; 0 is the automatic one."""
        return Character.model_validate(
            self._transport.call("POST", f"{_character(name)}/masks", json={"use": version})
        )

    def remove(self, name: str) -> None:
        """Delete one, and all that was learnt from it."""
        self._transport.call("DELETE", _character(name))

    def export(self, name: str, *, with_identity: bool = False) -> bytes:
        """One as a zip file."""
        return self._transport.data(f"{_character(name)}/export", params={"with_identity": with_identity})

    def import_(self, archive: Path | bytes, *, name: str | None = None, replace: bool = False) -> Character:
        """Save the character of a zip file."""
        data = _bytes(archive, "file") if isinstance(archive, Path) else archive
        form = {"replace": str(replace).lower(), **({} if name is None else {"name": name})}
        found = self._transport.call("POST", "/characters/import", files=[("file", ("character.zip", data))], data=form)
        return Character.model_validate(found)


class Portrayals:
    """What was and is being made."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def submit(self, operation: str, body: dict[str, Any], idempotency_key: str | None = None) -> Job:
        """Order one; see /docs of the server for the fields."""
        headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
        found = self._transport.call("POST", f"/portrayals/{operation}", json=body, headers=headers)
        return Job.model_validate(found)

    def get(self, job_id: str) -> Job:
        """One as it is now."""
        return Job.model_validate(self._transport.call("GET", f"/portrayals/{quote(job_id)}"))

    def list(self, **query: Any) -> Iterator[Job]:
        """All, the newest first; `query` as GET /api/v1/portrayals takes it. Pages are fetched as they are needed."""
        cursor: str | None = None
        while True:
            asked = {**query, **({} if cursor is None else {"cursor": cursor})}
            page = self._transport.call("GET", "/portrayals", params=asked)
            yield from (Job.model_validate(entry) for entry in page["portrayals"])
            cursor = page.get("next")
            if cursor is None:
                return

    def cancel(self, job_id: str) -> Job:
        """Cancel one; it ends at its next stage."""
        return Job.model_validate(self._transport.call("POST", f"/portrayals/{quote(job_id)}/cancel"))

    def again(self, job_id: str, **values: Any) -> Job:
        """The same order once more, with another seed."""
        return Job.model_validate(self._transport.call("POST", f"/portrayals/{quote(job_id)}/again", json=values))

    def delete(self, job_id: str) -> None:
        """Delete one with its pictures."""
        self._transport.call("DELETE", f"/portrayals/{quote(job_id)}")

    def picture(self, job_id: str, position: int = 0) -> bytes:
        """The file of a picture."""
        return self._transport.data(f"/portrayals/{quote(job_id)}/pictures/{position}")

    def mask(self, job_id: str, position: int = 0) -> bytes:
        """The mask of an edit that was used, a PNG file."""
        return self._transport.data(f"/portrayals/{quote(job_id)}/pictures/{position}/mask")

    def events(self, job_id: str, *, after: int | None = None, timeout: float = 60.0) -> Iterator[tuple[int, Event]]:
        """What happens to one, from the beginning or after a number; each with its number. Ends with its end.

        Raises:
            ServerError: the line was lost, or nothing came for `timeout` seconds.
        """
        headers = {"accept": "text/event-stream"} | ({} if after is None else {"last-event-id": str(after)})
        number, kind = after or 0, ""
        with self._transport.stream(f"/portrayals/{quote(job_id)}/events", headers, timeout) as answer:
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    number = int(value)
                elif name == "event":
                    kind = value
                elif name == "data":
                    yield number, Event.model_validate({**json.loads(value), "type": kind})

    def wait(self, job_id: str, *, progress: Show | None = None, timeout: float | None = None) -> Job:
        """Wait until one is final.

        Args:
            progress: called with (stage, fraction).
            timeout: seconds; None = as long as it takes.

        Raises:
            WaitingError: the time is out; the portrayal goes on.
        """
        end = None if timeout is None else time.monotonic() + timeout
        seen: int | None = None
        lost = 0
        while True:
            try:
                for number, event in self.events(job_id, after=seen):
                    seen, lost = number or seen, 0
                    if event.progress is not None and progress is not None:
                        progress(event.progress.label, event.progress.fraction)
                    _in_time(end)
            except ServerError:
                lost += 1  # ask instead of listening, and try to listen again
            job = self.get(job_id)
            if job.final:
                return job
            if progress is not None and lost:
                progress(job.progress.label, job.progress.fraction)
            _in_time(end)
            time.sleep(_POLL if lost else 0.05)


def _in_time(end: float | None) -> None:
    if end is not None and time.monotonic() > end:
        raise WaitingError("the time is out; the portrayal goes on", field="timeout", remedy="Look for it later.")


def _character(name: str) -> str:
    return f"/characters/{quote(name.strip(), safe='')}"


def _bytes(path: Path, field: str) -> bytes:
    """The bytes of a local file.

    Raises:
        ImageReadError: it cannot be read.
    """
    try:
        if path.is_dir():
            raise ImageReadError(f"{path} is a folder", field=field, remedy="Name a picture file.")
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageReadError(f"there is no file {path}", field=field, remedy="Check the path.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImageReadError(f"cannot read {path}: {reason}", field=field, remedy="Check it.") from None
