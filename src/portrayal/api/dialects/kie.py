"""Kie.ai's format: `createTask`, `recordInfo`, credit, callbacks and uploads, for `ideogram/character`, `-edit` and
`-remix`.

Every answer is `{"code", "msg", "data"}`; `param` and `resultJson` are JSON in a string; times are milliseconds. There
is no call that cancels a task.
Source: docs.kie.ai, `market/ideogram/*`, `market/common/get-task-detail`, `file-upload-api/*`, `common-api/*`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.bodies import Upload, json_object, read_form, read_json
from portrayal.api.dialects import common
from portrayal.api.dialects.character_input import MASK_MODES, POLARITIES, STYLES, Endpoint, field_of
from portrayal.api.doors import TheCaller, TheService, base_of, bases_of, link_of, may, proof, score_headers, speaking
from portrayal.api.problems import status_of
from portrayal.api.queueing import job_of
from portrayal.character.mentions import mentions
from portrayal.errors import InvalidRequestError, LimitError, NotFoundError, PortrayalError
from portrayal.request import MagicPrompt
from portrayal.service.envelope import Job, Role
from portrayal.service.files import File
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket
from portrayal.service.signing import Secrets
from portrayal.service.webhooks import Message, Webhook

MODELS: Final[dict[str, Endpoint]] = {
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
_SPEEDS: Final = ("TURBO", "BALANCED", "QUALITY")
_MOST_NEGATIVE: Final = {"generate": 5000, "remix": 500}
_EVERYWHERE: Final = frozenset(
    {"prompt", "reference_image_urls", "rendering_speed", "style", "expand_prompt", "num_images", "seed"}
    | {"reference_mask_urls", "character_mask_mode"}
)
_FIELDS: Final[dict[Endpoint, frozenset[str]]] = {
    "generate": _EVERYWHERE | {"image_size", "negative_prompt"},
    "edit": _EVERYWHERE | {"image_url", "mask_url", "mask_mode"},
    "remix": _EVERYWHERE | {"image_url", "image_size", "negative_prompt", "strength", "image_urls"},
}
_MAX_STYLES: Final = 10
_LONGEST_PARAM: Final = 32_000
"""Letters of the input that a record shows; of a longer one it shows the prompt alone."""


def _failed(error: PortrayalError | Exception, request: Request) -> Response:
    """An error as Kie words it. `code` is the HTTP status too: clients look at either."""
    status, _ = status_of(error)
    if status == 413:
        status = 422
    words = "Server exception, please try again later"
    if isinstance(error, PortrayalError):
        field = "callBackUrl" if error.field == "webhook" else field_of(error)
        words = str(PortrayalError(error.message, field=field, remedy=error.remedy))
    headers = {}
    if isinstance(error, LimitError):
        status = 402 if error.reason == "daily_limit" else status  # as used-up credits
        headers["retry-after"] = str(error.retry_after)
    return JSONResponse({"code": status, "msg": words, "data": None}, status, headers)


router = APIRouter(route_class=speaking(_failed), tags=["Kie.ai"])


def _good(data: Any, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"code": 200, "msg": "success", "data": data}, headers=headers)


@router.post("/api/v1/jobs/createTask")
@router.post("/api/v1/ideogram-character/createTask", include_in_schema=False)
async def create_task(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Order a job; `recordInfo` tells what becomes of it."""
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    model = body.get("model")
    if not isinstance(model, str) or model not in MODELS:
        raise InvalidRequestError(
            "the model is not supported", field="model", remedy=f"Use one of {', '.join(MODELS)}."
        )
    given = body.get("input")
    if isinstance(given, str):  # some clients send it as JSON in a string
        given = json_object(given, "input")
    if not isinstance(given, dict):
        raise common.missing("input", "Give an object.")
    callback = common.text(body.get("callBackUrl"), "callBackUrl", most=2048).strip()
    order, roles = await _order(MODELS[model], given, service, caller, bases_of(request))
    param = _param({"model": model, **({"callBackUrl": callback} if callback else {})}, given)
    ticket = Ticket(
        dialect="kie",
        wire={"model": model, "param": param, "notes": _notes(MODELS[model], given)},
        webhook=Webhook(url=callback) if callback else None,
        idempotency_key=request.headers.get("idempotency-key"),
        base=base_of(request),
    )
    job = await service.submit(order, caller, ticket, roles)
    return _good({"taskId": _PREFIX + job.id}, score_headers(job))


def _param(head: dict[str, str], given: dict[str, Any]) -> str:
    """What was asked for, as records show it."""
    text = json.dumps({**head, "input": common.echoed(given)}, ensure_ascii=False)
    if len(text) > _LONGEST_PARAM:
        text = json.dumps({**head, "input": {"prompt": given["prompt"]}}, ensure_ascii=False)
    return text


