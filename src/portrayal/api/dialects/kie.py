"""Kie.ai's format: `createTask`, `recordInfo`, credit, callbacks and uploads, for `ideogram/character`, `-edit` and
`-remix`.

Every answer is `{"code", "msg", "data"}`; `param` and `resultJson` are JSON in a string; times are milliseconds.
Source: docs.kie.ai, `market/ideogram/*`, `market/common/get-task-detail`, `file-upload-api/*`, `common-api/*`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import UploadFile as Upload

from portrayal.api.dialects import common
from portrayal.api.doors import TheCaller, TheService, base_of, bases_of, link_of, may, proof, score_headers, speaking
from portrayal.api.problems import status_of
from portrayal.errors import InvalidRequestError, NotFoundError, PortrayalError
from portrayal.request import MaskMode
from portrayal.service.envelope import Job, Role
from portrayal.service.files import File
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket
from portrayal.service.signing import Secrets
from portrayal.service.webhooks import Message, Webhook

MODELS: Final = {
    "ideogram/character": "generate",
    "ideogram/character-edit": "edit",
    "ideogram/character-remix": "remix",
}
CREDITS: Final = 999_999
"""A number that clients can show: nothing is charged here."""
_PREFIX: Final = "task_ideogram_"
_STATES: Final = {
    "starting": "waiting",
    "processing": "generating",
    "succeeded": "success",
    "failed": "fail",
    "canceled": "fail",
}
_STYLES: Final = {"auto": "auto", "realistic": "realistic", "fiction": "fiction"}
_MODES: Final[dict[str, MaskMode]] = {"black": "black", "white": "white", "alpha": "alpha"}
_POLARITIES: Final[dict[str, Literal["white", "black"]]] = {"white": "white", "black": "black"}


def _failed(error: PortrayalError | Exception, request: Request) -> Response:
    """An error as Kie words it. `code` is the HTTP status too: clients look at either."""
    status, _ = status_of(error)
    if status == 413:
        status = 422
    words = str(error) if isinstance(error, PortrayalError) else "Server exception, please try again later"
    headers = {"retry-after": str(error.retry_after)} if hasattr(error, "retry_after") else {}
    return JSONResponse({"code": status, "msg": words, "data": None}, status, headers)


router = APIRouter(route_class=speaking(_failed), tags=["Kie.ai"])


def _good(data: Any, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"code": 200, "msg": "success", "data": data}, headers=headers)


@router.post("/api/v1/jobs/createTask")
@router.post("/api/v1/ideogram-character/createTask", include_in_schema=False)
async def create_task(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Order a job; `recordInfo` tells what becomes of it."""
    body = await _object(request)
    model = body.get("model")
    if model not in MODELS:
        raise InvalidRequestError(
            "the model is not supported", field="model", remedy=f"Use one of {', '.join(MODELS)}."
        )
    given = body.get("input")
    if isinstance(given, str):  # some clients send it as JSON in a string
        given = _parsed(given, "input")
    if not isinstance(given, dict):
        raise common.missing("input", "Give an object.")
    callback = common.text(body.get("callBackUrl"), "callBackUrl", most=2048).strip()
    order, roles = await _order(MODELS[model], given, service, caller, bases_of(request))
    param = {"model": model, **({"callBackUrl": callback} if callback else {}), "input": common.echoed(given)}
    ticket = Ticket(
        dialect="kie",
        wire={"model": model, "param": json.dumps(param)},
        webhook=Webhook(url=callback) if callback else None,
        idempotency_key=request.headers.get("idempotency-key"),
        idempotency_of=json.dumps(body, sort_keys=True),
        base=base_of(request),
    )
    job = await service.submit(order, caller, ticket, roles)
    return _good({"taskId": _PREFIX + job.id}, score_headers(job))


