"""The library: find, mark and delete portrayals; families, tags, use, and the queue."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from portrayal.api.doors import TheCaller, TheService, base_of, may, speaking
from portrayal.api.native.bodies import In, Text
from portrayal.api.native.models import PREFIX, Out, PortrayalOut, problems, shown
from portrayal.api.native.portrayals import Id
from portrayal.api.problems import problem
from portrayal.errors import InvalidRequestError, NotFoundError
from portrayal.request import Operation
from portrayal.service.envelope import JobProgress, Role, State
from portrayal.service.finding import Filters
from portrayal.service.keys import Caller
from portrayal.service.library import MOST_A_PAGE, MOST_TAGS, Page
from portrayal.service.service import Service

router = APIRouter(route_class=speaking(problem), tags=["library"])

Tag = Annotated[str, Field(min_length=1, max_length=60)]
_LINK = {"description": "`rel=next` and `rel=prev`: other pages (RFC 8288).", "schema": {"type": "string"}}
_PAGE = {**problems(403, 404), 200: {"description": "Some portrayals.", "headers": {"Link": _LINK}}}


class Asked(In):
    """Which portrayals; all conditions together."""

    cursor: Annotated[Text | None, Field(max_length=200, description="What `next` or `previous` said.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_A_PAGE, description="Portrayals on a page.")] = 50
    search: Annotated[
        Text,
        Field(
            max_length=1000,
            description="Words of the prompt, the tags and the names of characters: all of them, the last one also as "
            'a beginning, "quoted ones" in that order.',
        ),
    ] = ""
    tag: Annotated[tuple[Tag, ...], Field(max_length=10, description="All of these.")] = ()
    starred: bool | None = None
    operation: Operation | None = None
    state: State | None = None
    character: Annotated[Text | None, Field(min_length=1, max_length=80, description="Name or id.")] = None
    parent: Annotated[
        str | None, Field(pattern="^[0-9a-z]{26}$", description="Made from a picture of this portrayal.")
    ] = None
    since: Annotated[dt.datetime | None, Field(description="Made at this time or later; UTC unless it says so.")] = None
    until: Annotated[dt.datetime | None, Field(description="Made before this time.")] = None


class PageOut(Out):
    """One page, the newest first. New portrayals never move those on the pages that follow."""

    portrayals: tuple[PortrayalOut, ...]
    next: Annotated[str | None, Field(description="`cursor` of the older ones; null at the end.")] = None
    previous: Annotated[str | None, Field(description="`cursor` of the newer ones; null at the top.")] = None


class ChangeIn(In):
    """What is changed; what is left out stays."""

    starred: bool | None = None
    tags: Annotated[tuple[Tag, ...] | None, Field(max_length=MOST_TAGS, description="In the place of the others.")] = (
        None
    )


class LinkOut(Out):
    """One step: `child` was made from the picture `picture` of `parent`."""

    parent: str
    picture: str
    child: str
    role: Role


class LineageOut(Out):
    """A family, the nearest first."""

    portrayal: PortrayalOut
    ancestors: tuple[PortrayalOut, ...]
    descendants: tuple[PortrayalOut, ...]
    links: tuple[LinkOut, ...]
    complete: Annotated[bool, Field(description="False: the family is too large to be shown whole.")]


class TagOut(Out):
    """A tag, and how many portrayals have it."""

    tag: str
    portrayals: int


class TagsOut(Out):
    """All tags of the library, the most used first."""

    tags: tuple[TagOut, ...]


class UseOut(Out):
    """One day (UTC), key and operation."""

    day: dt.date
    key_id: Annotated[str, Field(description="Empty: no key was needed.")]
    operation: Operation
    jobs: Annotated[int, Field(description="That ended.")]
    pictures: Annotated[int, Field(description="Of those that succeeded.")]


class UsageOut(Out):
    """What was made, the newest day first."""

    pictures: Annotated[int, Field(description="Sum of all.")]
    usage: tuple[UseOut, ...]


class WaitingOut(Out):
    """An unfinished portrayal."""

    id: str
    state: State
    operation: Operation
    num_images: int
    priority: int
    position: Annotated[int, Field(description="1: the next of all libraries; 0: it is being made.")]
    created_at: dt.datetime
    started_at: dt.datetime | None
    progress: JobProgress


class QueueOut(Out):
    """The queue: its length as a whole, and the library's own part of it."""

    waiting: Annotated[int, Field(description="Jobs of all libraries that wait.")]
    running: Annotated[int, Field(description="Jobs of all libraries that are being made.")]
    slots: Annotated[int, Field(description="Jobs that all workers can make at the same time.")]
    jobs: tuple[WaitingOut, ...]


class ClearedOut(Out):
    """What was canceled."""

    canceled: tuple[str, ...]


