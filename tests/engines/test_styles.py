"""Styles of whole pictures: palettes are found in them, references and codes give their colours; errors name fields."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pytest

from portrayal import assets
from portrayal.errors import InvalidRequestError, PortrayalError
from portrayal.imaging import F32, U8, decode, encode
from portrayal.pipeline import portray
from portrayal.request import Request
from portrayal.result import Picture
from portrayal.styles.brushwork import brushed
from portrayal.styles.catalogue import PALETTES, Member, members
from portrayal.styles.oklab import to_oklab
from portrayal.styles.palettes import measured, of_pictures, toned

SIZE = (384, 384)


@lru_cache(1)
def _reference() -> bytes:
    return assets.path("sample/astronaut.png").read_bytes()


@lru_cache(32)
def _made(prompt: str = "in a garden", **style: Any) -> Picture:
    request = Request.make(prompt=prompt, reference=_reference(), seed=4, speed="turbo", size=SIZE, **style)
    return portray(request).pictures[0]


def _pixels(picture: Picture) -> U8:
    return decode(picture.data, "image")


def _chroma(image: U8) -> float:
    lab = to_oklab(image)
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())


@pytest.mark.parametrize("name", PALETTES)
def test_each_palette_is_found_in_the_picture(name: str) -> None:
    plain, picture = _made(), _made(palette=(name,))
    wanted = members((name,))
    before, after = dict(measured(_pixels(plain), wanted)), dict(picture.palette)
    assert set(after) == {m.colour for m in wanted}
    assert sum(after.values()) > 0.8, "most of the picture is of the palette"
    assert sum(after.values()) > sum(before.values()) + 0.05
    for member in wanted:
        assert after[member.colour] > 0.2 * member.weight, (name, member.colour)
        assert picture.facts[f"palette {member.colour}"] == after[member.colour]
    assert picture.proof.same_person
    assert picture.proof.measured == "before the look"


def test_weights_are_heeded() -> None:
    much = dict(_made(palette=("#1f3bb3:0.8", "#f59e0b:0.2")).palette)
    little = dict(_made(palette=("#1f3bb3:0.2", "#f59e0b:0.8")).palette)
    assert much["#1f3bb3"] > little["#1f3bb3"] + 0.15
    assert little["#f59e0b"] > much["#f59e0b"] + 0.15


def test_a_palette_on_a_drawn_look() -> None:
    picture = _made("in a garden, comic", palette=("ultramarine",))
    assert picture.look == "comic"
    assert sum(share for _, share in picture.palette) > 0.75


def _rectangles() -> tuple[U8, F32]:
    image = np.full((256, 256, 3), (190, 60, 40), np.uint8)
    image[:, 128:] = (40, 140, 60)
    skin = np.zeros((256, 256), np.float32)
    skin[:128] = 1
    return image, skin


def test_skin_keeps_most_of_its_colour() -> None:
    image, skin = _rectangles()
    wanted = (Member("#1f3bb3", 0.5), Member("#b9ccf7", 0.5))
    lab, before = to_oklab(toned(image, wanted, skin=skin)), to_oklab(image)
    moved = np.linalg.norm(lab - before, axis=2)
    assert moved[:128].mean() < 0.65 * moved[128:].mean()


def test_style_references_give_their_colours() -> None:
    rng = np.random.default_rng(1)
    field = cv2.GaussianBlur(rng.uniform(0, 1, (256, 256)).astype(np.float32), (0, 0), 12)
    field = (field - field.min()) / np.ptp(field)
    blue = np.stack([20 + 60 * field, 60 + 110 * field, 120 + 130 * field], -1).astype(np.uint8)
    grey = np.repeat((40 + 190 * field)[..., None], 3, 2).astype(np.uint8)
    plain = _pixels(_made())
    in_blue = _pixels(_made(style_references=(encode(blue, "png"),)))
    in_grey = _pixels(_made(style_references=(encode(grey, "png"),)))
    assert to_oklab(in_blue)[..., 2].mean() < to_oklab(plain)[..., 2].mean() - 0.02, "bluer"
    assert _chroma(in_grey) < 0.35 * _chroma(plain), "without colours"


def test_a_palette_of_a_picture_is_its_colours() -> None:
    image, _ = _rectangles()
    found = of_pictures((image,))
    assert sum(m.weight for m in found) == pytest.approx(1)
    assert {found[0].colour, found[1].colour} == {"#be3c28", "#288c3c"}


def test_brushwork_follows_the_reference_and_spares_what_is_protected() -> None:
    rng = np.random.default_rng(2)
    strokes = cv2.GaussianBlur(rng.standard_normal((300, 300)).astype(np.float32), (0, 0), sigmaX=8, sigmaY=0.8)
    strokes = 128 + 60 * strokes / strokes.std()
    reference = np.repeat(np.clip(strokes, 0, 255)[..., None], 3, 2).astype(np.uint8)
    image = np.full((256, 256, 3), 128, np.uint8)
    protect = np.zeros((256, 256), np.float32)
    protect[:, :128] = 1
    out = brushed(image, (reference,), protect=protect)[..., 1].astype(np.float32)
    right, left = out[20:-20, 150:-20], out[20:-20, 20:110]
    assert right.std() > 6
    assert left.std() < 0.25 * right.std()
    # The strokes of the reference lie: it changes faster from row to row than from column to column.
    assert np.abs(np.diff(right, axis=0)).mean() > 2 * np.abs(np.diff(right, axis=1)).mean()
    assert np.array_equal(brushed(image, (reference,)), brushed(image, (reference,)))


@pytest.mark.parametrize("code", ["1A2B3C4D", "DEADBEEF", "5EED1234"])
def test_a_style_code_gives_the_same_bytes_in_another_process(code: str) -> None:
    words = f"""
