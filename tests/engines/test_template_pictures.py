"""Every template is made into a picture: it shows the person, and leaves nothing out that it promises."""

from __future__ import annotations

from functools import lru_cache

import pytest

from portrayal import assets
from portrayal.bench.gallery_templates import filled
from portrayal.imaging import decode
from portrayal.pipeline import portray
from portrayal.prompting.templates import Template, templates
from portrayal.request import Request


@lru_cache(1)
def _sample() -> bytes:
    return assets.path("sample/astronaut.png").read_bytes()


@pytest.mark.parametrize("template", templates(), ids=lambda t: t.name)
def test_a_template_becomes_a_picture(template: Template) -> None:
    if template.operation == "generate":
        request = Request.make(
            prompt=filled(template), reference=_sample(), seed=800, speed="turbo", size=(512, 512),
            style_type=template.style_type, style_preset=template.style_preset, palette=template.palette,
        )  # fmt: skip
    else:
        request = Request.make(
            operation="replace-background", image=_sample(), prompt=filled(template), seed=800, speed="turbo"
        )
    result = portray(request)
    picture = result.pictures[0]
    assert decode(picture.data, "image").std() > 20
    assert not result.unknown
    left_out = [words for words in picture.warnings if words.startswith("not portrayed")]
    assert not left_out
    if template.style_preset:
        assert picture.look == template.style_preset
    if template.operation == "generate":
        assert picture.proof.same_person
