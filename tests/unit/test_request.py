"""The request: limits by table, seeds, and that it never shows pictures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portrayal.errors import InvalidRequestError
from portrayal.request import MAX_SEED, Request

GOOD: dict[str, Any] = {"prompt": "portrait", "reference": b"picture"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", "  \n"),
        ("prompt", "x" * 100_000),
        ("negative_prompt", "x" * 100_000),
        ("seed", -1),
        ("seed", MAX_SEED + 1),
        ("num_images", 0),
        ("num_images", 9),
        ("speed", "warp"),
        ("engine", "magic"),
        ("style_type", "anime"),
        ("reference", b""),
    ],
)
def test_a_wrong_field_is_named_with_its_remedy(field: str, value: object) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Request.make(**{**GOOD, field: value})
    assert caught.value.field == field
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Request.make(**GOOD, colour="red")
    assert caught.value.field == "colour"


def test_the_style_type_is_for_new_pictures_and_not_in_the_seed() -> None:
    assert Request.make(**GOOD, style_type="fiction").seeds() == Request.make(**GOOD).seeds()
    assert Request.make(**GOOD, style_type="fiction").described()["style_type"] == "fiction"
    with pytest.raises(InvalidRequestError) as caught:
        Request.make(operation="upscale", image=b"picture", style_type="fiction")
    assert caught.value.field == "style_type"
    assert "style_type" not in Request.make(operation="upscale", image=b"picture").described()


def test_seeds_count_up_and_wrap() -> None:
    assert Request.make(**GOOD, seed=5, num_images=3).seeds() == (5, 6, 7)
    assert Request.make(**GOOD, seed=MAX_SEED, num_images=2).seeds() == (MAX_SEED, 0)


def test_without_a_seed_the_request_itself_decides() -> None:
    first, again = Request.make(**GOOD).seeds(), Request.make(**GOOD).seeds()
    assert first == again
    assert Request.make(prompt="other", reference=b"picture").seeds() != first
    assert Request.make(prompt="portrait", reference=b"other").seeds() != first
    assert all(0 <= s <= MAX_SEED for s in first)


def test_the_description_and_repr_hold_no_pixels() -> None:
    request = Request.make(prompt="portrait", reference=b"secret pixels", mask=b"secret mask")
    text = json.dumps(request.described())
    assert "secret" not in text
    assert "secret" not in repr(request)
    assert request.described()["size"] == "1024x1024"
