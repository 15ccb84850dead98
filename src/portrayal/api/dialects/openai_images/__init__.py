"""OpenAI's Images API: generations, edits (also remix, by one more field), and the list of models.

Source: the sources of OpenAI's clients for Python and JavaScript (3.54 and 7.57). How a character is given is our own
decision, because the format has no place for one: see `docs/dialects/openai_images.md`.
"""

from __future__ import annotations

from portrayal.api.dialects.openai_images.errors import encode, error_body
from portrayal.api.dialects.openai_images.routes import models_list, router

__all__ = ["NOTIFIER", "encode", "error_body", "models_list", "router"]

NOTIFIER = None  # it has no webhooks
