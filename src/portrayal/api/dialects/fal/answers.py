"""A job in fal's words: the queue's envelope, its states, the output, and the message of a webhook."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi.responses import JSONResponse

from portrayal.api import queueing
from portrayal.api.dialects.character_input import warnings_of
from portrayal.api.dialects.fal.errors import of_job
from portrayal.api.doors import proof, score_headers
from portrayal.service.blobs import Blobs
from portrayal.service.envelope import Job, JobPicture
from portrayal.service.files import EXTENSIONS
from portrayal.service.signing import Secrets
from portrayal.service.webhooks import Message, Webhook

APP: Final = "fal-ai/ideogram"
"""Owner and alias: all that the paths of status, result and cancel keep of an endpoint's id."""
DATA_URIS: Final = "sync_mode"
Link = Callable[[str, str], str]


@dataclass(frozen=True)
class Place:
    """Where a request's addresses begin: the server and, if the caller used it, the prefix `/queue`."""

    root: str

    def addresses(self, job_id: str) -> dict[str, str]:
        """The three addresses of a request."""
        here = f"{self.root}/{APP}/requests/{job_id}"
        return {"response_url": here, "status_url": f"{here}/status", "cancel_url": f"{here}/cancel"}


def headers(job: Job) -> dict[str, str]:
    """Headers of every answer about a job."""
    return {"x-fal-request-id": job.id, **score_headers(job)}


def accepted(job: Job, place: Place, position: int) -> dict[str, Any]:
    """The answer to a submitted request."""
    state = {"starting": "IN_QUEUE", "processing": "IN_PROGRESS"}.get(job.state, "COMPLETED")
    return {"status": state, "request_id": job.id, **place.addresses(job.id), "queue_position": position}


def status(job: Job, place: Place, position: int, *, logs: bool, told: set[str] | None = None) -> dict[str, Any]:
    """The state of a request. There is no state of failure: a failed one is COMPLETED, and its result tells the error.

    Args:
        logs: whether the log is asked for; its key is there in any case, as the Python client needs it.
        told: lines that a stream has told already; new ones are added.
    """
    body = accepted(job, place, position)
    body["logs"] = _lines(job, told) if logs else None
    if body["status"] != "IN_QUEUE":
        del body["queue_position"]
    if job.final:
        body["metrics"] = {"inference_time": round(queueing.seconds(job), 4)}
        failure = of_job(job)
        if failure is not None:
            body |= {"error": failure.message(), "error_type": failure.type}
    return body


def _lines(job: Job, told: set[str] | None) -> list[dict[str, str]]:
    lines = []
    for when, level, message in queueing.log(job):
        if told is not None:
            if message in told:
                continue
            told.add(message)
        lines.append({"timestamp": when.isoformat(), "level": level, "source": "USER", "message": message})
    return lines


def output(job: Job, link: Link) -> dict[str, Any]:
    """The output of the model: pictures by address, the first one's seed, and what fal does not have: the proof."""
    images: list[dict[str, Any]] = []
    for picture in job.pictures:
        image = {
            "url": link(picture.id, picture.media_type),
            "content_type": picture.media_type,
            "file_name": f"{picture.id}.{EXTENSIONS.get(picture.media_type, 'bin')}",
            "file_size": picture.size,
            "width": picture.width,
            "height": picture.height,
        }
        identity = proof(job, len(images))
        if identity is not None:
            image["identity"] = identity
        images.append(image)
    found: dict[str, Any] = {"images": images, "seed": job.seed}
    if warnings := warnings_of(job):
        found["warnings"] = warnings
    return found


def data_uris(job: Job, blobs: Blobs) -> Link:
    """Links that are the pictures themselves. Blocks, as it reads them."""

    def uri(picture: JobPicture) -> str:
        return f"data:{picture.media_type};base64,{base64.b64encode(blobs.get(picture.sha256)).decode()}"

    there = {picture.id: uri(picture) for picture in job.pictures}
    return lambda file_id, _: there[file_id]


def result(job: Job, link: Link, more: Mapping[str, Any] | None = None) -> JSONResponse:
    """The answer for a job that has ended: its output, or its error with the error's own HTTP status."""
    failure = of_job(job)
    if failure is not None:
        return JSONResponse(failure.body, failure.status, {**headers(job), **failure.headers()})
    units = {"x-fal-billable-units": str(len(job.pictures))}
    return JSONResponse({**output(job, link), **(more or {})}, headers={**headers(job), **units})


class FalNotifier:
    """One message when a request has ended, signed with Ed25519."""

    def messages(self, job: Job, what: str, webhook: Webhook, link: Link) -> list[Message]:
        """The message of the end."""
        if not job.final or what != job.state:
            return []
        body: dict[str, Any] = {"request_id": job.id, "gateway_request_id": job.id}
        failure = of_job(job)
        if failure is None:
            body |= {"status": "OK", "payload": output(job, link)}
        else:
            error = f"Invalid status code: {failure.status}"
            body |= {"status": "ERROR", "error": error, "payload": failure.body}
        return [Message("completed", json.dumps(body).encode())]

    def headers(self, job: Job, message_id: str, timestamp: int, body: bytes, secrets: Secrets) -> dict[str, str]:
        """`X-Fal-Webhook-...`; the user is the key's id."""
        return secrets.fal_headers(job.id, job.key_id or "local", timestamp, body)
