"""What the native API answers, as types: they are the OpenAPI description's too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import FastAPI, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from portrayal.api.doors import base_of, link_of
from portrayal.request import Operation
from portrayal.result import IdentityScore
from portrayal.service.envelope import Job, JobError, JobPicture, JobProgress, Source, State
from portrayal.service.files import File
from portrayal.service.orders import Order

PREFIX: Final = "/api/v1"


RepeatKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="1 to 255 visible characters: the same key with the same request gives the same portrayal.",
    ),
]
Prefer = Annotated[str | None, Header(description="`wait=N`, seconds; as the field `wait` (RFC 7240).")]


class Out(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(BaseModel):
    """An error (RFC 9457): what is wrong, in which field, and what helps."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Invalid request",
                "status": 422,
                "detail": "is empty; generate needs it",
                "field": "prompt",
                "remedy": "Say in 1 to 10000 characters what the picture shall show.",
            }
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    field: Annotated[str, Field(description="The field at fault, as it was sent; empty when there is none.")] = ""
    remedy: Annotated[str, Field(description="What helps, one sentence.")] = ""
    error: Annotated[str, Field(description="The cause's name, for programs; e.g. ImageReadError.")] = ""
    category: Annotated[str | None, Field(description="Of a refusal by policy: which rule.")] = None
    reason: Annotated[str | None, Field(description="Of a 429: `inflight_limit` or `daily_limit`.")] = None
    limit: Annotated[int | None, Field(description="Of a 429: the number.")] = None


class PictureOut(JobPicture):
    """One picture: its file, its proof, and what was and was not portrayed."""

    url: Annotated[str, Field(description="Where the file is; needs no key and ends by itself.")]
    mask_url: Annotated[str | None, Field(description="Of an edit: the mask that was used (needs the key).")] = None


class PortrayalOut(Out):
    """A portrayal: what was ordered, how far it is, and what became of it."""

    id: str
    dialect: Annotated[str, Field(description="The door it came through: native, ideogram, replicate, ...")]
    operation: Operation
    state: State
    order: Annotated[Order, Field(description="What was ordered, with digests in the place of pictures.")]
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    priority: Annotated[int, Field(description="0 high, 1 normal, 2 low.")] = 1
    progress: JobProgress
    pictures: tuple[PictureOut, ...] = ()
    sources: Annotated[tuple[Source, ...], Field(description="Lineage: what it was made from.")] = ()
    proof: Annotated[IdentityScore | None, Field(description="The least sure identity score of all pictures.")] = None
    warnings: Annotated[tuple[str, ...], Field(description="What was not portrayed as asked.")] = ()
    error: JobError | None = None
    result: Annotated[dict[str, Any], Field(description="Engine, language, understood and unknown phrases, ...")] = {}
    starred: bool = False
    tags: tuple[str, ...] = ()


class FileOut(Out):
    """A stored file."""

    id: str
    url: Annotated[str, Field(description="Where its bytes are; needs no key and ends by itself.")]
    media_type: str
    size: Annotated[int, Field(description="Bytes.")]
    width: int
    height: int
    sha256: str
    name: str = ""
    purpose: str
    notes: Annotated[tuple[str, ...], Field(description="What was changed when it was taken.")] = ()
    created_at: datetime
    expires_at: Annotated[datetime | None, Field(description="When it is forgotten; null: it stays.")] = None


def shown(job: Job, request: Request) -> PortrayalOut:
    """A job as the native API shows it."""
    return portrayal_out(job, link_of(request), base_of(request))


def portrayal_out(job: Job, link: Callable[[str, str], str], base: str) -> PortrayalOut:
    """A job as the native API shows it; `link` makes the address of a file, `base` is the server's own address."""
    pictures = tuple(
        PictureOut(
            **dict(picture),
            url=link(picture.id, picture.media_type),
            mask_url=f"{base}{PREFIX}/portrayals/{job.id}/pictures/{picture.position}/mask" if picture.mask else None,
        )
        for picture in job.pictures
    )
    same = {name: getattr(job, name) for name in PortrayalOut.model_fields if name in Job.model_fields}
    return PortrayalOut(**{**same, "pictures": pictures, "proof": job.score})


def shown_file(file: File, request: Request) -> FileOut:
    """A file as the native API shows it."""
    same = {name: getattr(file, name) for name in FileOut.model_fields if name != "url"}
    return FileOut(**same, url=link_of(request)(file.id, file.media_type))


_CAUSES: Final = {
    401: "No key where one is needed, or a wrong or revoked one.",
    403: "The key may not do this.",
    404: "There is no such thing in the key's library.",
    409: "The state of things does not allow it.",
    413: "The file or picture is too large.",
    422: "A field is wrong; or the rules of this installation refuse such a picture.",
    429: "A limit of the key is reached; `Retry-After` says when it is worth a try.",
    500: "The server failed, or something that it kept is missing.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: the problems that it may answer, besides those that every route may."""
    # Written as a reference: with `model=` FastAPI would promise application/json too. `describe` adds the schema.
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {s: {"description": _CAUSES[s], "content": content} for s in sorted({401, 422, 500, *statuses})}


def describe(app: FastAPI) -> None:
    """Add the schema of problems to an application's OpenAPI description, and sum up each call by its first line."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        schema = plain()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema(ref_template="#/components/schemas/{model}"))
        for calls in schema["paths"].values():
            for call in calls.values():  # FastAPI would show the function's name
                call["summary"] = call["description"].split("\n")[0].rstrip(".")
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