@router.get("/portrayals", responses=_PAGE)
async def portrayals(
    asked: Annotated[Asked, Query()], request: Request, response: Response, service: TheService, caller: TheCaller
) -> PageOut:
    """Portrayals, the newest first."""
    may(caller, "read")
    page = await asyncio.to_thread(_page, service, caller, asked)
    links = []
    for rel, cursor in (("next", page.next), ("prev", page.previous)):
        if cursor is not None:
            others = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
            query = urlencode([*others, ("cursor", cursor)])
            links.append(f'<{base_of(request)}{PREFIX}/portrayals?{query}>; rel="{rel}"')
    if links:
        response.headers["link"] = ", ".join(links)
    return PageOut(portrayals=tuple(shown(job, request) for job in page.jobs), next=page.next, previous=page.previous)


def _page(service: Service, caller: Caller, asked: Asked) -> Page:
    character = None
    if asked.character is not None:
        try:
            character = service.characters.get(asked.character, caller.library).card.id
        except NotFoundError as error:
            raise NotFoundError(error.message, field="character", remedy=error.remedy) from None
    filters = Filters(
        search=asked.search,
        tags=asked.tag,
        starred=asked.starred,
        operation=asked.operation,
        state=asked.state,
        character=character,
        parent=asked.parent,
        since=_seconds(asked.since, "since"),
        until=_seconds(asked.until, "until"),
    )
    return service.library.page(caller.library, cursor=asked.cursor, limit=asked.limit, filters=filters)


def _seconds(time: dt.datetime | None, field: str) -> float | None:
    if time is None:
        return None
    try:
        return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp()
    except (OverflowError, ValueError):
        raise InvalidRequestError("is no time that can be", field=field, remedy="Write 2026-01-31T12:00:00Z.") from None


@router.patch("/portrayals/{id}", responses=problems(403, 404))
async def change(id: Id, body: ChangeIn, request: Request, service: TheService, caller: TheCaller) -> PortrayalOut:
    """Star a portrayal, or give it other tags."""
    may(caller, "create")
    job = await asyncio.to_thread(service.library.update, id, caller.library, starred=body.starred, tags=body.tags)
    return shown(job, request)


@router.delete("/portrayals/{id}", status_code=204, responses=problems(403, 404))
async def delete(id: Id, service: TheService, caller: TheCaller) -> None:
    """Delete a portrayal with its pictures; one that is not finished is canceled."""
    may(caller, "delete")
    await asyncio.to_thread(service.delete, id, caller)


@router.get("/portrayals/{id}/lineage", responses=problems(403, 404))
async def lineage(id: Id, request: Request, service: TheService, caller: TheCaller) -> LineageOut:
    """Which pictures it was made from, and what was made from its pictures, over all generations."""
    may(caller, "read")
    found = await asyncio.to_thread(service.library.lineage, id, caller.library)
    return LineageOut(
        portrayal=shown(found.job, request),
        ancestors=tuple(shown(job, request) for job in found.ancestors),
        descendants=tuple(shown(job, request) for job in found.descendants),
        links=tuple(LinkOut(parent=k.parent, picture=k.picture, child=k.child, role=k.role) for k in found.links),
        complete=found.complete,
    )


@router.get("/tags", responses=problems(403))
async def tags(service: TheService, caller: TheCaller) -> TagsOut:
    """All tags with their counts."""
    may(caller, "read")
    found = await asyncio.to_thread(service.library.tags, caller.library)
    return TagsOut(tags=tuple(TagOut(tag=tag, portrayals=number) for tag, number in found.items()))


@router.get("/usage", responses=problems(403))
async def usage(
    service: TheService,
    caller: TheCaller,
    days: Annotated[int, Query(ge=1, le=366, description="How far back, today included.")] = 30,
    key: Annotated[
        str | None, Query(max_length=26, pattern="^[0-9a-z]*$", description="Only of the key of this id.")
    ] = None,
) -> UsageOut:
    """What was made per day, key and operation."""
    may(caller, "read")
    found = await asyncio.to_thread(service.library.usage, caller.library, days=days, key_id=key)
    rows = tuple(
        UseOut.model_validate(
            {"day": u.day, "key_id": u.key_id, "operation": u.operation, "jobs": u.jobs, "pictures": u.pictures}
        )
        for u in found
    )
    return UsageOut(pictures=sum(u.pictures for u in found), usage=rows)


@router.get("/queue", responses=problems(403))
async def queue(service: TheService, caller: TheCaller) -> QueueOut:
    """What waits and what is being made."""
    may(caller, "read")
    found = await asyncio.to_thread(service.library.queue, caller.library)
    jobs = tuple(WaitingOut(**{name: getattr(job, name) for name in WaitingOut.model_fields}) for job in found.jobs)
    return QueueOut(waiting=found.waiting, running=found.running, slots=found.slots, jobs=jobs)


@router.delete("/queue", responses=problems(403))
async def clear(service: TheService, caller: TheCaller) -> ClearedOut:
    """Cancel all jobs of the library that wait; those that are being made go on."""
    may(caller, "create")

    def cancel() -> tuple[str, ...]:
        canceled = []
        for job in service.library.queue(caller.library).jobs:
            if job.state == "starting" and service.cancel(job.id, caller).state == "canceled":
                canceled.append(job.id)
        return tuple(canceled)

    return ClearedOut(canceled=await asyncio.to_thread(cancel))
