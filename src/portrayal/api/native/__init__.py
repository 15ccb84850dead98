"""The native API, `/api/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from portrayal.api.native.catalogue import router as catalogue
from portrayal.api.native.characters import router as characters
from portrayal.api.native.events import router as events
from portrayal.api.native.files import router as files
from portrayal.api.native.keys import router as keys
from portrayal.api.native.library import router as library
from portrayal.api.native.models import PREFIX, describe
from portrayal.api.native.portrayals import router as portrayals
from portrayal.api.native.webhooks import NOTIFIER

__all__ = ["NOTIFIER", "describe", "router"]

router = APIRouter(prefix=PREFIX)
for _part in (portrayals, library, events, files, characters, catalogue, keys):
    router.include_router(_part)
