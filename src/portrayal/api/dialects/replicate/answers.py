"""A job as Replicate's prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from portrayal.api.dialects.character_input import warnings_of
from portrayal.api.dialects.replicate.schema import MODEL
from portrayal.api.doors import proof
from portrayal.service.envelope import Job

Link = Callable[[str, str], str]
_BAR: Final = 20


def moment(when: datetime | None) -> str | None:
    """A time as Replicate writes it: UTC with milliseconds."""
    return None if when is None else when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def prediction(
    job: Job, link: Link, base: str, *, data: Mapping[str, str] | None = None, held: bool = False
) -> dict[str, Any]:
    """The prediction object.

    Args:
        link: makes the address of a file from its id and media type.
        base: address that the caller uses.
        data: pictures by id as data URIs, where the answer shall hold them.
        held: the answer to a call that waited (`Prefer: wait`). Clients take everything but "starting" for its end, so
            an unfinished job is said to be starting.
    """
    status = "starting" if held and not job.final else job.state
    given = {**job.wire.get("input", {}), **{name: link(*kept) for name, kept in job.wire.get("files", {}).items()}}
    mine = f"{base}/v1/predictions/{job.id}"
    answer: dict[str, Any] = {
        "id": job.id,
        "model": MODEL,
        "version": "hidden",
        "input": given,
        "output": _output(job, link, data or {}),
        "data_removed": False,
        "error": _error(job),
        "logs": logs(job),
        "status": status,
        "created_at": moment(job.created_at),
        "source": "api",
        "urls": {"get": mine, "cancel": f"{mine}/cancel"},
    }
    if job.started_at is not None and status != "starting":
        answer["started_at"] = moment(job.started_at)
    if job.completed_at is not None:
        answer["completed_at"] = moment(job.completed_at)
        answer["metrics"] = _metrics(job, job.completed_at)
    for name in ("deployment", "deadline"):
        if name in job.wire:
            answer[name] = job.wire[name]
    if "_webhook" in job.wire:
        answer["webhook"] = job.wire["_webhook"]["url"]
        answer["webhook_events_filter"] = job.wire["_webhook"]["events"]
    if job.pictures:
        proofs = [proof(job, position) for position in range(len(job.pictures))]
        answer["identity"] = proofs[0] if job.order.num_images == 1 else proofs
    if warnings := warnings_of(job):
        answer["warnings"] = warnings
    return answer


def logs(job: Job) -> str:
    """How far it is, as the clients read it (a line of tqdm), then what is to be said about the result."""
    if job.state == "starting":
        return ""
    done, of = len(job.pictures), job.order.num_images
    fraction = job.progress.fraction if not job.final else done / of
    full = round(_BAR * fraction)
    lines = [f"{100 * fraction:3.0f}%|{'█' * full}{' ' * (_BAR - full)}| {done}/{of} [{job.progress.stage}]"]
    for picture in job.pictures:
        if picture.identity is not None:
            same = "the same person" if picture.identity.same_person else "not surely the same person"
            lines.append(f"picture {picture.position + 1}: identity score {picture.identity.score:.2f}, {same}")
    lines += [f"warning: {note}" for note in warnings_of(job)]
    return "\n".join(lines) + "\n"


def _output(job: Job, link: Link, data: Mapping[str, str]) -> Any:
    if not job.pictures or job.state in ("failed", "canceled"):
        return None
    urls = [data.get(picture.id) or link(picture.id, picture.media_type) for picture in job.pictures]
    return urls[0] if job.order.num_images == 1 else urls


def _error(job: Job) -> str | None:
    if job.error is None:
        return None
    head = f"{job.error.field}: {job.error.message}" if job.error.field else job.error.message
    return f"{head}. {job.error.remedy}" if job.error.remedy else head


def _metrics(job: Job, completed: datetime) -> dict[str, float]:
    begun = job.started_at or completed
    metrics = {
        "predict_time": round((completed - begun).total_seconds(), 6),
        "total_time": round((completed - job.created_at).total_seconds(), 6),
    }
    if job.score is not None:
        metrics["identity_score"] = job.score.score
    return metrics
