"""`portrayal.client` and `--server` against a started server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from portrayal import cli, errors
from portrayal.client import Client, ServerError
from portrayal.client.resources import Portrayals
from portrayal.errors import (
    ConflictError,
    ImageReadError,
    InvalidRequestError,
    LimitError,
    MaskMismatchError,
    NotFoundError,
    OutputError,
    PolicyError,
    PortrayalError,
)
from portrayal.result import Picture, Portrayal
from tests.api.conftest import mask, picture, uri
from tests.servers import Server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    with Client(server.base) as client:
        yield client


@pytest.fixture
def me(tmp_path: Path) -> Path:
    file = tmp_path / "me.png"
    file.write_bytes(picture())
    return file


@pytest.fixture
def white(tmp_path: Path) -> Path:
    file = tmp_path / "mask.png"
    file.write_bytes(mask(inside=255, outside=0))
    return file


def test_a_picture_like_one_that_was_made_here(client: Client, me: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    result = client.generate(
        me, "WAIT in a park", output=tmp_path / "out.png", num_images=2, seed=5, size="768x1088",
        progress=lambda stage, fraction: seen.append((stage, fraction)),
    )  # fmt: skip
    assert isinstance(result, Portrayal)
    assert (result.engine, result.operation, result.prompt) == ("fake", "generate", "WAIT in a park")
    assert [(p.seed, p.width, p.height) for p in result.pictures] == [(5, 768, 1088), (6, 768, 1088)]
    assert result.pictures[0].proof.same_person
    for made in result.pictures:
        assert made.path is not None
        assert made.path.read_bytes() == made.data
    assert any(stage.startswith("picture 1 of 2: ") for stage, _ in seen)
    assert [f for _, f in seen] == sorted(f for _, f in seen)


def test_every_operation(client: Client, me: Path, white: Path, tmp_path: Path) -> None:
    made = {
        "edit": client.edit(me, "navy jacket", mask=white, reference=me, save_mask=tmp_path / "used.png"),
        "remix": client.remix(me, reference=[picture(colour="red")], strength=0.8, reference_mask=white),
        "reframe": client.reframe(me, aspect_ratio="1:3"),
        "replace-background": client.replace_background(me, background=me, mask=white),
        "remove-background": client.remove_background(me, output=tmp_path / "cut.webp"),
        "upscale": client.upscale(uri(picture()), 4),
    }
    assert {name: result.operation for name, result in made.items()} == {name: name for name in made}
    assert (tmp_path / "used.png").read_bytes() == white.read_bytes()
    assert (made["reframe"].pictures[0].width, made["reframe"].pictures[0].height) == (512, 1536)
    assert (tmp_path / "cut.webp").read_bytes()[8:12] == b"WEBP"
    assert made["edit"].pictures[0].did == "head swapped"


def test_size_as_numbers(client: Client, me: Path) -> None:
    assert client.generate(me, "a", size=(512, 512)).pictures[0].width == 512


def test_errors_are_those_of_the_package(client: Client, me: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    small = tmp_path / "small.png"
    small.write_bytes(mask(64, 64, inside=255, outside=0))
    cases: tuple[tuple[type[PortrayalError], str, object], ...] = (
        (InvalidRequestError, "prompt", lambda: client.generate(me, "")),
        (ImageReadError, "reference", lambda: client.generate(tmp_path / "nowhere.png", "a")),
        (ImageReadError, "reference", lambda: client.generate(tmp_path / "text.png", "a")),
        (MaskMismatchError, "mask", lambda: client.generate(me, "a", mask=small)),
        (MaskMismatchError, "reference_mask", lambda: client.remix(me, reference=me, reference_mask=small)),
        (MaskMismatchError, "mask", lambda: client.edit(me, "a", mask=small)),
        (InvalidRequestError, "seed", lambda: client.generate(me, "a", seed=-1)),
        (InvalidRequestError, "size", lambda: client.generate(me, "a", size="1x1")),
        (errors.UnknownCharacterError, "reference", lambda: client.generate("@nobody", "a")),
        (PolicyError, "prompt", lambda: client.generate(me, "completely naked on a beach")),
        (OutputError, "output", lambda: client.generate(me, "a", output=me)),
        (InvalidRequestError, "mask", lambda: client.generate((), "@a", mask=small)),
        (InvalidRequestError, "prompt", lambda: client.generate(me, "FAIL")),
        (ServerError, "server", lambda: client.generate(me, "CRASH")),
        (NotFoundError, "id", lambda: client.portrayals.get("0" * 26)),
    )
    for kind, field, call in cases:
        with pytest.raises(kind) as told:
            call()  # type: ignore[operator]
        assert (type(told.value), told.value.field) == (kind, field)
    assert me.read_bytes() == picture()


def test_a_server_that_is_none(me: Path) -> None:
    with pytest.raises(ServerError, match="cannot be reached"):
        Client("http://127.0.0.1:9").generate(me, "a")
    with pytest.raises(InvalidRequestError):
        Client("localhost:8000")
    stranger = httpx2.Client(transport=httpx2.MockTransport(lambda request: httpx2.Response(404, text="no")))
    with pytest.raises(ServerError, match="404"):
        Client("http://example.org", http=stranger).sizes()
    limited = {"detail": "full", "reason": "inflight_limit", "limit": 3}
    busy = httpx2.MockTransport(lambda request: httpx2.Response(429, json=limited, headers={"retry-after": "7"}))
    with pytest.raises(LimitError) as told:
        Client("http://example.org", http=httpx2.Client(transport=busy)).me()
    assert (told.value.reason, told.value.limit, told.value.retry_after) == ("inflight_limit", 3, 7)


def test_without_the_stream_it_asks(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Iterator[tuple[int, object]]:
        raise ServerError("the line is lost")
        yield

    monkeypatch.setattr(Portrayals, "events", broken)
    assert client.generate(picture(), "a").pictures[0].proof.same_person


def test_jobs_by_hand(client: Client) -> None:
    file = client.files.upload(picture())[0]
    job = client.portrayals.submit("generate", {"prompt": "SLOW", "reference": file.id}, idempotency_key="by-hand")
    assert client.portrayals.submit("generate", {"prompt": "SLOW", "reference": file.id}, "by-hand").id == job.id
    client.portrayals.cancel(job.id)
    ended = client.portrayals.wait(job.id, timeout=30)
    assert ended.state == "canceled"
    with pytest.raises(PortrayalError, match="canceled"):
        client.result(ended)
    again = client.portrayals.submit("upscale", {"image": file.id})
    again = client.portrayals.wait(again.id)
    assert isinstance(client.result(again).pictures[0], Picture)
    assert client.portrayals.wait(client.portrayals.again(again.id, seed=3).id).pictures[0].seed == 3
    listed = [job.id for job in client.portrayals.list(limit=2)]
    assert {job.id, again.id} <= set(listed)
    assert len(listed) == len(set(listed))
    assert client.files.read(file.id) == picture()
    client.files.delete(file.id)
    with pytest.raises(NotFoundError):
        client.files.get(file.id)


def test_characters(client: Client, sample: bytes, tmp_path: Path) -> None:
    ada = client.characters.add("Ada", sample, notes="n", tags=["t"])
    assert (ada.name, ada.kind, ada.mask_used) == ("Ada", "person", 0)
    with pytest.raises(ConflictError):
        client.characters.add("ada", sample)
    made = client.generate((), "@ada in a park")
    assert made.pictures[0].proof.same_person
    assert client.generate("@ada", "in a park").pictures
    head = client.files.mask(client.files.upload(sample)[0], "head", grow=4)
    assert (head.width, head.height) == (512, 512)
    assert client.characters.add_mask("ada", head, note="head").mask_used == 1
    assert client.characters.use_mask("ada", 0).mask_used == 0
    archive = client.characters.export("ada")
    assert client.characters.import_(archive, name="Byron").notes == "n"
    assert client.characters.change("byron", name="Cy", tags=[]).tags == ()
    assert [c.name for c in client.characters.list()] == ["Ada", "Cy"]
    client.characters.remove("Cy")
    assert [c.name for c in client.characters.list("A")] == ["Ada"]
    told = client.describe(sample)
    assert told.prompt
    assert len(told.style_code) == 8
    client.characters.remove("Ada")


def test_what_there_is_to_choose_from(client: Client) -> None:
    assert len(client.styles()["presets"]) == 62
    assert client.templates()
    assert client.limits()["max_characters"] == 4
    assert client.me()["scopes"]
    assert client.magic_prompt("on a beach")["understood"]
    assert len(client.sizes()["ratios"]) == 15


def test_the_client_loads_nothing_heavy() -> None:
    heavy = ("numpy", "cv2", "fastapi", "sqlalchemy")
    code = f"import sys, portrayal.client; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# The command line.


def run(*arguments: object, **environment: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.app, [str(a) for a in arguments], env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def test_commands_go_through_a_server(server: Server, me: Path, white: Path, tmp_path: Path) -> None:
    at = ("--server", server.base)
    out = tmp_path / "out.png"
    code, told, _ = run("generate", "-r", me, "-p", "in a park", "-o", out, "--seed", 7, *at)
    assert code == 0
    assert told == f"{out}  1024x1024  seed 7  identity 0.86 (distance 0.31): same person\n"
    code, told, _ = run("generate", "-r", me, "-p", "in a park", "-o", out, "--json", PORTRAYAL_SERVER=server.base)
    values = json.loads(told)
    assert values["engine"] == "fake"
    assert values["pictures"][0]["path"] == str(out)
    assert values.keys() == Portrayal.model_fields.keys()
    assert values["pictures"][0].keys() == Picture.model_fields.keys() - {"data", "mask"}
    folder = tmp_path / "many"
    run("edit", "-i", me, "-p", "a hat", "--mask", white, "-o", folder, "-n", 2, "--seed", 1, *at)
    assert sorted(p.name for p in folder.iterdir()) == ["portrayal-0000000001.png", "portrayal-0000000002.png"]
    for command in (
        ("remix", "-i", me, "-r", me), ("reframe", "-i", me, "--aspect-ratio", "2:1"),
        ("replace-background", "-i", me, "-p", "a beach"), ("remove-background", "-i", me), ("upscale", "-i", me),
    ):  # fmt: skip
        target = tmp_path / f"{command[0]}.png"
        assert run(*command, "-o", target, *at)[0] == 0
        assert target.read_bytes()[:4] == b"\x89PNG"


def test_commands_refuse_as_they_do_here(server: Server, me: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    for bad, field in ((("--seed", -1), "seed"), (("--size", "1x1"), "size"), (("-n", 9), "num_images")):
        here = with_error("generate", "-r", me, "-p", "a", "-o", out, *bad)
        there = with_error("generate", "-r", me, "-p", "a", "-o", out, *bad, "--server", server.base)
        assert (type(here), here.field, here.exit_code) == (type(there), there.field, there.exit_code)
        assert here.field == field
    assert not out.exists()


def with_error(*arguments: object) -> PortrayalError:
    with pytest.raises(PortrayalError) as told:
        run(*arguments)
    return told.value


def test_characters_on_the_command_line(server: Server, sample: bytes, tmp_path: Path) -> None:
    file = tmp_path / "ada.png"
    file.write_bytes(sample)
    at = ("--server", server.base)
    assert run("character", "add", "Eva", file, "-t", "x", *at)[1] == "saved @Eva\n"
    assert "@Eva" in run("character", "list", *at)[1]
    assert json.loads(run("character", "list", "--json", *at)[1])["characters"][0]["name"] == "Eva"
    assert run("character", "show", "eva", *at)[1].startswith("@Eva  person")
    assert run("character", "mask", "eva", "--use", 0, *at)[1] == "@Eva uses the automatic mask\n"
    archive = tmp_path / "eva.zip"
    assert run("character", "export", "eva", archive, *at)[0] == 0
    assert run("character", "import", archive, "--as", "Fay", *at)[1] == "saved @Fay\n"
    for name in ("eva", "fay"):
        assert run("character", "remove", name, *at)[0] == 0
    # A server on this very machine shares its folder with the command line.
    assert not list((server.folder / "data" / "characters").glob("[!.]*"))
