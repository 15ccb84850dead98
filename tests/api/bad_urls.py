"""A web server of ill will on loopback, for the doors' bad-input tests.

`/picture.png` is a sound picture, `/page.html` a page, `/hang` never answers, `/redirect` leads to 127.0.0.1's
metadata-like path on another port, `/missing` is 404, `/private` is to be asked through a name that is not allowed.
Servers under test allow it with `fetch_private="127.0.0.1"` where the picture itself shall be had.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.api.conftest import picture

BAD = ("/page.html", "/missing", "/redirect", "/hang")
"""Paths that no picture comes from; "/hang" takes as long as `fetch_timeout` says (set it to about 1)."""
PRIVATE = (
    "http://10.0.0.1/x.png",
    "http://192.168.1.1/x.png",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/x.png",
    "http://localhost:1/x.png",
    "http://0x7f000001/x.png",
    "ftp://example.com/x.png",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "not an address",
)
"""Addresses that are refused without a request, also where 127.0.0.1 itself is allowed."""


@contextmanager
def bad_server() -> Iterator[str]:
    """Its address, without a slash at the end."""
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/picture.png":
                self._answer(200, picture(), "image/png")
            elif self.path == "/page.html":
                self._answer(200, b"<html><body>no picture</body></html>", "text/html")
            elif self.path == "/redirect":
                self.send_response(302)
                self.send_header("location", "http://127.0.0.2:9/latest/meta-data")
                self.end_headers()
            elif self.path == "/hang":
                stopped.wait(30)
            else:
                self._answer(404, b"nothing here", "text/plain")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        stopped.set()
        server.shutdown()
