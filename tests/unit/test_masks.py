"""Masks of edits: every polarity and mode that people send, and what is no mask."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from portrayal import assets, imaging
from portrayal.errors import MaskMismatchError
from portrayal.imaging import U8
from portrayal.masks import edit_mask
from portrayal.source import open_source

SIZE = (96, 80)
BOX = (20, 10, 60, 50)


def _file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _wanted() -> U8:
    wanted = np.zeros((80, 96), np.uint8)
    wanted[10:50, 20:60] = 255
    return wanted


def _gray(mode: str) -> Image.Image:
    painted, kept = (255, 0) if mode == "white" else (0, 255)
    image = Image.new("L", SIZE, kept)
    image.paste(painted, BOX)
    return image


def _with_alpha(colour: int, inside: int, outside: int) -> Image.Image:
    image = Image.new("LA", SIZE, (colour, outside))
    image.paste((colour, inside), BOX)
    return image


def _sixteen(mode: str) -> Image.Image:
    return Image.fromarray(np.asarray(_gray(mode)).astype(np.uint16) * 257)


@pytest.mark.parametrize("mode", ["white", "black"])
@pytest.mark.parametrize("form", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16", "JPEG", "WEBP", "soft"])
def test_black_and_white_in_every_form(form: str, mode: Any) -> None:
    image, kind = _gray(mode), "PNG"
    if form == "I;16":
        image = _sixteen(mode)
    elif form in ("JPEG", "WEBP"):
        kind = form
    elif form == "soft":
        image = image.filter(ImageFilter.GaussianBlur(0.7))
    else:
        image = image.convert(form)
    mask, warnings = edit_mask(_file(image, kind), SIZE, mode)
    assert set(np.unique(mask)) == {0, 255}
    assert np.count_nonzero(mask != _wanted()) <= (0 if form not in ("JPEG", "WEBP", "soft") else 12)
    assert bool(warnings) == (form == "soft")


@pytest.mark.parametrize("form", ["LA", "RGBA", "P", "RGB with a transparent colour"])
def test_what_is_transparent_is_repainted(form: str) -> None:
    clear = _with_alpha(90, 0, 255)
    if form == "P":
        image = Image.new("P", SIZE, 1)
        image.putpalette([0, 0, 0, 200, 10, 10])
        image.paste(0, BOX)
        data = _file(image, transparency=0)
    elif form.startswith("RGB "):
        image = Image.new("RGB", SIZE, (9, 9, 9))
        image.paste((1, 2, 3), BOX)
        data = _file(image, transparency=(1, 2, 3))
    else:
        data = _file(clear.convert(form))
    mask, warnings = edit_mask(data, SIZE, "alpha")
    assert np.array_equal(mask, _wanted())
    assert not warnings


@pytest.mark.parametrize(("mode", "colour"), [("white", 255), ("black", 0)])
def test_transparency_keeps_at_a_door_of_black_and_white(mode: Any, colour: int) -> None:
    mask, _ = edit_mask(_file(_with_alpha(colour, 255, 0)), SIZE, mode)
    assert np.array_equal(mask, _wanted())


def test_a_mask_stands_upright_as_its_picture_does() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = _gray("white").transpose(Image.Transpose.ROTATE_90)  # orientation 6 turns it back, clockwise
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (96, 80, 3), np.uint8))
    source = open_source(_file(picture, exif=exif))
    mask, _ = edit_mask(_file(lying, exif=exif), source.size)
    assert np.array_equal(mask, _wanted())


def _photograph() -> bytes:
    return _file(Image.fromarray(imaging.decode(assets.path("sample/astronaut.png").read_bytes())).resize(SIZE))


def _ramp() -> bytes:
    return _file(Image.fromarray(np.tile(np.linspace(0, 255, 96).astype(np.uint8), (80, 1))))


def _painted_red() -> bytes:
    image = Image.new("RGB", SIZE, (255, 255, 255))
    image.paste((255, 0, 0), BOX)
    return _file(image)


BAD: dict[str, tuple[bytes, Any, str]] = {
    "nothing white": (_file(Image.new("L", SIZE, 0)), "white", "chooses nothing"),
    "nothing black": (_file(Image.new("L", SIZE, 255)), "black", "chooses nothing"),
    "all white": (_file(Image.new("L", SIZE, 255)), "white", "chooses everything"),
    "all black": (_file(Image.new("RGB", SIZE, 0)), "black", "chooses everything"),
    "nearly opaque": (_file(_with_alpha(0, 250, 255)), "alpha", "chooses nothing"),
    "another size": (_file(Image.new("L", (80, 96), 0)), "white", "80x96 px, its picture 96x80"),
    "opaque": (_file(Image.new("RGBA", SIZE, (0, 0, 0, 255))), "alpha", "no transparency"),
    "no alpha": (_file(_gray("white")), "alpha", "no transparency"),
    "a photograph": (_photograph(), "white", "colours"),
    "a gray photograph": (_file(Image.open(io.BytesIO(_photograph())).convert("L")), "black", "photograph"),
    "a depth map": (_ramp(), "white", "depth map"),
    "painted in red": (_painted_red(), "black", "colours"),
    "soft transparency": (
        _file(Image.merge("LA", (Image.new("L", SIZE), Image.open(io.BytesIO(_ramp()))))),
        "alpha",
        "depth map",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_mask_is_refused(name: str) -> None:
    data, mode, words = BAD[name]
    with pytest.raises(MaskMismatchError, match=words) as caught:
        edit_mask(data, SIZE, mode, "edit_mask")
    assert caught.value.field == "edit_mask"
    assert caught.value.remedy
