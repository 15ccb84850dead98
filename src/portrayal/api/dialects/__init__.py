"""One module for each host's format: decode -> order -> job -> encode. No dialect knows another."""

from __future__ import annotations

from fastapi import APIRouter

from portrayal.api.dialects import fal, ideogram, kie, modelrunner, openai_images, replicate, segmind
from portrayal.api.native.webhooks import NOTIFIER as NATIVE
from portrayal.service.webhooks import Notifier

# Replicate before OpenAI: they share `/v1/models` and `/v1/files`, and each leaves to the other what is not its own.
_MODULES = (ideogram, replicate, openai_images, segmind, fal, modelrunner, kie)

ROUTERS: tuple[APIRouter, ...] = tuple(module.router for module in _MODULES)
NOTIFIERS: dict[str, Notifier] = {"native": NATIVE} | {
    module.__name__.rpartition(".")[2]: module.NOTIFIER for module in _MODULES if module.NOTIFIER is not None
}
