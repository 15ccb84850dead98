"""The pose of a body, read from pixels."""

from __future__ import annotations

import numpy as np
import pytest

from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import decode
from portrayal.perception.body import JOINTS, BodyReading, read_body


@pytest.fixture(scope="module")
def known(sample: bytes) -> IdentityMap:
    """The sample, studied."""
    return study(decode(sample), use_cache=False)


@pytest.fixture(scope="module")
def body(known: IdentityMap) -> BodyReading:
    """Its body."""
    assert known.reading is not None
    return read_body(known.image, known.reading)


def test_the_nose_is_the_face_s_nose(known: IdentityMap, body: BodyReading) -> None:
    """Two nets that know nothing of each other agree."""
    assert known.reading is not None
    away = np.hypot(*(np.array(body.at("nose")) - known.reading.points[4, :2]))
    assert away < 0.35 * known.reading.pose.scale


def test_shoulders_lie_on_the_clothes_at_both_sides_of_the_neck(known: IdentityMap, body: BodyReading) -> None:
    """Picture-left is left of picture-right, and both are below the chin and on the person."""
    assert known.reading is not None
    left, right = body.at("left shoulder"), body.at("right shoulder")
    chin = known.reading.points[152]
    assert left[0] < chin[0] < right[0]
    for x, y in (left, right):
        assert y > chin[1] - 5
        assert known.alpha[int(y), int(x)] > 0.5
    assert body.visible("left shoulder") > 0.9


def test_a_mirrored_picture_has_the_mirrored_body(known: IdentityMap, body: BodyReading) -> None:
    """Names are the picture's sides, so a mirror swaps them."""
    flipped = study(np.ascontiguousarray(known.image[:, ::-1]), use_cache=False)
    assert flipped.reading is not None
    other = read_body(flipped.image, flipped.reading)
    width = known.image.shape[1]
    for name in ("left shoulder", "right shoulder"):
        twin = name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        x, y = other.at(twin)
        assert np.hypot(width - 1 - x - body.at(name)[0], y - body.at(name)[1]) < 0.25 * known.reading.pose.scale  # type: ignore[union-attr]


def test_the_same_pixels_give_the_same_points(known: IdentityMap, body: BodyReading) -> None:
    """Nothing random."""
    assert known.reading is not None
    again = read_body(known.image, known.reading)
    assert np.array_equal(again.points, body.points)
    assert set(JOINTS.values()) <= set(range(33))
