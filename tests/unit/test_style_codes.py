"""Style codes: what they hold, what they do to pictures, and how they are read back from them."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest

from portrayal import imaging
from portrayal.engines.studio.light.finish import looks
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32, U8
from portrayal.perception.faces import read_face_near, read_faces
from portrayal.perception.identity import distance, embed
from portrayal.prompting import ids
from portrayal.styles.apply import apply
from portrayal.styles.code import LOOKS, PHOTOGRAPHS, SCHEMES, StyleCode, steps
from portrayal.styles.nearest import nearest
from portrayal.styles.oklab import from_oklab, to_oklab
from portrayal.styles.skin import skin_weight

FIELDS = ("look", "hue", "scheme", "strength", "contrast", "saturation", "grain", "line", "warmth", "seed")


@pytest.fixture(scope="module")
def portrait(sample: bytes) -> tuple[U8, F32]:
    """The sample portrait and its skin."""
    image = imaging.decode(sample)
    return image, skin_weight(image, read_faces(image, average=True))


def test_every_code_is_one_and_comes_back() -> None:
    rng = random.Random(1)
    texts = [f"{rng.getrandbits(32):08X}" for _ in range(5000)] + ["00000000", "FFFFFFFF", "80000000", "00000001"]
    assert [str(StyleCode.parse(text)) for text in texts] == texts


@pytest.mark.parametrize("field", FIELDS)
def test_every_value_comes_back(field: str) -> None:
    for value in steps(field):
        code = StyleCode(**{field: value})  # type: ignore[arg-type]
        assert getattr(StyleCode.parse(str(code)), field) == value


def test_codes_keep_their_meaning() -> None:
    """People keep codes: these lines must never have to change."""
    assert str(StyleCode()) == "AA2D4DFB"
    assert StyleCode.parse("1A2B3C4D") == StyleCode("film", 33.75, "shadow tone", 0.7, 0.94, 0.9, 1.0, 0.71, 0.0, 2)
    assert StyleCode.parse("C0FFEE00") == StyleCode("graffiti", 292.5, "single", 0.3, 1.21, 0.78, 0.14, 0.86, 0.5, 1)


def test_neighbouring_codes_look_different() -> None:
    codes = [StyleCode.parse(f"{n:08X}") for n in range(1000, 1064)]
    assert len({(c.look, c.hue, c.scheme) for c in codes}) > 55


def test_looks_are_those_of_the_words_and_of_the_engine() -> None:
    assert set(looks()) == PHOTOGRAPHS
    assert LOOKS[: len(ids("look"))] == ids("look")


@pytest.mark.parametrize("text", ["", "1234567", "123456789", "1234567G", "12 34 56", "١٢٣٤٥٦٧٨", "0x1234", "#" * 9])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        StyleCode.parse(text)
    assert caught.value.field == "style_code"
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["1a2b3c4d", "#1A2B3C4D", "0x1A2B3C4D", " 1A2B3C4D\n"])
def test_usual_spellings_are_read(text: str) -> None:
    assert str(StyleCode.parse(text)) == "1A2B3C4D"


def test_values_go_to_the_nearest_step() -> None:
    code = StyleCode(hue=359, strength=9, contrast=0, warmth=0.2)
    assert (code.hue, code.strength, code.contrast, code.warmth) == (0.0, 0.85, 0.8, 0.0)
    with pytest.raises(InvalidRequestError):
        StyleCode(hue=float("nan"))
    with pytest.raises(InvalidRequestError):
        StyleCode(look="cubism")


def test_oklab_and_back() -> None:
    codes = np.random.default_rng(3).random((500, 3)).astype(np.float32)
    assert float(np.abs(from_oklab(to_oklab(codes)) - codes).max()) < 2e-3
    wild = np.array([[0.6, 0.4, 0.1], [0.9, 0.0, 0.4], [0.2, 0.0, -0.4]], np.float32)
    shown = to_oklab(from_oklab(wild))
    assert np.abs(np.arctan2(shown[:, 2], shown[:, 1]) - np.arctan2(wild[:, 2], wild[:, 1])).max() < 0.03


def test_a_neutral_code_changes_nothing(portrait: tuple[U8, F32]) -> None:
    image, skin = portrait
    for code in (StyleCode(), StyleCode(look="film", hue=90, scheme="triad", line=1, seed=3)):
        assert np.array_equal(apply(image, code, skin=skin), image)


def test_the_same_code_gives_the_same_bytes(portrait: tuple[U8, F32]) -> None:
    image, skin = portrait
    code = StyleCode.parse("7F3A90C1")
    assert np.array_equal(apply(image, code, skin=skin), apply(image.copy(), code, skin=skin.copy()))


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (700, 3), (64, 64)])
def test_any_size_is_developed(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    out = apply(image, StyleCode(strength=0.85, grain=1.0, hue=200), skin=np.ones(shape, np.float32))
    assert out.shape == image.shape
    assert out.dtype == np.uint8


def _mean(image: U8, where: F32) -> F32:
    return np.asarray(to_oklab(image[where > 0.5]).mean(0), np.float32)


def test_every_field_does_what_it_says(portrait: tuple[U8, F32]) -> None:
    image, skin = portrait
    lab = to_oklab(image)

    def of(**said: float) -> F32:
        return to_oklab(apply(image, StyleCode(**said), skin=skin))  # type: ignore[arg-type]

    spreads = [float(of(contrast=c)[..., 0].std()) for c in (0.8, 1.0, 1.3)]
    assert spreads[0] < 0.96 * spreads[1] < 0.92 * spreads[2]
    chroma = np.hypot(lab[..., 1], lab[..., 2]).mean()
    assert np.hypot(*np.moveaxis(of(saturation=0.5)[..., 1:], -1, 0)).mean() < 0.7 * chroma
    assert np.hypot(*np.moveaxis(of(saturation=1.36)[..., 1:], -1, 0)).mean() > 1.12 * chroma
    assert of(warmth=1.0)[..., 2].mean() > lab[..., 2].mean() + 0.008
    assert of(warmth=-0.6)[..., 2].mean() < lab[..., 2].mean() - 0.004
    assert float(np.abs(of(grain=1.0)[..., 0] - lab[..., 0]).mean()) > 0.008


@pytest.mark.parametrize("hue", [0.0, 90.0, 180.0, 270.0])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_palette_tints_what_is_grey(hue: float, scheme: str) -> None:
    grey = np.full((64, 64, 3), 60 if scheme == "shadow tone" else 190, np.uint8)
    _, a, b = to_oklab(apply(grey, StyleCode(hue=hue, scheme=scheme, strength=0.85)))[32, 32]
    # Schemes with several hues tint the lights near the first of them.
    assert np.hypot(a, b) > 0.015
    assert abs((np.degrees(np.arctan2(b, a)) - hue + 180) % 360 - 180) < 35


def test_people_keep_their_face_and_complexion(portrait: tuple[U8, F32]) -> None:
    image, skin = portrait
    face = read_face_near(image)
    assert face is not None
    before, own = embed(image, face.points), _mean(image, skin)
    rng = random.Random(5)
    codes = [StyleCode.parse(f"{rng.getrandbits(32):08X}") for _ in range(24)]
    ends = [(s, g, h) for s in (0.5, 1.36) for g in (0.0, 1.0) for h in (0.0, 90.0, 180.0, 270.0)]
    codes += [StyleCode("photo", h, "single", 0.85, 1.3, s, g, 0.0, 1.0 if g else -0.6) for s, g, h in ends]
    for code in codes:
        out = apply(image, code, skin=skin)
        assert distance(before, embed(out, face.points)) < 0.12, repr(code)
        shift = _mean(out, skin) - own
        assert float(np.hypot(shift[1], shift[2])) < 0.035, repr(code)


def _gap(one: U8, other: U8, skin: F32) -> float:
    """Distance of the mean colours of four steps of lightness, people's skin left out."""
    where = skin < 0.3
    a, b = to_oklab(one[where]), to_oklab(other[where])
    steps_ = np.digitize(a[:, 0], np.quantile(a[:, 0], (0.25, 0.5, 0.75)))
    return float(np.mean([np.linalg.norm(a[steps_ == k].mean(0) - b[steps_ == k].mean(0)) for k in range(4)]))


