"""Whole pictures, by table: every garment, colour, pattern and pose, as the file shows it to a stranger.

The sample wears an orange suit, so what is left of the old clothes is easily seen.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from portrayal import assets, colours
from portrayal.bench import body_checks
from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.figure.poses import poses
from portrayal.engines.studio.wardrobe.data import garments
from portrayal.imaging import F32, U8, Bool, decode
from portrayal.pipeline import portray
from portrayal.prompting.vocabulary import ids
from portrayal.request import Request
from portrayal.result import Picture

SIZE = (512, 512)


@cache
def _made(prompt: str, seed: int = 5, style_type: str = "auto") -> Picture:
    reference = assets.path("sample/astronaut.png").read_bytes()
    request = Request.make(prompt=prompt, reference=reference, seed=seed, size=SIZE, style_type=style_type)
    return portray(request).pictures[0]


def _image(prompt: str, seed: int = 5) -> U8:
    return decode(_made(prompt, seed).data)


def _distance(prompt: str, seed: int = 5) -> float:
    score = _made(prompt, seed).identity
    assert score is not None
    assert score.distance is not None
    return score.distance


def _lab(image: U8) -> F32:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


@cache
def _seen(prompt: str, seed: int = 5) -> IdentityMap:
    return study(_image(prompt, seed), use_cache=False)


def _clothes(prompt: str, seed: int = 5) -> Bool:
    """Where a sweater or a shirt is seen: the person, well below the chin.

    Not by colour: the regions of a study take a beige sweater for skin, as it has skin's colour.
    """
    seen = _seen(prompt, seed)
    assert seen.reading is not None
    points = seen.reading.points[:468, 1]
    found: Bool = cv2.erode((seen.alpha > 0.9).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    found[: int(points.max() + 0.55 * np.ptp(points))] = False
    return found


PLAIN = "portrait, grey backdrop, softbox"


def _aligned(prompt: str) -> U8:
    """The plain picture, moved so that its face lies where the other one is."""
    a, b = _seen(PLAIN).reading, _seen(prompt).reading
    assert a is not None
    assert b is not None
    scale = b.pose.scale / a.pose.scale
    shift = b.pose.origin[:2] - a.pose.origin[:2] * scale
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    return np.asarray(cv2.warpAffine(_image(PLAIN), matrix, SIZE, borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.mark.parametrize("name", sorted(garments()))
def test_every_garment_replaces_the_clothes_and_leaves_the_face(name: str) -> None:
    """Mean Lab difference over 15 on the clothes, nothing orange left, the face as like as without them."""
    prompt = f"{PLAIN}, wearing a {name}"
    picture = _made(prompt)
    assert not [w for w in picture.warnings if w.startswith("not portrayed")], picture.warnings
    worn = _clothes(prompt)
    assert worn.mean() > 0.03
    lab = _lab(_image(prompt))
    change = np.linalg.norm(lab - _lab(_aligned(prompt)), axis=2)[worn].mean()
    assert change > 15
    orange = (lab[..., 1] > 35) & (lab[..., 2] > 45)
    assert orange[worn].mean() < 0.01
    assert _distance(prompt) < _distance(PLAIN) + 0.05


@pytest.mark.parametrize("name", colours.names())
def test_every_colour_lands_on_the_garment(name: str) -> None:
    """Within Lab 15 of its name on the lit part of a sweater."""
    prompt = f"{PLAIN}, wearing a {name} sweater"
    worn = _clothes(prompt)
    lab = _lab(_image(prompt))[worn]
    light = lab[:, 0]
    lit = lab[(light > np.percentile(light, 60)) & (light < np.percentile(light, 97))]
    code = colours.hex_of(name)
    target = _lab(np.array([[[int(code[i : i + 2], 16) for i in (1, 3, 5)]]], np.uint8))[0, 0]
    assert float(np.linalg.norm(np.median(lit, 0) - target)) < 15


SMALL = {"earrings": 40, "necklace": 120}  # pixels of 512 x 512
WORN_WITH = {"tie": "shirt", "bow tie": "shirt", "necklace": "V-neck sweater", "scarf": "coat"}


@pytest.mark.parametrize("name", sorted(ids("accessory")))
def test_every_accessory_shows(name: str) -> None:
    """With it, the picture is another one where it is worn, and nothing is said to be missing."""
    base = f"{PLAIN}, wearing a grey {WORN_WITH.get(name, 'sweater')}"
    prompt = f"{base}, with a red {name}"
    picture = _made(prompt)
    assert not [w for w in picture.warnings if w.startswith("not portrayed")], picture.warnings
    change = np.linalg.norm(_lab(_image(prompt)) - _lab(_image(base)), axis=2)
    assert (change > 15).sum() > SMALL.get(name, 250)
    assert picture.identity is not None
    assert picture.identity.distance is not None
    assert picture.identity.distance <= picture.identity.bar


@pytest.mark.parametrize("name", sorted(ids("pattern")))
def test_every_pattern_shows(name: str) -> None:
    """A patterned shirt is another cloth than the plain one, and it still hangs on the same person."""
    plain, prompt = f"{PLAIN}, wearing a navy shirt", f"{PLAIN}, wearing a navy {name} shirt"
    both = _clothes(plain) & _clothes(prompt)
    difference = np.linalg.norm(_lab(_image(prompt)) - _lab(_image(plain)), axis=2)[both]
    assert np.percentile(difference, 85) > 6
    assert _distance(prompt) < _distance(PLAIN) + 0.05


@pytest.mark.parametrize("name", sorted(poses()))
def test_every_pose_is_a_picture(name: str) -> None:
    """The whole figure is drawn, its face is the person's, and where the pose net can judge, the body does it."""
    # Somebody who only stands may be a portrait.
    words = "full body, standing" if name == "standing" else name
    picture = _made(f"{words}, grey backdrop, studio", 9)
    assert not [w for w in picture.warnings if w.startswith("not portrayed")], picture.warnings
    assert any("drawn" in w for w in picture.warnings)
    assert picture.identity is not None
    assert picture.identity.distance is not None
    assert picture.identity.distance < 0.66


@pytest.mark.parametrize("name", ["waving", "arms raised", "arms crossed", "pointing", "hands on hips"])
def test_poses_are_seen_by_a_stranger(name: str) -> None:
    """A pose net that knows nothing of the skeleton finds the limbs where the pose has them."""
    reference = assets.path("sample/astronaut.png").read_bytes()
    request = Request.make(
        prompt=f"{name}, in a red sweater, grey backdrop", reference=reference, seed=9, style_type="realistic",
        size=(768, 768),
    )  # fmt: skip
    image = decode(portray(request).pictures[0].data)
    seen = study(image, use_cache=False)
    assert seen.reading is not None
    holds, shown = body_checks.check(name, image, seen.reading)
    assert holds, shown
