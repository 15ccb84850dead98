"""Ideogram's own API, v1 (`/v1/ideogram-v3/...`, `/describe`, ...) and v2 (`/v2/image/...`, `/v2/generations/...`)."""

from __future__ import annotations

from fastapi import APIRouter

from portrayal.api.dialects.ideogram import tools, v1, v2, v2_tools
from portrayal.api.dialects.ideogram.webhook import IdeogramNotifier

router = APIRouter()
for _part in (v1.plain, v1.forbidding, tools.plain, tools.forbidding, v2.router, v2_tools.router):
    router.include_router(_part)
NOTIFIER = IdeogramNotifier()
