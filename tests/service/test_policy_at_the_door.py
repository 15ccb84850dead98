"""The policy before the work: a picture on the operator's list is refused, also when only a name stands for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from portrayal import assets
from portrayal.errors import PolicyError
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