async def _order(
    operation: str, given: dict[str, Any], service: Service, caller: Caller, bases: tuple[str, ...]
) -> tuple[Order, list[tuple[Role, File]]]:
    prompt = common.text(given.get("prompt"), "prompt", most=5000, needed=True)
    values: dict[str, Any] = {
        "operation": operation,
        "prompt": prompt,
        "speed": common.choice(given.get("rendering_speed"), common.SPEEDS, "rendering_speed", "balanced", _SPEEDS),
        "style_type": common.choice(given.get("style"), _STYLES, "style", "auto", ("AUTO", "REALISTIC", "FICTION")),
        "num_images": common.integer(given.get("num_images"), "num_images", 1, 8, 1),
        "seed": common.seed(given.get("seed")),
        "magic_prompt": "auto" if common.truth(given.get("expand_prompt"), "expand_prompt", True) else "off",
    }
    if operation != "edit":
        most = 5000 if operation == "generate" else 500
        values["negative_prompt"] = common.text(given.get("negative_prompt"), "negative_prompt", most=most)
        values["size"] = common.image_size(given.get("image_size"), presets_only=True)
    if operation == "remix":
        values["strength"] = common.number(given.get("strength"), "strength", 0.0, 1.0, 0.8)
        values["size"] = values["size"] or common.image_size("square_hd")
    taken = _Taken(service, caller, bases)
    references = common.listed(given.get("reference_image_urls"), "reference_image_urls")
    if not references and "@" not in prompt:
        raise common.missing("reference_image_urls", "Give a list with the address of a picture.")
    who = await taken.who(references, given)
    if operation != "generate":
        image = await taken.file(given.get("image_url"), "image_url", "image")
        values["image"] = image.sha256
        if operation == "edit":
            values["edit_mask"] = await taken.mask(given, image)
    for url in common.listed(given.get("image_urls"), "image_urls"):
        style = await taken.file(url, "image_urls", "style-reference")
        values["style_references"] = (*values.get("style_references", ()), style.sha256)
    return Order.make(characters=who, **values), taken.roles


_SPEEDS: Final = ("TURBO", "BALANCED", "QUALITY")


class _Taken:
    """The pictures of one call, with their roles."""

    def __init__(self, service: Service, caller: Caller, bases: tuple[str, ...]) -> None:
        self._service, self._caller, self._bases = service, caller, bases
        self.roles: list[tuple[Role, File]] = []

    async def file(self, given: Any, field: str, role: Role) -> File:
        """A picture that must be there."""
        if not common.given(given):
            raise common.missing(field, "Give the address of a picture.")
        if not isinstance(given, str):
            raise InvalidRequestError("is no address", field=field, remedy="Give a string.")
        file = await self._service.take(given, field, self._caller, bases=self._bases)
        self.roles.append((role, file))
        return file

    async def who(self, references: list[Any], given: dict[str, Any]) -> tuple[Who, ...]:
        """The character: the first reference, as at the host."""
        if not references:
            return ()
        reference = await self.file(references[0], "reference_image_urls", "reference")
        masks = common.listed(given.get("reference_mask_urls"), "reference_mask_urls")
        if not masks:
            return (Who(image=reference.sha256),)
        mask = await self.file(masks[0], "reference_mask_urls", "reference-mask")
        polarity = common.choice(given.get("character_mask_mode"), _POLARITIES, "character_mask_mode", "white")
        made = await asyncio.to_thread(
            self._service.masks.of_reference, mask, reference, "reference_mask_urls", polarity=polarity
        )
        return (Who(image=reference.sha256, mask=made.sha256),)

    async def mask(self, given: dict[str, Any], image: File) -> str:
        """The edit mask, of the picture's own size; black is repainted unless `mask_mode` says otherwise."""
        mask = await self.file(given.get("mask_url"), "mask_url", "mask")
        mode = common.choice(given.get("mask_mode"), _MODES, "mask_mode", _MODES["black"])
        made = await asyncio.to_thread(self._service.masks.of_edit, mask, image, mode, "mask_url")
        return made.sha256


@router.get("/api/v1/jobs/recordInfo")
async def record_info(request: Request, service: TheService, caller: TheCaller) -> Response:
    """What became of a task."""
    may(caller, "read")
    task = request.query_params.get("taskId", "")
    if not task:
        raise InvalidRequestError("taskId parameter is required", field="taskId")
    try:
        job = await asyncio.to_thread(service.job, task.removeprefix(_PREFIX), caller)
    except NotFoundError:
        return JSONResponse({"code": 422, "msg": "recordInfo is null", "data": None}, 422)
    return _good(_record(job, link_of(request)), score_headers(job))


def _record(job: Job, link: Callable[[str, str], str]) -> dict[str, Any]:
    """The record of a task, in the shape of `recordInfo` and of callbacks."""
    result, code, words = "", None, None
    if job.state == "succeeded":
        urls = [link(picture.id, picture.media_type) for picture in job.pictures]
        scores = [proof(job, i) for i in range(len(job.pictures))]
        result = json.dumps({"resultUrls": urls, "identity": scores, "warnings": list(_warnings(job))})
    elif job.state == "canceled":
        code, words = "499", "canceled"
    elif job.error is not None:
        code = "422" if job.error.type in ("invalid_request", "image", "content_policy") else "500"
        words = " ".join(part for part in (job.error.message + ".", job.error.remedy) if part)
    ended = job.completed_at or job.started_at or job.created_at
    task = _PREFIX + job.id
    return {
        "taskId": task,
        "task_id": task,
        "model": job.wire.get("model", ""),
        "state": _STATES[job.state],
        "param": job.wire.get("param", "{}"),
        "resultJson": result,
        "failCode": code,
        "failMsg": words,
        "costTime": _ms(ended) - _ms(job.started_at or job.created_at) if job.final else None,
        "createTime": _ms(job.created_at),
        "updateTime": _ms(ended),
        "completeTime": _ms(job.completed_at) if job.completed_at else None,
        "progress": round(100 * job.progress.fraction),
    }


