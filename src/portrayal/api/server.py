"""The server process: uvicorn around the application."""

from __future__ import annotations

import ipaddress
import logging
import sys

import uvicorn

from portrayal.api.app import create_app
from portrayal.api.dialects import NOTIFIERS
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


def serve(settings: Settings, *, work: bool = True, maker: Maker | None = None) -> None:
    """Run until the process is told to stop; running pictures are finished or handed back."""
    configure(settings.log_level)

    def make() -> Service:
        return Service(settings, work=work, maker=maker, notifiers=NOTIFIERS, keys_needed=keys_needed(settings))

    config = uvicorn.Config(
        create_app(make),
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
