"""The native API, `/api/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from portrayal.api.native.events import router as events
from portrayal.api.native.portrayals import router as portrayals

router = APIRouter(prefix="/api/v1")
router.include_router(portrayals)
router.include_router(events)