def _warnings(job: Job) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*job.warnings, *(w for picture in job.pictures for w in picture.warnings))))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@router.get("/api/v1/chat/credit")
async def credit(caller: TheCaller) -> Response:
    """Credits: nothing is charged."""
    return _good(CREDITS)


@router.post("/api/v1/common/download-url")
async def download_url(request: Request, service: TheService, caller: TheCaller) -> Response:
    """A fresh address for a result whose old one is ending."""
    body = await _object(request)
    url = common.text(body.get("url"), "url", most=4096, needed=True)
    file = await asyncio.to_thread(service.files.own, url, bases_of(request), caller.library)
    if file is None:
        raise InvalidRequestError("the address is not one of ours", field="url", remedy="Give a result's address.")
    return _good(link_of(request)(file.id, file.media_type))


# Uploads.


@router.post("/api/file-stream-upload")
async def stream_upload(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Upload a file as a form."""
    async with request.form(max_part_size=service.settings.max_upload_bytes + 65_536) as form:
        file = form.get("file")
        if not isinstance(file, Upload | UploadFile):
            raise common.missing("file", "Send the picture as the form's part `file`.")
        data = await file.read(service.settings.max_upload_bytes + 1)
        name = form.get("fileName") or file.filename or ""
        return await _uploaded(data, str(name), form.get("uploadPath"), request, service, caller)


@router.post("/api/file-base64-upload")
async def base64_upload(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Upload a file as base64, raw or as a data URI."""
    body = await _object(request)
    text = body.get("base64Data")
    if not isinstance(text, str) or not text:
        raise common.missing("base64Data", "Give the picture as base64.")
    if not text.lower().startswith("data:"):
        try:
            base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequestError("is no base64", field="base64Data", remedy="Encode the file anew.") from None
        text = f"data:;base64,{text}"
    return await _uploaded(text, str(body.get("fileName") or ""), body.get("uploadPath"), request, service, caller)


@router.post("/api/file-url-upload")
async def url_upload(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Upload a file that is fetched from an address."""
    body = await _object(request)
    url = common.text(body.get("fileUrl"), "fileUrl", most=4096, needed=True)
    return await _uploaded(url, str(body.get("fileName") or ""), body.get("uploadPath"), request, service, caller)


async def _uploaded(
    given: str | bytes, name: str, path: Any, request: Request, service: Service, caller: Caller
) -> Response:
    may(caller, "create")
    folder = common.text(path, "uploadPath", most=500, needed=True).strip("/ ")
    file = await service.take(given, "file", caller, bases=bases_of(request), name=name)
    shown = name or file.filename
    data = {
        "fileName": shown,
        "filePath": f"{folder}/{shown}",
        "downloadUrl": link_of(request)(file.id, file.media_type),
        "fileSize": file.size,
        "mimeType": file.media_type,
        "uploadedAt": datetime.fromtimestamp(file.created_at or time.time(), UTC).isoformat().replace("+00:00", "Z"),
    }
    return JSONResponse({"success": True, "code": 200, "msg": "File uploaded successfully", "data": data})


async def _object(request: Request) -> dict[str, Any]:
    body = _parsed((await request.body()).decode("utf-8", "replace"), "body")
    if not isinstance(body, dict):
        raise InvalidRequestError("is no JSON object", field="body", remedy="Send a JSON object.")
    return body


def _parsed(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequestError("is no JSON", field=field, remedy="Send a JSON object.") from None


class _Notifier:
    """Callbacks: the record itself, when the task has ended."""

    def messages(self, job: Job, what: str, webhook: Webhook, link: Callable[[str, str], str]) -> list[Message]:
        if not job.final:
            return []
        failed = job.state != "succeeded"
        code, words = (501, "Playground task failed") if failed else (200, "Playground task completed successfully.")
        return [Message("ended", json.dumps({"code": code, "msg": words, "data": _record(job, link)}).encode())]

    def headers(self, job: Job, message_id: str, timestamp: int, body: bytes, secrets: Secrets) -> dict[str, str]:
        return secrets.kie_headers(_PREFIX + job.id, timestamp)


NOTIFIER = _Notifier()