@pytest.mark.parametrize(
    "code",
    [StyleCode(hue=h, scheme="single", strength=0.85) for h in (0, 90, 180, 270)]
    + [StyleCode(hue=180, scheme="analogous", strength=0.85), StyleCode(saturation=0.5)],
    ids=str,
)
def test_the_nearest_code_leads_towards_the_style(code: StyleCode, portrait: tuple[U8, F32]) -> None:
    plain, skin = portrait
    styled = apply(plain, code, skin=skin)
    again = apply(plain, nearest(styled, skin), skin=skin)
    assert _gap(again, styled, skin) < 0.95 * _gap(plain, styled, skin)


def test_the_nearest_code_of_a_monochrome_picture_says_so(portrait: tuple[U8, F32]) -> None:
    image, skin = portrait
    grey = np.repeat(image.mean(-1, keepdims=True), 3, -1)
    assert nearest(grey.astype(np.uint8), skin).look == "black and white"
    toned = np.clip(grey * (1.05, 0.95, 0.75), 0, 255).astype(np.uint8)
    assert nearest(toned, skin).look == "sepia"
    assert nearest(image, skin).look == "photo"


def test_grain_is_read_back(portrait: tuple[U8, F32]) -> None:
    image, skin = portrait
    soft = np.asarray(cv2.GaussianBlur(image, (0, 0), 3), np.uint8)
    found = [nearest(apply(soft, StyleCode(grain=g), skin=skin), skin).grain for g in (0.0, 0.5, 1.0)]
    assert found[0] <= 0.14
    assert found[0] + 0.2 < found[1] < found[2] - 0.2