def _notes(operation: Endpoint, given: dict[str, Any]) -> list[str]:
    """What of the input has no effect; Kie drops it without a word."""
    unknown = [name for name in given if name not in _FIELDS[operation] and common.given(given[name])]
    shown = ["".join(c if c.isprintable() else "?" for c in name[:40]) for name in unknown[:10]]
    notes = [f"{name}: this model has no such field; it was ignored" for name in shown]
    for field in ("reference_image_urls", "reference_mask_urls"):
        count = len(common.listed(given.get(field), field))
        if count > 1:
            notes.append(f"{field}: only the first of {count} was used")
    return notes


def _plain(operation: Endpoint, given: dict[str, Any]) -> dict[str, Any]:
    """The values of an order that are no pictures.

    Raises:
        InvalidRequestError: a field is wrong.
    """
    values: dict[str, Any] = {
        "operation": operation,
        "prompt": common.text(given.get("prompt"), "prompt", most=5000, needed=True),
        "speed": common.choice(given.get("rendering_speed"), common.SPEEDS, "rendering_speed", "balanced", _SPEEDS),
        "style_type": common.choice(given.get("style"), STYLES, "style", "auto", ("AUTO", "REALISTIC", "FICTION")),
        "num_images": common.integer(given.get("num_images"), "num_images", 1, 4, 1),
        "seed": common.seed(given.get("seed")),
        "magic_prompt": _magic(given.get("expand_prompt")),
    }
    if operation != "edit":
        values["negative_prompt"] = common.text(
            given.get("negative_prompt"), "negative_prompt", most=_MOST_NEGATIVE[operation]
        )
        size = common.image_size(given.get("image_size"), presets_only=True)
        values["size"] = size or common.image_size("square_hd")
    if operation == "remix":
        values["strength"] = common.number(given.get("strength"), "strength", 0.0, 1.0, 0.8)
    if operation == "edit":  # before any picture is fetched
        common.choice(given.get("mask_mode"), MASK_MODES, "mask_mode", MASK_MODES["black"])
    common.choice(given.get("character_mask_mode"), POLARITIES, "character_mask_mode", POLARITIES["white"])
    return values


def _magic(expand: Any) -> MagicPrompt:
    """Left out, the engine decides, without a word about it; true and false are wishes."""
    if not common.given(expand):
        return "auto"
    return "on" if common.truth(expand, "expand_prompt", True) else "off"


async def _order(
    operation: Endpoint, given: dict[str, Any], service: Service, caller: Caller, bases: tuple[str, ...]
) -> tuple[Order, list[tuple[Role, File]]]:
    values = _plain(operation, given)
    references = common.listed(given.get("reference_image_urls"), "reference_image_urls")
    if not references and not mentions(values["prompt"]):
        raise common.missing("reference_image_urls", "Give a list with the address of a picture, or say @name.")
    if not references and common.given(given.get("reference_mask_urls")):
        raise common.missing("reference_image_urls", "A mask needs its picture.")
    needed = {"generate": (), "edit": ("image_url", "mask_url"), "remix": ("image_url",)}[operation]
    for field in needed:
        if not common.given(given.get(field)):
            raise common.missing(field, "Give the address of a picture.")
    styles = common.listed(given.get("image_urls"), "image_urls") if operation == "remix" else []
    if len(styles) > _MAX_STYLES:
        raise InvalidRequestError("are too many", field="image_urls", remedy=f"Give at most {_MAX_STYLES}.")
    taken = _Taken(service, caller, bases)
    who = await taken.who(references, given)
    if needed:
        image = await taken.file(given["image_url"], "image_url", "image")
        values["image"] = image.sha256
        if operation == "edit":
            values["edit_mask"] = await taken.mask(given, image)
    if styles:
        files = [await taken.file(url, "image_urls", "style-reference") for url in styles]
        values["style_references"] = tuple(file.sha256 for file in files)
    return Order.make(characters=who, **values), taken.roles


class _Taken:
    """The pictures of one call, with their roles."""

    def __init__(self, service: Service, caller: Caller, bases: tuple[str, ...]) -> None:
        self._service, self._caller, self._bases = service, caller, bases
        self.roles: list[tuple[Role, File]] = []

    async def file(self, given: Any, field: str, role: Role) -> File:
        """A picture."""
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
        polarity = common.choice(
            given.get("character_mask_mode"), POLARITIES, "character_mask_mode", POLARITIES["white"]
        )
        made = await asyncio.to_thread(
            self._service.masks.of_reference, mask, reference, "reference_mask_urls", polarity=polarity
        )
        return (Who(image=reference.sha256, mask=made.sha256),)

    async def mask(self, given: dict[str, Any], image: File) -> str:
        """The edit mask, of the picture's own size; black is repainted unless `mask_mode` says otherwise."""
        mask = await self.file(given.get("mask_url"), "mask_url", "mask")
        mode = common.choice(given.get("mask_mode"), MASK_MODES, "mask_mode", MASK_MODES["black"])
        made = await asyncio.to_thread(self._service.masks.of_edit, mask, image, mode, "mask_url")
        return made.sha256


