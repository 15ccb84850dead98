"""The one job envelope under every host's format: states, pictures, progress, error."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from portrayal.request import Operation
from portrayal.result import IdentityScore
from portrayal.service.orders import Order

State = Literal["starting", "processing", "succeeded", "failed", "canceled"]
"""``starting`` waits for a worker; the last three are final. The names are cog's."""
FINAL = ("succeeded", "failed", "canceled")
Role = Literal["reference", "reference-mask", "image", "mask", "background", "style-reference"]
ErrorType = Literal["invalid_request", "content_policy", "image", "engine", "internal"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JobError(_Frozen):
    """Why a job failed.

    Attributes:
        type: whose fault, for machines.
        message: for people; never holds a prompt, a path or a secret.
        field, remedy: see `portrayal.errors.PortrayalError`.
    """

    type: ErrorType
    message: str
    field: str = ""
    remedy: str = ""


class JobProgress(_Frozen):
    """How far a job is: the stage's name, 0..1 of the whole job, and which picture of how many is being made."""

    stage: str = "waiting"
    fraction: float = 0.0
    picture: int = 0
    of: int = 1


class JobPicture(_Frozen):
    """One picture of a job.

    Attributes:
        id: of its file; unguessable.
        sha256: of its bytes; size: their number.
        identity: the proof; None when nobody was put in.
        did, mask_box, warnings, timings (seconds), facts: see `portrayal.result.Picture`.
        mask: digest of the mask of an edit.
    """

    id: str
    position: int
    sha256: str
    media_type: str
    size: int
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


class Source(_Frozen):
    """Where a picture came from: a file, and the picture or character that it is.

    Attributes:
        sha256: of the file; media_type: of it.
        picture: id of the library's own picture that it is, for the lineage.
        character: id of the saved character that it is.
    """

    role: Role
    sha256: str
    picture: str = ""
    character: str = ""


class Job(_Frozen):
    """One job: a portrayal that is being made or was made.

    Attributes:
        id: 26 lower-case letters and digits, unguessable, later ones sort after earlier ones.
        library: whose; see `portrayal.service.keys.Caller`.
        key_id: of the key that ordered it; "" in the open mode.
        dialect: the door that it came through: "native", "ideogram", "replicate", ...
        wire: what that door must remember to answer in its own words (the input as given, the model's name, ...).
        result: engine, version, language, understood, unknown, timings of the finished job.
        done: number of pictures that are finished.
    """

    id: str
    library: str
    key_id: str
    dialect: str
    operation: Operation
    state: State
    order: Order
    wire: dict[str, Any] = {}
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    priority: int = 1
    progress: JobProgress = JobProgress()
    pictures: tuple[JobPicture, ...] = ()
    sources: tuple[Source, ...] = ()
    warnings: tuple[str, ...] = ()
    error: JobError | None = None
    result: dict[str, Any] = {}
    starred: bool = False
    tags: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """Nothing will change any more."""
        return self.state in FINAL

    @property
    def score(self) -> IdentityScore | None:
        """The least sure proof of all pictures; None when nobody was put in."""
        scores = [picture.identity for picture in self.pictures if picture.identity is not None]
        return min(scores, key=lambda s: s.score, default=None)

    @property
    def engine_seconds(self) -> float:
        """Seconds that the engine worked on it, so far as is known."""
        return round(sum(picture.timings.get("total", 0.0) for picture in self.pictures), 4)

    @property
    def seed(self) -> int:
        """The first picture's seed; the asked one before there is a picture."""
        if self.pictures:
            return self.pictures[0].seed
        return self.order.seed or 0
