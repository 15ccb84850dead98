"""The processes: the server, which is uvicorn around the application, and workers without one."""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
import ssl
import sys
import threading
from urllib.parse import urlsplit

import uvicorn

from portrayal.api.app import MAX_BODY, create_app
from portrayal.api.dialects import NOTIFIERS
from portrayal.api.guarding import LOOPBACK
from portrayal.api.logs import configure
from portrayal.errors import InvalidRequestError, PortrayalError
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


class _Server(uvicorn.Server):
    """One that lets those go who listen for events before it waits for all calls to end: they would never."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        service = getattr(self.config.app.state, "service", None)  # type: ignore[union-attr]
        if service is not None:
            service.hush()
        await super().shutdown(sockets)


def serve(settings: Settings, *, work: bool = True, maker: Maker | None = None) -> None:
    """Run until the process is told to stop; running pictures are finished or handed back.

    Raises:
        PortrayalError: it cannot start: another server uses the port or the data folder, a certificate without its
            key, no database, SQLite has no other workers, ...
    """
    if not work and settings.database_url is None:
        raise InvalidRequestError(
            "with SQLite nobody else could make the pictures",
            field="--no-work",
            remedy="Set PORTRAYAL_DATABASE_URL to a PostgreSQL, and start `portrayal worker` with the same one.",
        )
    _check_certificate(settings)
    _check_address(settings)
    configure(settings.log_level)

    def make() -> Service:
        return Service(settings, work=work, maker=maker, notifiers=NOTIFIERS, keys_needed=keys_needed(settings))

    max_body = max(MAX_BODY, 4 * settings.max_upload_bytes + 1_000_000)
    app = create_app(make, hosts=None if keys_needed(settings) else names(settings), max_body=max_body)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_grace)),
        server_header=False,
    )
    server = _Server(config)
    # A stage of an engine holds the interpreter for milliseconds; calls shall not wait for it longer than they must.
    sys.setswitchinterval(0.0002)
    logging.getLogger("portrayal.api").info("serving", extra={"host": settings.host, "port": settings.port})
    # What keeps the service from starting is said in one line below, not as uvicorn's trace.
    logging.getLogger("uvicorn.error").addFilter(lambda _: not hasattr(app.state, "refused"))
    try:
        server.run()
    finally:  # uvicorn exits the process by itself when it could not start
        refused = getattr(app.state, "refused", None)
        if isinstance(refused, PortrayalError):
            raise refused


def _check_certificate(settings: Settings) -> None:
    """Whether the server can speak https, where it shall."""
    if settings.tls_certificate is None:
        if settings.tls_key is not None:
            raise InvalidRequestError(
                "is a key without a certificate", field="tls_key", remedy="Give --tls-certificate too."
            )
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password=lambda: b"")  # never asks for one
    except (OSError, ValueError) as error:
        raise InvalidRequestError(
            "the certificate and its key cannot be used",
            field="tls_certificate",
            remedy="Give two PEM files that belong together, the key without a passphrase.",
        ) from error


def _check_address(settings: Settings) -> None:
    """Whether the server can listen where it shall."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        raise InvalidRequestError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}",
            field="host, port",
            remedy="Give another --host or --port, or stop what listens there.",
        ) from error


def work(settings: Settings, *, maker: Maker | None = None) -> None:
    """Make pictures for servers elsewhere until the process is told to stop.

    Raises:
        PortrayalError: there is no PostgreSQL to share, ...
    """
    if settings.database_url is None:
        raise InvalidRequestError(
            "workers need a PostgreSQL that they share with the server; an SQLite file has one process",
            field="PORTRAYAL_DATABASE_URL",
            remedy="Set it to the server's, and PORTRAYAL_BLOBS_URL too. With SQLite the server makes the pictures.",
        )
    configure(settings.log_level)
    log = logging.getLogger("portrayal.worker")
    told = threading.Event()
    before = {number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    service = Service(settings, maker=maker, notifiers=NOTIFIERS).open()
    log.info("working", extra={"slots": service.jobs.slots, "worker": service.jobs.me})
    told.wait()
    log.info("stopping")
    for number, handler in before.items():
        signal.signal(number, handler)  # who is told twice stops at once
    service.close()
    log.info("stopped")
