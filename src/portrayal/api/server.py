"""The server process: uvicorn around the application."""

from __future__ import annotations

import ipaddress
import logging
import sys
from urllib.parse import urlsplit

import uvicorn

from portrayal.api.app import MAX_BODY, create_app
from portrayal.api.dialects import NOTIFIERS
from portrayal.api.guarding import LOOPBACK
from portrayal.api.logs import configure
from portrayal.service.service import Service
from portrayal.service.work import Maker
from portrayal.settings import Settings


def keys_needed(settings: Settings) -> bool:
    """Whether callers need a key: as set, or else unless the address is loopback."""
    if settings.access != "auto":
        return settings.access == "keys"
    if settings.host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return True


def names(settings: Settings) -> frozenset[str] | None:
    """What an open server may be called; None = anything, where the operator opened it to others."""
    if settings.access == "open" and settings.host not in LOOPBACK:
        return None
    public = urlsplit(settings.public_url).hostname
    return LOOPBACK | {settings.host} | ({public} if public else set())


def serve(settings: Settings, *, work: bool = True, maker: Maker | None = None) -> None:
    """Run until the process is told to stop; running pictures are finished or handed back."""
    configure(settings.log_level)

    def make() -> Service:
        return Service(settings, work=work, maker=maker, notifiers=NOTIFIERS, keys_needed=keys_needed(settings))

    max_body = max(MAX_BODY, 4 * settings.max_upload_bytes + 1_000_000)
    config = uvicorn.Config(
        create_app(make, hosts=None if keys_needed(settings) else names(settings), max_body=max_body),
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_grace)),
        server_header=False,
    )
    server = uvicorn.Server(config)
    # A stage of an engine holds the interpreter for milliseconds; calls shall not wait for it longer than they must.
    sys.setswitchinterval(0.001)
    logging.getLogger("portrayal.api").info("serving", extra={"host": settings.host, "port": settings.port})
    server.run()
