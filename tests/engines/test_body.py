"""Completed shoulders, and the person in the mirror."""

from __future__ import annotations

import numpy as np
import pytest

from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.body import complete
from portrayal.engines.studio.mirror import mirrored
from portrayal.imaging import decode
from portrayal.perception.types import CLOTHING


@pytest.fixture(scope="module")
def tight(sample: bytes) -> IdentityMap:
    """The sample, cropped so tightly that both shoulders are cut off."""
    return study(np.ascontiguousarray(decode(sample)[:330, 105:345]), use_cache=False)


def test_cut_shoulders_are_completed(tight: IdentityMap) -> None:
    wide = complete(tight)
    left = int(wide.reading.points[0, 0] - tight.reading.points[0, 0])  # type: ignore[union-attr]
    height, width = tight.alpha.shape
    assert left > 0
    assert wide.alpha.shape[1] > width + left, "both sides are wider"
    old = np.s_[:, left + 5 : left + width - 5]
    assert np.array_equal(wide.foreground[old], tight.foreground[:, 5:-5])
    assert wide.alpha[:, 0].max() < 0.02, "the new shoulder ends within the new picture"
    assert wide.alpha[:, -1].max() < 0.02
    beside = wide.alpha[height - 10, left - 12 : left - 2]
    assert beside.min() > 0.9, "the arm goes on where the picture ended"
    assert (wide.regions[height - 10, left - 12 : left - 2] == CLOTHING).all()


def test_a_whole_body_stays_as_it_is(sample: bytes) -> None:
    character = study(sample, use_cache=False)
    assert complete(character) is character


def test_the_mirror_of_the_mirror_is_the_person(tight: IdentityMap) -> None:
    once = mirrored(tight)
    again = mirrored(once)
    assert tight.reading is not None
    assert once.reading is not None
    assert again.reading is not None
    assert once.reading.pose.yaw == -tight.reading.pose.yaw
    assert once.reading.expression.eye_left == tight.reading.expression.eye_right
    assert np.array_equal(again.foreground, tight.foreground)
    assert np.allclose(again.reading.points, tight.reading.points, atol=1e-3)
    nose = once.reading.points[1, 0]
    assert nose == pytest.approx(tight.alpha.shape[1] - 1 - tight.reading.points[1, 0])
    outer_left = once.reading.points[33, 0]
    assert outer_left < nose < once.reading.points[263, 0], "left stays the picture's left"
