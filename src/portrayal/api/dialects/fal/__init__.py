"""fal: `fal-ai/ideogram/character`, `/edit` and `/remix` by its run and queue protocols, webhooks and the proxy.

Sources: `fal-client` 1.0.3 (Python), `@fal-ai/client` 1.10.1 (JavaScript), https://docs.fal.ai. Uploads are in
`portrayal.api.storage`.
"""

from __future__ import annotations

from fastapi import APIRouter

from portrayal.api.dialects.fal.answers import FalNotifier
from portrayal.api.dialects.fal.endpoints import router as endpoints
from portrayal.api.dialects.fal.proxy import router as proxy
from portrayal.service.webhooks import Notifier

router = APIRouter()
router.include_router(proxy)
router.include_router(endpoints)
NOTIFIER: Notifier | None = FalNotifier()
