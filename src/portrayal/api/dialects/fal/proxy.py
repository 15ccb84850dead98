"""`/api/fal/proxy`: every call of fal's JavaScript client at one address, as its `proxyUrl` makes them.

The real target is in the header `x-fal-target-url`. fal's own hosts become paths of this server, and the call goes to
them inside of the process: no URL of a caller is ever opened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from portrayal.api.dialects.fal.errors import BadRequestError, encode
from portrayal.api.doors import speaking

TARGET: Final = "x-fal-target-url"
# Host -> what stands before its paths here, and which of its paths are served.
_HOSTS: Final[dict[str, tuple[str, str]]] = {
    "fal.run": ("/run", r"/fal-ai/.*"),
    "queue.fal.run": ("/queue", r"/fal-ai/.*"),
    "rest.fal.ai": ("", r"/storage/.*|/\.well-known/jwks\.json"),
    "rest.alpha.fal.ai": ("", r"/storage/.*|/\.well-known/jwks\.json"),
    "v3.fal.media": ("", r"/files/.*"),
}
_REMEDY: Final = "It takes calls to fal.run, queue.fal.run, rest.fal.ai and v3.fal.media."

router = APIRouter(route_class=speaking(encode), include_in_schema=False)


class _Inside(Response):
    """The answer that the application itself gives to another path."""

    def __init__(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        super().__init__()
        self._app, self._scope = app, scope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(self._scope, receive, send)


@router.api_route("/api/fal/proxy", methods=["GET", "POST", "PUT"])
async def proxy(request: Request) -> Response:
    """Hand a call over to the path that its target means."""
    target = request.headers.get(TARGET, "")
    try:
        parts = urlsplit(target)
        place = _HOSTS.get((parts.hostname or "").lower())
    except ValueError:
        place = None
    if place is None or parts.scheme not in ("https", "http") or parts.username or not target.isascii():
        raise BadRequestError("this proxy does not go there", field=TARGET, remedy=_REMEDY)
    before, served = place
    path = unquote(parts.path)
    if not re.fullmatch(served, path) or ".." in path:
        raise BadRequestError("there is nothing at this path", field=TARGET, remedy=_REMEDY)
    scope = dict(request.scope)
    scope |= {
        "path": before + path,
        "raw_path": (before + parts.path).encode(),
        "query_string": parts.query.encode(),
        "headers": _headers(request.scope["headers"]),
        "state": {},
    }
    for name in ("route", "router", "endpoint", "path_params", "app_root_path"):
        scope.pop(name, None)
    return _Inside(request.app, scope)


def _headers(given: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in given if name.lower() != TARGET.encode()]