import hashlib
from portrayal import assets
from portrayal.pipeline import portray
from portrayal.request import Request
reference = assets.path("sample/astronaut.png").read_bytes()
request = Request.make(
    prompt="in a garden", reference=reference, seed=4, speed="turbo", size={SIZE}, style_codes=({code!r},)
)
print(hashlib.sha256(portray(request).pictures[0].data).hexdigest())
"""
    other = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    picture = _made(style_codes=(code,))
    assert other.stdout.strip() == hashlib.sha256(picture.data).hexdigest()
    assert picture.data != _made().data


@pytest.mark.parametrize(
    ("field", "style"),
    [
        ("style_preset", {"style_preset": "cubism from mars"}),
        ("palette", {"palette": ("#12345",)}),
        ("palette", {"palette": ("nightfall",)}),
        ("palette", {"palette": ("#112233:1.5",)}),
        ("palette", {"palette": ("#112233:0",)}),
        ("palette", {"palette": ("ember", "#112233")}),
        ("palette", {"palette": tuple(f"#11223{i}" for i in range(9))}),
        ("style_codes", {"style_codes": ("12345",)}),
        ("style_codes", {"style_codes": ("1234567G",)}),
        ("style_codes", {"style_codes": ("12345678",), "style_references": (b"x",)}),
        ("style_codes", {"style_codes": ("12345678",), "style_type": "fiction"}),
        ("style_references", {"style_references": (b"this is no picture",)}),
        ("style_references", {"style_references": (b"",)}),
        ("style_references", {"style_references": (b"x",) * 11}),
        ("magic_prompt", {"magic_prompt": "perhaps"}),
    ],
)
def test_bad_styles_are_refused_with_the_field(field: str, style: dict[str, Any]) -> None:
    with pytest.raises(PortrayalError) as caught:
        portray(Request.make(prompt="in a garden", reference=_reference(), size=SIZE, **style))
    assert caught.value.field == field
    assert caught.value.remedy


def test_an_operation_without_styles_says_so() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Request.make(operation="upscale", image=_reference(), style_preset="AURA")
    assert caught.value.field == "style_preset"


def test_several_people_and_a_remix_have_looks_and_words() -> None:
    from portrayal.bench.stand_in import stand_in
    from portrayal.request import CharacterReference

    cast = (CharacterReference.make(_reference()), CharacterReference.make(stand_in("red")))
    values: dict[str, Any] = {"seed": 3, "speed": "turbo", "style_preset": "POP_ART"}
    both = portray(Request.make(prompt='in a park, title "TEAM"', characters=cast, size=(512, 512), **values)).pictures[
        0
    ]
    assert both.look == "POP_ART"
    assert {score.measured for score in both.cast} == {"before the look"}
    assert all(score.same_person for score in both.cast)
    assert not any("TEAM" in words for words in both.warnings)
    plain = values | {"style_preset": ""}
    bare = portray(Request.make(prompt="in a park", characters=cast, size=(512, 512), **plain)).pictures[0]
    assert np.linalg.norm(to_oklab(_pixels(both)) - to_oklab(_pixels(bare)), axis=2).mean() > 0.1
    again = portray(
        Request.make(operation="remix", image=bare.data, reference=_reference(), size=(512, 512), **values)
    ).pictures[0]
    assert again.look == "POP_ART"
    assert again.proof.measured == "before the look"


def test_a_colour_that_is_named_twice_is_one() -> None:
    found = members(("#FF0000:0.2", "#ff0000:0.2", "#00ff00:0.4"))
    assert found == (("#ff0000", 0.5), ("#00ff00", 0.5))
