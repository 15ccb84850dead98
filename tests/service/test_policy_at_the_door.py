"""The policy at the door: a listed picture under any name, and a prompt that a language model rewrote behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portrayal import assets, magic_model, pipeline
from portrayal.errors import InvalidRequestError, PolicyError
from portrayal.request import Request
from portrayal.result import Portrayal
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.pictures import accepted, fingerprint
from portrayal.service.service import Service, Ticket
from portrayal.settings import Settings
from tests.fake import maker


def test_a_blocked_picture_is_refused_under_any_name(tmp_path: Path) -> None:
    sample = assets.path("sample/astronaut.png").read_bytes()
    kept = accepted(sample, "reference", max_bytes=10**8, max_pixels=10**8).data
    rules = tmp_path / "rules.toml"
    rules.write_text(f'extends = "shipped"\n[[blocked_pictures]]\ndhash = "{fingerprint(kept)}"\nnote = "asked for"\n')
    settings = Settings(data_dir=tmp_path / "d", cache_dir=tmp_path / "c", policy_file=rules, shutdown_grace=0)
    service = Service(settings, maker=maker).open()

    async def order(caller: Caller, prompt: str, given: bool) -> None:
        files = [await service.take(sample, "reference", caller)] if given else []
        made = Order.make(prompt=prompt, characters=tuple(Who(image=f.sha256) for f in files))
        await service.submit(made, caller, Ticket(), tuple(("reference", f) for f in files))

    try:
        service.characters.add("ada", sample, "main")
        for prompt, given in (("in a park", True), ("@ada in a park", False)):
            with pytest.raises(PolicyError) as caught:
                asyncio.run(order(Caller(), prompt, given))
            assert caught.value.category == "blocked-picture"
    finally:
        service.close()


@pytest.mark.parametrize(
    ("written", "policy", "by"),
    [
        ("a portrait in a park, morning light", True, "tiny"),
        ("a portrait in a park, naked", True, "built-in"),
        ("a portrait in a park, naked", False, "tiny"),
    ],
)
def test_what_a_language_model_writes_behind_the_door_is_judged_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, policy: bool, by: str
) -> None:
    monkeypatch.setattr(magic_model, "_asked", lambda *_: written)
    magics = []

    def writing(request: Request, *, judge: Callable[[str], None], **others: Any) -> Portrayal:
        settings = Settings(magic_prompt_url="http://model.test/v1", magic_prompt_model="tiny")
        if request.prompt == "a portrait in a park":  # not the picture that warms the engine
            magics.append(magic_model.rewrite(request.prompt, "on", 1, settings=settings, judge=judge))
        return maker(request, **others)

    settings = Settings(data_dir=tmp_path / "d", cache_dir=tmp_path / "c", policy=policy, shutdown_grace=0)
    sample = assets.path("sample/astronaut.png").read_bytes()
    service = Service(settings, maker=writing).open()

    async def order() -> None:
        file = await service.take(sample, "reference", Caller())
        made = Order.make(prompt="a portrait in a park", characters=(Who(image=file.sha256),))
        job = await service.submit(made, Caller(), Ticket(), (("reference", file),))
        await service.wait(job.id, 20)

    try:
        asyncio.run(order())
    finally:
        service.close()
    (found,) = magics
    assert found.by == by
    assert ("naked" in found.prompt) == (by == "tiny" and "naked" in written)
    assert [w for w in found.warnings if "what the policy refuses" in w] == list(found.warnings)
    assert bool(found.warnings) == (by == "built-in")


def test_the_pipeline_passes_the_judge_on(monkeypatch: pytest.MonkeyPatch) -> None:
    judges = []

    def ended(*args: object) -> None:
        judges.append(args[-1])
        raise InvalidRequestError("enough")

    def judge(prompt: str) -> None:
        """Nothing."""

    monkeypatch.setattr(pipeline, "rewrite", ended)
    sample = assets.path("sample/astronaut.png").read_bytes()
    request = Request.make(prompt="in a park", reference=sample, size=(512, 512), seed=1, magic_prompt="on")
    with pytest.raises(InvalidRequestError, match="enough"):
        pipeline.portray(request, settings=Settings(credentials=False), judge=judge)
    assert judges == [judge]
