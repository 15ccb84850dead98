"""Waiting for a job as the hosts' synchronous calls do: no longer than the caller."""

from __future__ import annotations

import asyncio

from fastapi import Request

from portrayal.service.envelope import Job
from portrayal.service.keys import Caller
from portrayal.service.service import Service


async def awaited(request: Request, service: Service, job: Job, caller: Caller, seconds: float) -> Job:
    """The job when it is final; as it is after `seconds`. It is canceled when the caller goes away meanwhile.

    The request's body must have been read.
    """
    ended = asyncio.ensure_future(service.wait(job.id, seconds))
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((ended, gone), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            return await asyncio.to_thread(service.cancel, job.id, caller)
        return ended.result()
    finally:
        ended.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
