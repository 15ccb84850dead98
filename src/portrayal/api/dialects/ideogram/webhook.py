"""Webhooks as Ideogram words and signs them: one message, when every picture is finished."""

from __future__ import annotations

import json
from collections.abc import Callable

from portrayal.api.dialects.ideogram import answers
from portrayal.service.envelope import FINAL, Job
from portrayal.service.signing import Secrets
from portrayal.service.webhooks import Message, Webhook


class IdeogramNotifier:
    """Tells about the end of a job. The signature is Ed25519 (`Secrets.ideogram_headers`)."""

    def messages(self, job: Job, what: str, webhook: Webhook, link: Callable[[str, str], str]) -> list[Message]:
        """The one message, once the job has ended."""
        if what not in FINAL:
            return []
        return [Message("ended", json.dumps(answers.told(job, link)).encode())]

    def headers(self, job: Job, message_id: str, timestamp: int, body: bytes, secrets: Secrets) -> dict[str, str]:
        """The headers; the account is the key's id, or the library's name in the open mode."""
        return secrets.ideogram_headers(job.id, job.key_id or job.library, timestamp, body)
