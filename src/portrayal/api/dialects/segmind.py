"""Segmind's format: `/v1/ideogram-character`, which answers with the picture itself, its v2 queue, and uploads.

The fields are Replicate's, name for name; a field that is left out has Replicate's default. Sources: the model's page
at segmind.com; the `segmind` package 1.3.0 (`client.py`, `v2.py`, `files.py`, `exceptions.py`).
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.bodies import Upload, read_form, read_json
from portrayal.api.dialects import common
from portrayal.api.doors import (
    TheCaller,
    TheService,
    attended,
    base_of,
    bases_of,
    link_of,
    may,
    proof,
    score_headers,
    speaking,
)
from portrayal.api.problems import status_of
from portrayal.api.queueing import job_of, seconds
from portrayal.character.mentions import mentions
from portrayal.errors import InvalidRequestError, LimitError, PolicyError, PortrayalError
from portrayal.request import MaskMode, OutputFormat
from portrayal.service.envelope import Job, JobError, Role
from portrayal.service.files import File
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket

CREDITS: Final = "999999"
"""A number that clients can show: nothing is charged here."""
WAIT: float = 600.0
"""Seconds that a synchronous call is held at most."""
MAX_ASSETS: Final = 16
"""Files of one upload."""
_PICTURES: Final[dict[str, Role]] = {"character_reference_image": "reference", "image": "image", "mask": "mask"}
_STYLES: Final = ("Auto", "Fiction", "Realistic")
_SPEEDS: Final = ("Default", "Turbo", "Quality")
_MAGIC: Final = ("Auto", "On", "Off")
_MODES: Final[dict[str, MaskMode]] = {"black": "black", "white": "white", "alpha": "alpha"}
_FORMATS: Final[dict[str, OutputFormat]] = {"jpeg": "jpeg", "jpg": "jpeg", "png": "png", "webp": "webp"}
_FIELDS: Final = frozenset(
    {*_PICTURES, "prompt", "resolution", "aspect_ratio", "style_type", "rendering_speed", "magic_prompt_option", "seed"}
    | {"mask_mode", "output_format"}
)
_OURS: Final = {
    "reference": "character_reference_image",
    "characters": "character_reference_image",
    "edit_mask": "mask",
    "size": "resolution",
    "speed": "rendering_speed",
}
_STATES: Final = {
    "starting": "QUEUED",
    "processing": "PROCESSING",
    "succeeded": "COMPLETED",
    "failed": "FAILED",
    "canceled": "FAILED",
}
_ADDRESS: Final = re.compile(r"\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_\s-]{64}")
_LONGEST_HEADER: Final = 4000


def encode(error: PortrayalError | Exception, request: Request) -> Response:
    """An error as Segmind words it. Wrong input is 400, a used-up day 406, as used-up credits are there."""
    status, _ = status_of(error)
    if status in (413, 422) and not isinstance(error, PolicyError):
        status = 400
    headers = {}
    if isinstance(error, LimitError):
        status = 406 if error.reason == "daily_limit" else status
        headers["retry-after"] = str(error.retry_after)
    words = str(error) if isinstance(error, PortrayalError) else "Internal server error"
    return JSONResponse({"error": words}, status, headers)


router = APIRouter(route_class=speaking(encode), tags=["Segmind"])


@router.post("/v1/ideogram-character", response_class=Response, responses={200: {"content": {"image/*": {}}}})
async def run_sync(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Make a picture and answer with its bytes."""
    job = await _submitted(request, service, caller)
    job = await attended(request, service, job, caller, WAIT)
    headers = _headers(job)
    if not job.final:
        later = f"the picture takes longer than {WAIT:g} s; it is had at /v2/requests/{job.id}"
        return JSONResponse({"error": later}, 504, headers)
    if job.state != "succeeded":
        return JSONResponse({"error": _failure(job)}, _status(job.error), headers)
    picture = job.pictures[0]
    data = await asyncio.to_thread(service.blobs.get, picture.sha256)
    return Response(data, media_type=picture.media_type, headers=headers)


