"""Replicate's webhooks: the prediction as the body, signed as the Standard Webhooks are."""

from __future__ import annotations

import json
from typing import Final

from portrayal.api.dialects.replicate.answers import Link, prediction
from portrayal.service.envelope import Job
from portrayal.service.signing import Secrets
from portrayal.service.webhooks import Message, Webhook

EVENTS: Final = ("start", "output", "logs", "completed")
USUAL: Final = ("output", "completed")


class _Notifier:
    def messages(self, job: Job, what: str, webhook: Webhook, link: Link) -> list[Message]:
        """`start` when a worker begins, `output` and `logs` with each picture, `completed` at the end."""
        if what == "processing":
            events = {"start": "start", "logs": "logs-0"}
        elif what == "picture":
            events = {"output": f"output-{len(job.pictures)}", "logs": f"logs-{len(job.pictures)}"}
        else:
            events = {"completed": "completed"}
        wanted = webhook.events or USUAL
        body = json.dumps(prediction(job, link, str(job.wire.get("_base", ""))), ensure_ascii=False).encode()
        return [Message(name, body) for event, name in events.items() if event in wanted]

    def headers(self, job: Job, message_id: str, timestamp: int, body: bytes, secrets: Secrets) -> dict[str, str]:
        return secrets.standard_webhook_headers(message_id, timestamp, body)


NOTIFIER: Final = _Notifier()