@router.get("/api/v1/jobs/recordInfo")
async def record_info(request: Request, service: TheService, caller: TheCaller) -> Response:
    """What became of a task."""
    may(caller, "read")
    task = request.query_params.get("taskId", "").strip()
    if not task:
        return JSONResponse({"code": 400, "msg": "taskId parameter is required", "data": None}, 400)
    try:
        job = await asyncio.to_thread(job_of, service, task.removeprefix(_PREFIX), caller, "kie")
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
        words = str(PortrayalError(job.error.message, field=field_of(job.error), remedy=job.error.remedy))
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
    own = (warning for picture in job.pictures for warning in picture.warnings)
    return tuple(dict.fromkeys((*job.wire.get("notes", ()), *job.warnings, *own)))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@router.get("/api/v1/chat/credit")
async def credit(caller: TheCaller) -> Response:
    """Credits: nothing is charged."""
    may(caller, "read")
    return _good(CREDITS)


@router.post("/api/v1/common/download-url")
async def download_url(request: Request, service: TheService, caller: TheCaller) -> Response:
    """A fresh address for a result whose old one is ending."""
    may(caller, "read")
    body = await read_json(request, service.settings.max_upload_bytes)
    url = _address(body, "url")
    file = await asyncio.to_thread(service.files.own, url, bases_of(request), caller.library)
    if file is None:
        raise InvalidRequestError("the address is not one of ours", field="url", remedy="Give a result's address.")
    return _good(link_of(request)(file.id, file.media_type))


# Uploads.


@router.post("/api/file-stream-upload")
async def stream_upload(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Upload a file as a form."""
    may(caller, "create")
    form = {name: parts[0] for name, parts in (await read_form(request, service.settings.max_upload_bytes)).items()}
    file = form.get("file")
    if not isinstance(file, Upload):
        raise common.missing("file", "Send the picture as the form's part `file`.")
    return await _uploaded(file.data, "file", {"fileName": file.name, **form}, request, service, caller)


@router.post("/api/file-base64-upload")
async def base64_upload(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Upload a file as base64, raw or as a data URI."""
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    text = body.get("base64Data")
    if not isinstance(text, str) or not text.strip():
        raise common.missing("base64Data", "Give the picture as base64.")
    if text.lstrip()[:5].lower() != "data:":
        text = f"data:;base64,{text}"
    return await _uploaded(text, "base64Data", body, request, service, caller)


@router.post("/api/file-url-upload")
async def url_upload(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Upload a file that is fetched from an address."""
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    return await _uploaded(_address(body, "fileUrl"), "fileUrl", body, request, service, caller)


def _address(body: dict[str, Any], field: str) -> str:
    address = common.text(body.get(field), field, most=4096).strip()
    if not address:
        raise common.missing(field, "Give an address.")
    return address


async def _uploaded(
    given: str | bytes, field: str, about: dict[str, Any], request: Request, service: Service, caller: Caller
) -> Response:
    """Keep a file; `about` holds `uploadPath` and `fileName`, which are shown again and have no further use."""
    folder = common.text(about.get("uploadPath"), "uploadPath", most=500).strip("/ ")
    if not folder:
        raise common.missing("uploadPath", "Name a folder, such as images.")
    name = common.text(about.get("fileName"), "fileName", most=200).strip("/ ")
    file = await service.take(given, field, caller, bases=bases_of(request), name=name)
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


class _Notifier:
    """Callbacks: the record itself, when the task has ended; `code` tells success from failure."""

    def messages(self, job: Job, what: str, webhook: Webhook, link: Callable[[str, str], str]) -> list[Message]:
        if not job.final:
            return []
        failed = job.state != "succeeded"
        code, words = (501, "Playground task failed.") if failed else (200, "Playground task completed successfully.")
        return [Message("ended", json.dumps({"code": code, "msg": words, "data": _record(job, link)}).encode())]

    def headers(self, job: Job, message_id: str, timestamp: int, body: bytes, secrets: Secrets) -> dict[str, str]:
        return secrets.kie_headers(_PREFIX + job.id, timestamp)


NOTIFIER = _Notifier()
