"""Webhooks of the native API: the portrayal as it is, signed as Standard Webhooks 1.0 says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from portrayal.api.native.models import portrayal_out
from portrayal.service.envelope import FINAL, Job
from portrayal.service.signing import Secrets
from portrayal.service.webhooks import Message, Webhook


class _Notifier:
    """Events ``portrayal.processing``, ``portrayal.picture``, ``portrayal.succeeded``, ``.failed``, ``.canceled``."""

    def messages(self, job: Job, what: str, webhook: Webhook, link: Callable[[str, str], str]) -> list[Message]:
        """One message for a change that the caller wants to know of: by default the three ends."""
        if what not in (webhook.events or FINAL):
            return []
        name = f"{what}-{len(job.pictures)}" if what == "picture" else what
        data = portrayal_out(job, link, str(job.wire.get("_base", ""))).model_dump(mode="json")
        body = {"type": f"portrayal.{what}", "data": data}
        return [Message(name, json.dumps(body, ensure_ascii=False).encode())]

    def headers(self, job: Job, message_id: str, timestamp: int, body: bytes, secrets: Secrets) -> dict[str, str]:
        """``webhook-id``, ``webhook-timestamp``, ``webhook-signature``."""
        return secrets.standard_webhook_headers(message_id, timestamp, body)


NOTIFIER: Final = _Notifier()
