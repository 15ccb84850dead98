"""What stands before all doors: a limit for bodies, and a shield for servers that need no key.

A server on loopback without keys trusts whoever runs programs on the machine, but not the pages that a browser there
shows. Two tricks let a page talk to it: a name of its own that suddenly means 127.0.0.1 (DNS rebinding), seen by the
`Host` header, and a form that is sent across sites, seen by the `Origin` header.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portrayal.errors import ImageTooLargeError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class BodyLimit:
    """Ends the reading of a body that is too large; each door words the error in its own form."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, with a counted body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = dict(scope["headers"]).get(b"content-length", b"")
        taken = int(said) if said.isdigit() and len(said) < 16 else 0

        async def counted() -> Message:
            nonlocal taken
            if taken > self._limit:
                raise self._error()
            message = await receive()
            if not said:
                taken += len(message.get("body", b""))
                if taken > self._limit:
                    raise self._error()
            return message

        await self._app(scope, counted, send)

    def _error(self) -> ImageTooLargeError:
        megabytes = self._limit // 1_000_000
        return ImageTooLargeError(f"the call is larger than {megabytes} MB", field="body", remedy="Send smaller files.")


class Shield:
    """Refuses calls that a page of another site made: 403."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], origins: frozenset[str] = frozenset()) -> None:
        self._app, self._hosts, self._origins = app, hosts, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or refuse it."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host = _name(headers.get(b"host", b"").decode("latin-1"))
            origin = headers.get(b"origin", b"").decode("latin-1").lower()
            if host not in self._hosts:
                await _refuse(send, f"this server is not called {host[:80]!r}; set PORTRAYAL_PUBLIC_URL, or use keys")
                return
            if origin and origin not in self._origins and _name(origin.partition("://")[2]) not in self._hosts:
                await _refuse(send, "pages of other sites may not call a server without keys")
                return
        await self._app(scope, receive, send)


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def _refuse(send: Send, why: str) -> None:
    body = json.dumps({"type": "about:blank", "title": "Forbidden", "status": 403, "detail": why}).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