@router.api_route("/v1/ideogram-character", methods=["GET", "PUT", "PATCH", "DELETE"], include_in_schema=False)
@router.api_route("/v2/ideogram-character", methods=["GET", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def not_allowed() -> Response:
    """What Segmind says to other methods."""
    return JSONResponse({"error": "Method not allowed. Use POST."}, 405, {"allow": "POST"})


@router.post("/v2/ideogram-character")
async def submit(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Order a picture; the two addresses tell what becomes of it."""
    job = await _submitted(request, service, caller)
    address = f"{base_of(request)}/v2/requests/{job.id}"
    body = {
        "request_id": job.id,
        "status": "QUEUED",
        "status_url": f"{address}/status",
        "response_url": address,
    }
    return JSONResponse(body, headers=_headers(job))


@router.get("/v2/requests/{request_id}/status")
async def status(request_id: str, service: TheService, caller: TheCaller) -> Response:
    """How far a request is; a failed one answers with HTTP 422, as at the host."""
    may(caller, "read")
    job = await asyncio.to_thread(job_of, service, request_id, caller, "segmind")
    return _answer(job, {})


@router.get("/v2/requests/{request_id}")
async def result(request_id: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """The result of a request; before its end no more than `status` says."""
    may(caller, "read")
    job = await asyncio.to_thread(job_of, service, request_id, caller, "segmind")
    more: dict[str, Any] = {}
    if job.state == "succeeded":
        picture = job.pictures[0]
        url = link_of(request)(picture.id, picture.media_type)
        more = {"output": url, "image": url, "seed": picture.seed, "identity": proof(job, 0)}
        more["warnings"] = _warnings(job)
    if job.final:
        more["metrics"] = {"inference_time": round(seconds(job), 3)}
    return _answer(job, more)


@router.post("/upload-asset")
async def upload_asset(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Keep files; their addresses work as inputs."""
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    given = common.listed(body.get("data_urls"), "data_urls")
    if not given:
        raise common.missing("data_urls", "Give a list of data URIs.")
    if len(given) > MAX_ASSETS:
        raise InvalidRequestError("are too many", field="data_urls", remedy=f"Give at most {MAX_ASSETS} at a time.")
    files = [await _taken(item, "data_urls", service, caller, bases_of(request)) for item in given]
    link = link_of(request)
    urls = [link(file.id, file.media_type) for file in files]
    return JSONResponse({"file_urls": urls, "message": "Files uploaded successfully"})


# Orders.


async def _submitted(request: Request, service: Service, caller: Caller) -> Job:
    may(caller, "create")
    given = await _given(request, service.settings.max_upload_bytes)
    values, notes = _values(given)
    files: dict[Role, File] = {}
    for name, role in _PICTURES.items():
        if name in given:
            files[role] = await _taken(given[name], name, service, caller, bases_of(request))
    if "mask" in files:
        mode = common.choice(given.get("mask_mode"), _MODES, "mask_mode", _MODES["black"])
        image, mask = files["image"], files["mask"]
        ready = await asyncio.to_thread(service.masks.of_edit, mask, image, mode, "mask", fit=True)
        values |= {"operation": "edit", "image": image.sha256, "edit_mask": ready.sha256}
        if (mask.width, mask.height) != (image.width, image.height):
            notes.append(f"mask: {mask.width}x{mask.height} px was resized to its picture's size")
    who = (Who(image=files["reference"].sha256),) if "reference" in files else ()
    ticket = Ticket(
        dialect="segmind",
        wire={"notes": notes},
        idempotency_key=request.headers.get("idempotency-key"),
        base=base_of(request),
    )
    return await service.submit(Order.make(characters=who, **values), caller, ticket, list(files.items()))


async def _given(request: Request, largest: int) -> dict[str, Any]:
    """The fields that are there, from JSON or a form; "null", "" and null are not."""
    kind = request.headers.get("content-type", "").lower()
    body: dict[str, Any]
    if kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
        body = {name: parts[0] for name, parts in (await read_form(request, largest)).items()}
    else:
        body = await read_json(request, largest)
    nothing = Upload(b"")  # how a browser sends a field for files that nobody filled
    return {name: value for name, value in body.items() if common.given(value) and value != nothing}


def _values(given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values of an order that are no pictures, and what of the input has no effect.

    Raises:
        InvalidRequestError: a field is wrong or missing.
    """
    prompt = common.text(given.get("prompt"), "prompt", needed=True)
    if "character_reference_image" not in given and not mentions(prompt):
        raise common.missing("character_reference_image", "Give a picture of the person, or say @name of a saved one.")
    for one, other in (("image", "mask"), ("mask", "image")):
        if one in given and other not in given:
            raise InvalidRequestError(
                f"is required when {one} is given", field=other, remedy="Give both, or neither of them."
            )
    if "mask_mode" in given and "mask" not in given:
        raise common.missing("mask", "Leave out mask_mode where there is no mask.")
    values: dict[str, Any] = {
        "prompt": prompt,
        "speed": common.choice(given.get("rendering_speed"), common.SPEEDS, "rendering_speed", "balanced", _SPEEDS),
        "style_type": common.choice(
            given.get("style_type"), {name.lower(): name.lower() for name in _STYLES}, "style_type", "auto", _STYLES
        ),
        "magic_prompt": common.choice(
            given.get("magic_prompt_option"), common.MAGIC, "magic_prompt_option", "auto", _MAGIC
        ),
        "seed": common.seed(given.get("seed")),
        "output_format": common.choice(given.get("output_format"), _FORMATS, "output_format", _FORMATS["jpeg"]),
    }
    common.choice(given.get("mask_mode"), _MODES, "mask_mode", _MODES["black"])  # before any picture is fetched
    notes = [f"{_shown(name)}: there is no such field; it was ignored" for name in given if name not in _FIELDS][:10]
    size = _size(given, notes)
    if "image" not in given:
        values["size"] = size
    return values, notes


def _size(given: dict[str, Any], notes: list[str]) -> tuple[int, int] | None:
    """The size: `resolution` goes before `aspect_ratio`, both are ignored where a picture is edited."""
    ratio = common.ratio(given.get("aspect_ratio"), "aspect_ratio")
    size = common.resolution(given.get("resolution"), "resolution", snap=True)
    if "image" in given:
        notes += [
            f"{name}: an edit keeps its picture's size" for name in ("resolution", "aspect_ratio") if name in given
        ]
        return None
    if size is not None and size != tuple(map(int, re.findall(r"\d+", str(given["resolution"])))):
        notes.append(f"resolution: {_shown(given['resolution'])} is not made; the nearest, {size[0]}x{size[1]}, was")
    if size is not None and ratio is not None:
        notes.append("aspect_ratio: not looked at, because a resolution is given")
    return size or ratio


async def _taken(given: Any, field: str, service: Service, caller: Caller, bases: tuple[str, ...]) -> File:
    """A picture that came as a file, an address, a data URI or bare base64."""
    if isinstance(given, Upload):
        return await service.take(given.data, field, caller, name=given.name)
    if not isinstance(given, str):
        raise InvalidRequestError("is no picture", field=field, remedy="Give an address, base64 or a file.")
    if not _ADDRESS.match(given) and _BASE64.match(given):
        given = f"data:;base64,{given}"
    return await service.take(given, field, caller, bases=bases)


def _shown(text: Any) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(text)[:40])


# Answers.


def _answer(job: Job, more: dict[str, Any]) -> Response:
    body: dict[str, Any] = {"request_id": job.id, "status": _STATES[job.state]}
    failed = body["status"] == "FAILED"
    if failed:
        body["error"] = _failure(job)
    return JSONResponse({**body, **more}, 422 if failed else 200, _headers(job))


def _failure(job: Job) -> str:
    """Why a job gave no picture."""
    error = job.error
    if error is None:
        return "the request was canceled"
    return str(PortrayalError(error.message, field=_OURS.get(error.field, error.field), remedy=error.remedy))


def _status(error: JobError | None) -> int:
    """HTTP status of a synchronous call whose job gave no picture."""
    if error is None:
        return 500
    return {"content_policy": 422, "invalid_request": 400, "image": 400}.get(error.type, 500)


def _warnings(job: Job) -> list[str]:
    """What of the input had no effect, and what the picture lacks."""
    own = (warning for picture in job.pictures for warning in picture.warnings)
    return list(dict.fromkeys((*job.wire.get("notes", ()), *job.warnings, *own)))


def _headers(job: Job) -> dict[str, str]:
    headers = {"x-remaining-credits": CREDITS, **score_headers(job)}
    warnings = _warnings(job)
    while len(json.dumps(warnings)) > _LONGEST_HEADER:  # proxies drop answers with long headers; the v2 answer has all
        warnings.pop()
    if warnings:
        headers["x-portrayal-warnings"] = json.dumps(warnings)  # ASCII, as headers must be
    return headers


NOTIFIER = None
