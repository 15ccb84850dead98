"""Ideogram's own API, v1 (`/v1/ideogram-v3/...`) and v2 (`/v2/image/...`)."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
NOTIFIER = None
