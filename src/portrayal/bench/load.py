"""How the server bears many clients: a started server with the real engine, and clients that all call at once.

Overhead is what the service adds to a picture: the whole call, less the engine's own time, less the wait for a slot
(which is other callers' pictures). It holds reading the call, keeping the file, the job's bookkeeping and the answer.
Machines are noisy, and the clients share this one with the server; nothing here is a pass/fail test.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2

from portrayal import assets
from portrayal.engines.base import Progress
from portrayal.errors import PortrayalError

PROMPTS = ("portrait in a coffee shop", "smiling, on a beach at sunset", "portrait in a forest", "in an office")


@dataclass
class Outcome:
    """What the clients saw.

    Attributes:
        statuses: HTTP status -> calls; -1 is a broken connection.
        firsts: overhead of each client's first call, all of which come in the same instant, in seconds.
        overheads: of the later calls; waits, engines: of all finished calls.
        lookups: seconds of each look at a job while the engine worked.
        memory: MB of the server before and after; None where it cannot be told.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    firsts: list[float] = field(default_factory=list)
    overheads: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    engines: list[float] = field(default_factory=list)
    lookups: list[float] = field(default_factory=list)
    seconds: float = 0.0
    memory: tuple[float | None, float | None] = (None, None)


def run(clients: int, seconds: float, progress: Progress) -> Outcome:
    """Start a server, let `clients` call for `seconds`, wait for their last pictures."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as (base, pid):
        progress("warming up", 0.0)
        outcome = asyncio.run(_load(base, pid, clients, seconds, progress))
    progress("done", 1.0)
    return outcome


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[tuple[str, int]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    given = {"DATA_DIR": folder / "data", "CACHE_DIR": folder / "cache", "PORT": port, "LOG_LEVEL": "error"}
    env = {**os.environ, **{f"PORTRAYAL_{name}": str(value) for name, value in given.items()}}
    log = folder / "log.txt"
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, "-m", "portrayal.cli", "serve"], env=env, stderr=errors)
        try:
            _until_ready(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()


def _until_ready(base: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"{base}/readyz").status_code == 200:
                return
        time.sleep(0.1)
    raise PortrayalError(f"the server did not start: {log.read_text()[-300:]}")


async def _load(base: str, pid: int, clients: int, seconds: float, progress: Progress) -> Outcome:
    outcome = Outcome()
    limits = httpx2.Limits(max_connections=clients + 8)
    async with httpx2.AsyncClient(base_url=base, timeout=600, limits=limits) as http:
        sample = assets.path("sample/astronaut.png").read_bytes()
        answer = await http.post("/api/v1/files", files={"files": ("sample.png", sample, "image/png")})
        answer.raise_for_status()
        reference = _file_id(answer.json())
        for prompt in PROMPTS:
            await _call(http, reference, prompt, Outcome())
        before = _memory(pid)
        start = time.monotonic()
        looking = asyncio.create_task(_look(http, outcome))

        async def client(number: int) -> None:
            count = 0
            while time.monotonic() - start < seconds:
                await _call(http, reference, PROMPTS[(number + count) % len(PROMPTS)], outcome, number, count)
                count += 1
                progress("calling", min(0.95, 0.95 * (time.monotonic() - start) / (2 * seconds)))

        await asyncio.gather(*(client(number) for number in range(clients)))
        outcome.seconds = time.monotonic() - start
        looking.cancel()
        outcome.memory = (before, _memory(pid))
    return outcome


async def _call(
    http: httpx2.AsyncClient, reference: str, prompt: str, outcome: Outcome, number: int = 0, count: int = 0
) -> None:
    """One synchronous call; a 429 is waited for as it says."""
    body = {"prompt": prompt, "reference": reference, "seed": 1000 * number + count, "wait": 600}
    start = time.perf_counter()
    try:
        answer = await http.post("/api/v1/portrayals/generate", json=body)
    except httpx2.TransportError:
        outcome.statuses[-1] += 1
        return
    total = time.perf_counter() - start
    outcome.statuses[answer.status_code] += 1
    if answer.status_code == 429:
        await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
    if answer.status_code != 201:
        return
    job = answer.json()
    wait = _time(job["started_at"]) - _time(job["created_at"])
    engine = float(job["result"]["timings"]["total"])
    outcome.waits.append(wait)
    outcome.engines.append(engine)
    (outcome.overheads if count else outcome.firsts).append(total - wait - engine)


async def _look(http: httpx2.AsyncClient, outcome: Outcome) -> None:
    """What somebody feels who only looks, while the engine works."""
    while True:
        start = time.perf_counter()
        with contextlib.suppress(httpx2.TransportError):
            await http.get("/api/v1/portrayals?limit=10")
            outcome.lookups.append(time.perf_counter() - start)
        await asyncio.sleep(0.2)


def table(outcome: Outcome, clients: int) -> str:
    """The outcome as text."""
    made = len(outcome.engines)
    statuses = ", ".join(f"{code}: {count}" for code, count in sorted(outcome.statuses.items()))
    lines = [
        f"{clients} clients, {outcome.seconds:.0f} s, {made} pictures ({made / max(outcome.seconds, 1e-9):.2f}/s)",
        f"answers by status: {statuses}",
        _row("overhead, all at once, ms", outcome.firsts, 1000),
        _row("overhead, later calls, ms", outcome.overheads, 1000),
        _row("looking at the library, ms", outcome.lookups, 1000),
        _row("engine, s", outcome.engines, 1),
        _row("wait for a slot, s", outcome.waits, 1),
    ]
    before, after = outcome.memory
    if before is not None and after is not None:
        lines.append(f"memory of the server: {before:.0f} MB before, {after:.0f} MB after")
    return "\n".join(lines)


def _row(name: str, values: list[float], scale: float) -> str:
    if not values:
        return f"{name:30} none"
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"{name:30} median {scale * statistics.median(values):7.1f}   p99 {scale * p99:7.1f}"


def _memory(pid: int) -> float | None:
    """Resident memory of a process in MB, where /proc tells it."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        text = Path(f"/proc/{pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024
    return None


def _file_id(answer: Any) -> str:
    first = answer[0] if isinstance(answer, list) else answer.get("files", [answer])[0]
    return str(first["id"])


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
