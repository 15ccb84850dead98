"""The language model of the magic prompt: a local server that answers well, badly, late, or with too much."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from portrayal.errors import InvalidRequestError
from portrayal.magic_model import rewrite
from portrayal.prompting import read
from portrayal.prompting.magic import enrich
from portrayal.settings import Settings

_KEY = "sk-very-private"
Answer = Callable[[dict[str, Any]], "str | bytes | int"]


class _Model:
    """A server on loopback; `answer` gives the text of the message, raw bytes, or a status."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _: "a portrait"
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.pause = 0.0
        self.drip = 0.0
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                model.seen.append({"path": self.path, **body})
                model.headers.append(dict(self.headers))
                time.sleep(model.pause)
                found = model.answer(body)
                status = found if isinstance(found, int) else 200
                data = b"{}" if isinstance(found, int) else found
                if isinstance(data, str):
                    data = json.dumps({"choices": [{"message": {"content": data}}]}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                if status == 307:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                try:
                    for at in range(0, len(data), 1 if model.drip else max(1, len(data))):
                        self.wfile.write(data[at : at + (1 if model.drip else len(data))])
                        self.wfile.flush()
                        time.sleep(model.drip)
                except OSError:
                    pass  # the caller had enough

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"


@pytest.fixture
def model() -> Iterator[_Model]:
    made = _Model()
    yield made
    made.server.shutdown()
    made.server.server_close()


def _settings(model: _Model, **values: Any) -> Settings:
    return Settings(
        magic_prompt_url=model.url,
        magic_prompt_model="tiny",
        magic_prompt_key=SecretStr(_KEY),
        **{"magic_prompt_timeout": 5.0, **values},
    )


def test_a_good_answer_is_used(model: _Model) -> None:
    model.answer = lambda _: "A portrait in a quiet library, soft window light, slight smile"
    magic = rewrite("a portrait", "on", 7, "hat", _settings(model))
    assert magic.prompt == "A portrait in a quiet library, soft window light, slight smile"
    assert (magic.by, magic.added, magic.warnings) == ("tiny", (), ())
    asked = model.seen[0]
    assert asked["path"] == "/v1/chat/completions"
    assert (asked["model"], asked["seed"]) == ("tiny", 7)
    assert [m["role"] for m in asked["messages"]] == ["system", "user"]
    assert asked["messages"][1]["content"] == "a portrait\n\nNot in the picture: hat"
    assert model.headers[0]["Authorization"] == f"Bearer {_KEY}"


@pytest.mark.parametrize(
    ("prompt", "negative", "answer", "why"),
    [
        ("a portrait", "", "", "nothing"),
        ("a portrait", "", "   \n ", "nothing"),
        ("a portrait", "", "word " * 3000, "more than 10000 characters"),
        ("a portrait", "", b"x" * 400_000, "too much"),
        ("a portrait", "", b"<html>", "something else"),
        ("a portrait", "", b"[]", "something else"),
        ("a portrait", "", b'{"choices": []}', "something else"),
        ("a portrait", "", b'{"choices": [{"message": {"content": 5}}]}', "something else"),
        ("a portrait", "", b"[" * 100_000, "something else"),
        ("a portrait", "", 500, "status 500"),
        ("a portrait", "", 401, "status 401"),
        ("a portrait", "", 307, "status 307"),
        ('a sign that says "HELLO"', "", "a sign that says hello, on a beach", "quotation marks"),
        ('a sign that says "HELLO"', "", 'a sign that says "Hello", on a beach', "quotation marks"),
        ("a portrait", "", 'a portrait before a sign that says "OPEN"', "quotation marks"),
        ("@ada smiling", "", "a woman smiling on a beach", "names"),
        ("@ada smiling", "", "@ada and @bob smiling on a beach", "names"),
        ("a portrait", "snow", "a portrait in the falling snow", "negative prompt"),
        ("a portrait", "", "a portrait on a beach, no hat", "shall not"),
        ("on a beach", "", "in a forest at dawn", "what the prompt says"),
        ("in a red suit", "", "in a blue suit at dawn", "what the prompt says"),
        ("wearing glasses", "", "a portrait at dawn", "what the prompt says"),
        ("jumping", "", "sitting on a chair in a library", "what the prompt says"),
    ],
)
def test_a_bad_answer_is_not(model: _Model, prompt: str, negative: str, answer: str | bytes | int, why: str) -> None:
    model.answer = lambda _: answer
    magic = rewrite(prompt, "on", 3, negative, _settings(model))
    built_in = enrich(prompt, mode="on", seed=3, negative=negative)
    assert (magic.prompt, magic.added, magic.by) == (built_in.prompt, built_in.added, "built-in")
    assert len(magic.warnings) == 1
    assert why in magic.warnings[0]
    assert "the built-in one was used" in magic.warnings[0]
    assert len(model.seen) == 1


def test_it_is_not_waited_for_too_long(model: _Model) -> None:
    model.pause = 1.5
    magic = rewrite("a portrait", "on", 3, "", _settings(model, magic_prompt_timeout=0.3))
    assert magic.by == "built-in"
    assert "within 0.3 seconds" in magic.warnings[0]


def test_nor_when_it_answers_letter_by_letter(model: _Model) -> None:
    model.drip = 0.05
    model.answer = lambda _: "a portrait on a beach, " * 20
    begin = time.monotonic()
    magic = rewrite("a portrait", "on", 3, "", _settings(model, magic_prompt_timeout=0.5))
    assert magic.by == "built-in"
    assert "within 0.5 seconds" in magic.warnings[0]
    assert time.monotonic() - begin < 10


def test_a_server_that_is_not_there() -> None:
    settings = Settings(magic_prompt_url="http://127.0.0.1:9/v1", magic_prompt_key=SecretStr(_KEY))
    magic = rewrite("a portrait", "on", 3, "", settings)
    assert magic.by == "built-in"
    assert "could not be reached" in magic.warnings[0]
    assert rewrite("a portrait", "on", 3, "", Settings(magic_prompt_url="no address")).by == "built-in"


def test_quotation_marks_around_the_whole_answer_are_no_lettering(model: _Model) -> None:
    model.answer = lambda _: '"A portrait on a beach at sunset"'
    magic = rewrite("a portrait", "on", 3, "", _settings(model))
    assert magic.prompt == "A portrait on a beach at sunset"
    assert read(magic.prompt).lettering == ()


def test_quoted_words_and_names_may_stay(model: _Model) -> None:
    prompt = '@ada holding a sign that says "HELLO"'
    model.answer = lambda _: '@ada holding a sign that says "HELLO", on a city street at golden hour'
    assert rewrite(prompt, "on", 3, "", _settings(model)).by == "tiny"


def test_who_does_not_ask_is_not_told(model: _Model) -> None:
    assert rewrite("a portrait", "off", 3, "", _settings(model)).prompt == "a portrait"
    assert rewrite("on a beach, smiling", "auto", 3, "", _settings(model)).prompt == "on a beach, smiling"
    assert rewrite("  ", "on", 3, "", _settings(model)).prompt == "  "
    assert model.seen == []
    assert rewrite("a portrait", "on", 3, "", Settings()) == enrich("a portrait", mode="on", seed=3)
    with pytest.raises(InvalidRequestError, match="magic_prompt"):
        rewrite("a portrait", "perhaps", 3, "", _settings(model))


@pytest.mark.parametrize("answer", [500, "", b"garbage " + _KEY.encode()])
def test_the_key_is_seen_by_nobody_else(
    model: _Model, answer: str | bytes | int, caplog: pytest.LogCaptureFixture
) -> None:
    model.answer = lambda _: answer
    settings = _settings(model)
    with caplog.at_level(logging.DEBUG):
        magic = rewrite("a portrait", "on", 3, "", settings)
    assert _KEY not in repr(magic)
    assert _KEY not in caplog.text
    assert _KEY not in repr(settings) + str(settings.model_dump()) + settings.model_dump_json()
    assert not any(_KEY in json.dumps(body) for body in model.seen)


def test_nothing_but_the_words_is_sent(model: _Model) -> None:
    rewrite("a portrait", "on", 3, "", Settings(magic_prompt_url=model.url))
    assert "Authorization" not in model.headers[0]
    assert set(model.seen[0]) == {"path", "model", "messages", "seed", "max_tokens", "stream"}
