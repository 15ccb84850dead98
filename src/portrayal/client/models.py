"""What the server answers, as values. Fields that a newer server adds are kept, not refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from portrayal.request import Operation
from portrayal.result import IdentityScore


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class StoredFile(_Answer):
    """An uploaded or made file; it can be given wherever a picture is asked for."""

    id: str
    url: str
    media_type: str
    size: int
    width: int
    height: int
    sha256: str
    name: str = ""
    purpose: str = ""
    notes: tuple[str, ...] = ()


class JobPicture(_Answer):
    """One picture of a portrayal; its file lies at `url`."""

    id: str
    position: int
    url: str
    sha256: str
    media_type: str
    width: int
    height: int
    seed: int
    identity: IdentityScore | None = None
    cast: tuple[IdentityScore, ...] = ()
    did: str = ""
    mask: str | None = None
    mask_box: tuple[int, int, int, int] | None = None
    warnings: tuple[str, ...] = ()
    timings: dict[str, float] = {}
    facts: dict[str, float] = {}


class Progress(_Answer):
    """How far a portrayal is; `fraction` 0..1 of the whole."""

    stage: str = "waiting"
    fraction: float = 0.0
    picture: int = 0
    of: int = 1

    @property
    def label(self) -> str:
        """The stage, with the picture's number where there are several."""
        return f"picture {self.picture} of {self.of}: {self.stage}" if self.of > 1 and self.picture else self.stage


class JobError(_Answer):
    """Why a portrayal failed."""

    type: str
    message: str
    field: str = ""
    remedy: str = ""


class Job(_Answer):
    """A portrayal on the server: `state` is starting, processing, succeeded, failed or canceled."""

    id: str
    operation: Operation
    state: str
    created_at: datetime
    completed_at: datetime | None = None
    order: dict[str, Any] = {}
    progress: Progress = Progress()
    pictures: tuple[JobPicture, ...] = ()
    proof: IdentityScore | None = None
    warnings: tuple[str, ...] = ()
    error: JobError | None = None
    result: dict[str, Any] = {}
    starred: bool = False
    tags: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """Nothing will change any more."""
        return self.state in ("succeeded", "failed", "canceled")


class MaskVersion(_Answer):
    """One version of a character mask."""

    version: int
    note: str = ""
    created: datetime
    url: str = ""


class Character(_Answer):
    """A saved character of the server."""

    id: str
    name: str
    kind: str
    notes: str = ""
    tags: tuple[str, ...] = ()
    star: bool = False
    created: datetime
    image: StoredFile
    thumbnail_url: str = ""
    masks: tuple[MaskVersion, ...] = ()
    mask_used: int = 0
    advice: tuple[str, ...] = ()


class Event(_Answer):
    """Something that happened to a portrayal; `type` is starting, processing, picture, progress or a final state."""

    type: str
    id: str
    progress: Progress | None = None
    picture: JobPicture | None = None
    error: JobError | None = None
