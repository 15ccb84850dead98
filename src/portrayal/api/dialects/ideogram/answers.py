"""Jobs in Ideogram's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from fastapi.responses import JSONResponse, Response

from portrayal.api.doors import proof, score_headers
from portrayal.errors import PortrayalError
from portrayal.service.envelope import Job, JobError

Link = Callable[[str, str], str]

_STATUS: Final = {"invalid_request": 400, "image": 400, "content_policy": 422, "engine": 500, "internal": 500}
_LATE: Final = "the pictures were not finished in time. Try again, or ask for fewer."


def created(moment: datetime) -> str:
    """A moment as Ideogram writes it, in UTC and whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def warnings(job: Job) -> list[str]:
    """What was not done as asked: by this door, and by the engine."""
    return [*job.wire.get("warnings", ()), *job.warnings]


def failure(job: Job) -> Response | None:
    """The answer about a job that made no pictures; None when it made them."""
    if job.state == "succeeded":
        return None
    headers = score_headers(job)
    if job.state == "canceled":
        return JSONResponse({"error": "the job was canceled"}, 503, headers)
    if job.error is None:
        return JSONResponse({"error": _LATE}, 504, headers)
    return JSONResponse({"error": _sentence(job.error)}, _STATUS[job.error.type], headers)


def _sentence(error: JobError) -> str:
    return str(PortrayalError(error.message, field=error.field, remedy=error.remedy))


def v1(job: Job, link: Link) -> Response:
    """The answer of a v1 call."""
    refused = failure(job)
    if refused is not None:
        return refused
    items = [_item(job, i, link) | _own(job, i) for i in range(len(job.pictures))]
    body: dict[str, Any] = {"created": created(job.created_at), "data": items}
    return JSONResponse(_warned(body, job), headers=score_headers(job))


def _own(job: Job, position: int) -> dict[str, Any]:
    """What v1 says about a picture and v2 does not."""
    found: dict[str, Any] = {}
    if style := job.wire.get("style_type"):
        found["style_type"] = style
    if before := job.wire.get("enlarged"):
        picture = job.pictures[position]
        found |= {"resolution": before, "upscaled_resolution": f"{picture.width}x{picture.height}"}
    return found


def v2(job: Job, link: Link, *, asynchronous: bool) -> Response:
    """The answer of a v2 call; without pictures when it is asynchronous."""
    body: dict[str, Any] = {"generation_id": job.id, "generation_kind": "sampling", "seed": job.seed}
    if asynchronous:
        return JSONResponse(_warned(body, job), headers=score_headers(job))
    if not job.final:  # it goes on, and can be asked for
        return JSONResponse({"error": _LATE, "generation_id": job.id}, 504, score_headers(job))
    refused = failure(job)
    if refused is not None:
        return refused
    return JSONResponse(_warned(body | {"data": _items(job, link)}, job), headers=score_headers(job))


def generation(job: Job, link: Link) -> Response:
    """The answer to a poll."""
    status = {"succeeded": "completed", "failed": "failed", "canceled": "failed"}.get(job.state, "pending")
    body: dict[str, Any] = {"generation_id": job.id, "status": status, "created": created(job.created_at)}
    if status == "failed":
        body |= _reason(job)
    if status == "completed":
        items = [
            {"object_type": "image.generation", "asset_id": picture.id} | item
            for picture, item in zip(job.pictures, _items(job, link), strict=True)
        ]
        body |= {"response_type": "url", "data": items}
        body = _warned(body, job)
    return JSONResponse(body, headers=score_headers(job))


def told(job: Job, link: Link) -> dict[str, Any]:
    """The body of a webhook."""
    body: dict[str, Any] = {"generation_id": job.id, "created": created(job.created_at)}
    if job.state != "succeeded":
        return body | {"status": "failed"} | _reason(job) | {"data": []}
    return _warned(body | {"data": _items(job, link)}, job)


def _reason(job: Job) -> dict[str, str]:
    if job.error is None:
        return {"failure_reason": job.state}
    reason = "content_policy_violation" if job.error.type == "content_policy" else job.error.type
    return {"failure_reason": reason, "error": _sentence(job.error)}


def _items(job: Job, link: Link) -> list[dict[str, Any]]:
    items = [_item(job, i, link) for i in range(len(job.pictures))]
    if job.operation in ("edit", "upscale", "remove-background"):
        for item, picture in zip(items, job.pictures, strict=True):
            item |= {"width": picture.width, "height": picture.height}
    return items


def _item(job: Job, position: int, link: Link) -> dict[str, Any]:
    """What both versions say about a picture. The policy judges before the work: what was made is safe."""
    picture = job.pictures[position]
    item: dict[str, Any] = {
        "url": link(picture.id, picture.media_type),
        "prompt": job.result.get("magic_prompt") or job.order.prompt,
        "resolution": f"{picture.width}x{picture.height}",
        "is_image_safe": True,
        "seed": picture.seed,
    }
    if identity := proof(job, position):
        item["identity"] = identity
    if picture.warnings:
        item["warnings"] = list(picture.warnings)
    return item


def _warned(body: dict[str, Any], job: Job) -> dict[str, Any]:
    notes = warnings(job)
    return body | {"warnings": notes} if notes else body
