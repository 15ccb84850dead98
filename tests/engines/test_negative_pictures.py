"""Whole pictures with a negative prompt, measured: what it names is gone from the pixels."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from portrayal import assets
from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import F32, decode
from portrayal.pipeline import portray
from portrayal.request import Request
from portrayal.result import Picture

_SIZE = (512, 512)


@cache
def _made(prompt: str, negative: str = "", seed: int = 7) -> Picture:
    reference = assets.path("sample/astronaut.png").read_bytes()
    request = Request.make(
        prompt=prompt, negative_prompt=negative, reference=reference, seed=seed, size=_SIZE, speed="turbo"
    )
    return portray(request).pictures[0]


@cache
def _seen(prompt: str, negative: str = "") -> IdentityMap:
    return study(decode(_made(prompt, negative).data), use_cache=False)


def _lab(prompt: str, negative: str = "") -> F32:
    image = decode(_made(prompt, negative).data).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2Lab), np.float32)


def _behind(prompt: str, negative: str = "") -> F32:
    """Lab colours of what is behind the person, (n, 3)."""
    return np.asarray(_lab(prompt, negative)[_seen(prompt, negative).alpha < 0.05], np.float32)


def _worn(prompt: str, negative: str = "") -> F32:
    """Lab colours of the person below the chin, (n, 3)."""
    seen = _seen(prompt, negative)
    assert seen.reading is not None
    chin = int(seen.reading.points[152, 1])
    rows = np.arange(_SIZE[1])[:, None] > chin + 0.5 * (chin - seen.reading.points[10, 1])
    return np.asarray(_lab(prompt, negative)[rows & (seen.alpha > 0.95)], np.float32)


def _strong(colours: F32, low: float, high: float) -> float:
    """Share of strong colours with a hue between two angles, in degrees."""
    hue = np.degrees(np.arctan2(colours[:, 2], colours[:, 1])) % 360
    return float(((np.hypot(colours[:, 1], colours[:, 2]) > 30) & (hue > low) & (hue < high)).mean())


def test_no_snow() -> None:
    prompt = "in a forest in winter"
    with_snow, without = _behind(prompt), _behind(prompt, "snow")
    assert with_snow[:, 0].mean() > 60
    assert without[:, 0].mean() < 50
    assert np.hypot(without[:, 1], without[:, 2]).mean() > np.hypot(with_snow[:, 1], with_snow[:, 2]).mean() + 3


def test_no_red() -> None:
    prompt = "in a red dress"
    assert _strong(_worn(prompt), 15, 50) > 0.5
    assert _strong(_worn(prompt, "red"), 15, 50) < 0.1


def test_no_orange_although_the_reference_wears_it() -> None:
    assert _strong(_worn("a portrait"), 25, 70) > 0.4
    assert _strong(_worn("a portrait", "orange"), 25, 70) < 0.1


def test_no_tie() -> None:
    """Below the collar, in the middle, the shirt is seen."""

    def middle(negative: str) -> F32:
        seen = _seen("in a suit", negative)
        assert seen.reading is not None
        top, chin = seen.reading.points[10, 1], seen.reading.points[152, 1]
        x, y = int(seen.reading.points[152, 0]), int(chin + 0.62 * (chin - top))
        return np.asarray(_lab("in a suit", negative)[y : y + 24, x - 5 : x + 6].reshape(-1, 3), np.float32)

    assert np.median(middle("")[:, 0]) < 50
    assert np.median(middle("tie")[:, 0]) > 65


def test_no_glasses() -> None:
    """Dark rims go: the darkest of the bridge of the nose is skin."""

    def bridge(negative: str) -> float:
        prompt = "wearing black glasses, close-up"
        seen = _seen(prompt, negative)
        assert seen.reading is not None
        x, y = seen.reading.points[168, :2].astype(int)
        box = _lab(prompt, negative)[y - 12 : y + 13, x - 14 : x + 15, 0]
        return float(np.percentile(box, 5))

    assert bridge("glasses") > bridge("") + 15


def test_no_smile() -> None:
    smiling, calm = _seen("a portrait, close-up").reading, _seen("a portrait, close-up", "smile").reading
    assert smiling is not None
    assert calm is not None
    assert smiling.expression.smile > 0.5
    assert calm.expression.smile < smiling.expression.smile - 0.3
    assert calm.expression.mouth_open < smiling.expression.mouth_open


def test_no_spacesuit() -> None:
    """A garment that is only excluded gives way to another."""
    assert _strong(_worn("a portrait", "spacesuit"), 25, 70) < 0.1


@pytest.mark.parametrize(("prompt", "negative"), [("in a red dress", "red"), ("a portrait", "smile")])
def test_it_is_the_same_person_and_the_same_twice(prompt: str, negative: str) -> None:
    first = _made(prompt, negative)
    assert first.identity is not None
    assert first.identity.same_person
    _made.cache_clear()
    again = _made(prompt, negative)
    assert np.array_equal(decode(first.data), decode(again.data))
