"""Replicate's HTTP API for the model `ideogram-ai/ideogram-character`.

Source: Replicate's OpenAPI description and the sources of its clients (`replicate` 1.x for Python, 1.4 for npm).
Everything is served at `/v1` and at `/v1/v1`: its clients differ in whether the base address holds the `/v1`.
"""

from __future__ import annotations

from fastapi import APIRouter

from portrayal.api.dialects.replicate import files, models, predictions
from portrayal.api.dialects.replicate.errors import error_body
from portrayal.api.dialects.replicate.models import models_page
from portrayal.api.dialects.replicate.webhooks import NOTIFIER

__all__ = ["NOTIFIER", "error_body", "models_page", "router"]

_PARTS = (predictions.router, models.router, files.router)

router = APIRouter(tags=["Replicate"])
for _part in _PARTS:
    router.include_router(_part, prefix="/v1")
for _part in (*_PARTS, models.listing):
    router.include_router(_part, prefix="/v1/v1", include_in_schema=False)
