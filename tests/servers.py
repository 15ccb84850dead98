"""Servers that are really started: a process of its own, a port of its own, stopped at the end by its own id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """`portrayal serve` with a fake maker, or the real one.

    Args:
        folder: of its data.
        real: the real engine.
        options: of the command.
        settings: more settings, by their names (`slots=2`), as environment variables.
    """

    def __init__(self, folder: Path, *, real: bool = False, options: tuple[str, ...] = (), **settings: object) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        given = {"data_dir": folder / "data", "cache_dir": folder / "cache", "port": self.port, "shutdown_grace": 2}
        self.env = {f"PORTRAYAL_{name.upper()}": str(value) for name, value in {**given, **settings}.items()}
        self.command = [sys.executable, "-m", "portrayal.cli" if real else "tests.fake_server", "serve", *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        """Start, and wait until it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = (self.folder / "log.txt").open("ab")
        self.process = subprocess.Popen(
            self.command, env={**os.environ, **self.env}, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        end = time.monotonic() + 180  # an upper bound, for machines with much else to do
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log()[-2000:]}")
            try:
                with urllib.request.urlopen(f"{self.base}/readyz", timeout=2):
                    return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the server is not ready: {self.log()[-2000:]}")

    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "log.txt").read_text()

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.kill()
