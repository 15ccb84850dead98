"""What callers send is told to nobody: a started server's log, its counters, errors, and what lies in its folder.

Every call carries a marker in its prompt, its headers, the names of files, and addresses with secrets in them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from portrayal.service.database import Database
from portrayal.service.keys import Keys
from portrayal.settings import Settings
from tests.api.conftest import picture, uri
from tests.servers import Server

MARK = "ZQXMARK"
SECRET = "secret words of the prompt"  # what the fake maker's crash says
ADDRESSES = (
    f"http://user{MARK}:word{MARK}@example.com/{MARK}.png",
    f"http://127.0.0.1:9/{MARK}.png?token={MARK}",
    f"https://10.0.0.1/{MARK}.png?token={MARK}",
    f"http://{MARK}.invalid/{MARK}",
    f"http://[{MARK}",
    f"file:///{MARK}",
    f"data:image/png;base64,{MARK}",
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data folder, and a key that was made in it."""
    folder = tmp_path_factory.mktemp("leaks")
    database = Database(Settings(data_dir=folder / "data", cache_dir=folder / "cache"))
    database.migrate()
    _, key = Keys(database, needed=True).create("anna")
    database.close()
    return folder, key


@pytest.fixture(scope="module")
def spoken(key: tuple[Path, str]) -> tuple[list[tuple[int, str]], str, str]:
    """Statuses and answers of many calls, the server's log at its most talkative, and its counters."""
    folder, secret = key
    with Server(folder, slots=2, access="keys", log_level="debug") as server:
        headers = {"Authorization": f"Bearer {secret}", "User-Agent": MARK, "Referer": f"http://{MARK}", "X-A": MARK}
        with httpx2.Client(base_url=server.base, headers=headers, timeout=60) as client:
            answers = _calls(client, secret)
            counters = client.get("/metrics").text
    return answers, server.log(), counters


def _calls(client: httpx2.Client, secret: str) -> list[tuple[int, str]]:
    said: list[tuple[int, str]] = []

    def call(path: str, **given: Any) -> None:
        answer = client.post(path, **given)
        said.append((answer.status_code, answer.text))

    face = uri(picture())
    for word in ("", "FAIL", "CRASH"):
        for path, body in _orders(f"{MARK} {word}", face):
            call(path, json=body, headers={"Prefer": "wait", "Idempotency-Key": f"{MARK}-{path}-{word}"})
        files = [("character_reference_images", (f"{MARK}.png", picture()))]
        call("/v1/ideogram-v3/generate", data={"prompt": f"{MARK} {word}"}, files=files)
    for address in ADDRESSES:
        for path, body in _orders(MARK, address):
            call(path, json=body)
        call("/api/v1/portrayals/generate", json={"prompt": MARK, "reference": face, "webhook": {"url": address}})
        call("/queue/fal-ai/ideogram/character", params={"fal_webhook": address}, json=_orders(MARK, face)[1][1])
    call("/api/v1/files", files={"files": (f"{MARK}.png", MARK.encode())})
    call("/api/v1/portrayals/generate", content=MARK.encode(), headers={"Content-Type": "application/json"})
    call("/v1/ideogram-v3/generate", content=MARK, headers={"Content-Type": f"multipart/form-data; boundary={MARK}"})
    for name in ("Authorization", "Api-Key", "X-Api-Key", "Origin", "Cookie"):
        call("/api/v1/magic-prompt", json={"prompt": MARK}, headers={name: f"{secret}-{MARK}"})
    call(f"/{MARK}")
    return said


def _orders(prompt: str, reference: str) -> list[tuple[str, dict[str, Any]]]:
    fields = {"prompt": prompt, "character_reference_image": reference}
    return [
        ("/api/v1/portrayals/generate", {"prompt": prompt, "reference": reference, "wait": 20}),
        ("/fal-ai/ideogram/character", {"prompt": prompt, "reference_image_urls": [reference]}),
        ("/v1/predictions", {"version": "ideogram-ai/ideogram-character", "input": fields}),
        ("/v1/ideogram-character", fields),
    ]


def test_the_log_and_the_counters_hold_nothing_of_it(
    spoken: tuple[list[tuple[int, str]], str, str], key: tuple[Path, str]
) -> None:
    _, log, counters = spoken
    assert "a job failed" in log
    assert '"logger": "portrayal.work"' in log
    assert "portrayal_jobs" in counters
    for text in (log, counters):
        for word in (MARK, MARK.lower(), SECRET, key[1]):
            assert word not in text


def test_no_answer_tells_what_broke(spoken: tuple[list[tuple[int, str]], str, str]) -> None:
    answers, log, _ = spoken
    assert any("RuntimeError" in text for _, text in answers)
    assert not any(SECRET in text or "Traceback" in text or ".py" in text for _, text in answers)
    assert not any(f"word{MARK}" in text or f"token={MARK}" in text for _, text in answers)
    # The fake's crash is the one fault: hosts that answer at once word it as a 500. No call itself failed.
    assert "a call failed" not in log


def test_the_folder_holds_no_key_and_nobody_else_reads_it(
    spoken: tuple[list[tuple[int, str]], str, str], key: tuple[Path, str]
) -> None:
    folder, secret = key
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    assert {"library.sqlite", "jobs.sqlite", "service.secrets"} <= {path.name for path in files}
    for path in files:
        data = path.read_bytes()
        assert secret.encode() not in data, path
        if path.name != "library.sqlite":  # the library keeps prompts: it is there for that
            assert MARK.encode() not in data, path
        if data:
            assert path.stat().st_mode & 0o077 == 0, path
