"""The person's own head over modelled clothes, measured in pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from portrayal.bench.stand_in import stand_in
from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Job, Rendering
from portrayal.engines.studio.engine import StudioEngine
from portrayal.engines.studio.types import Cutout, Notes
from portrayal.engines.studio.wardrobe import hair as hairs
from portrayal.engines.studio.wardrobe.head import undressed
from portrayal.engines.studio.wardrobe.outfit import Hair
from portrayal.engines.studio.wardrobe.place import stand
from portrayal.imaging import F32, U8, Bool, encode_png
from portrayal.perception import identity, mesh
from portrayal.perception.faces import read_faces
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN
from portrayal.prompting import read
from portrayal.sizes import Size

ENGINE = StudioEngine()
SIZE = (448, 448)


def shot(character: IdentityMap, prompt: str, seed: int = 5, size: Size = SIZE) -> Rendering:
    return ENGINE.portray(
        Job(operation="generate", plan=read(prompt), cast=(character,), size=size, speed="balanced", seed=seed)
    )


def lab(image: U8) -> F32:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab), np.float32)


def below(picture: Rendering, upper: float, lower: float, half: float) -> tuple[slice, slice]:
    """A box under the face: rows in face heights below the chin, columns within `half` face heights of its middle."""
    box = picture.faces[0]
    assert box is not None
    x0, y0, x1, y1 = box
    tall, x = y1 - y0, (x0 + x1) / 2
    top, bottom = int(y1 + upper * tall), int(y1 + lower * tall)
    return slice(top, bottom), slice(int(x - half * tall), int(x + half * tall))


def distance(character: IdentityMap, picture: Rendering) -> float:
    face = read_faces(picture.image, average=True)[0]
    assert character.embedding is not None
    return identity.distance(character.embedding, identity.embed(picture.image, face.points))


@pytest.fixture(scope="module")
def person(sample: bytes) -> IdentityMap:
    return study(sample, use_cache=False)


def long_haired(data: bytes) -> IdentityMap:
    """The stand-in with strands painted down to the chest on both sides."""
    character = study(data, use_cache=False)
    assert character.reading is not None
    points = character.reading.points
    tall = float(np.ptp(points[:468, 1]))
    strands = character.image[(character.regions == HAIR) & (character.alpha > 0.9)].astype(np.float32)
    dark, light = (np.quantile(strands, q, axis=0) for q in (0.25, 0.75))
    rng = np.random.default_rng(3)
    big = cv2.resize(character.image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    middle, half = float(points[[234, 454], 0].mean()), abs(float(points[454, 0] - points[234, 0])) / 2
    along = np.linspace(0, 1, 24)
    for _ in range(2200):
        side, t = rng.choice([-1, 1]), rng.uniform()
        x = middle + side * half * (1.02 + 0.42 * t) + side * half * (0.25 * np.sin(2.2 * along) + 0.15 * along) * t
        y = points[1, 1] - tall * (0.25 + 0.1 * rng.uniform() - 0.25 * t) + tall * rng.uniform(1.1, 1.6) * along
        colour = dark + (light - dark) * np.clip(rng.normal(0.45, 0.3), 0, 1)
        path = np.round(np.stack([x, y], 1) * 3 * 16).astype(np.int32)
        cv2.polylines(big, [path], False, colour.tolist(), 2, cv2.LINE_AA, 4)
    size = (character.image.shape[1], character.image.shape[0])
    return study(encode_png(np.asarray(cv2.resize(big, size, interpolation=cv2.INTER_AREA), np.uint8)), use_cache=False)


# ---------------------------------------------------------------- the matte


def test_nothing_of_the_clothes_is_left(person: IdentityMap) -> None:
    bare = undressed(person).character
    assert not (bare.regions == CLOTHING).any()
    shown = bare.alpha > 0.3
    # The suit is orange, the ring around the neck black and mauve: what is left is skin or hair.
    codes = lab(bare.foreground)
    orange = (codes[..., 1] > 38) & (codes[..., 2] > 35) & (codes[..., 0] < 75)
    assert (lab(person.image)[..., 1] > 38).sum() > 10_000
    assert (orange & shown).sum() < 5
    assert person.reading is not None
    chin = int(person.reading.points[mesh.CHIN, 1])
    black = shown[chin:] & (codes[chin:, :, 0] < 22)
    assert not black.any()


def test_the_face_is_untouched(person: IdentityMap) -> None:
    bare = undressed(person).character
    assert person.reading is not None
    hull = np.zeros(person.alpha.shape, np.uint8)
    points = person.reading.points
    inner = (points[list(mesh.OVAL), :2] - points[4, :2]) * 0.85 + points[4, :2]
    cv2.fillPoly(hull, [np.round(inner).astype(np.int32)], 1)
    assert (bare.foreground[hull > 0] == person.foreground[hull > 0]).all()
    assert bare.alpha[hull > 0].min() > 0.99


@pytest.mark.parametrize("name", ["red", "dark", "fair"])
def test_a_stand_in_loses_its_clothes_too(name: str) -> None:
    character = study(stand_in(name), use_cache=False)
    bare = undressed(character).character
    assert character.reading is not None
    points = character.reading.points
    chin, tall = float(points[mesh.CHIN, 1]), float(np.ptp(points[:468, 1]))
    rows = np.flatnonzero((bare.alpha > 0.3).any(1))
    assert rows[-1] < chin + 0.55 * tall
    hair = (character.regions == HAIR) & (character.alpha > 0.9)
    assert bare.alpha[hair].mean() > 0.93


def test_clothes_in_the_mask_are_kept(person: IdentityMap) -> None:
    mask = person.mask.copy()
    held = np.zeros_like(mask)
    held[400:440, 150:240] = 255
    held[person.regions != CLOTHING] = 0
    kept = replace(person, mask=np.maximum(mask, held), digest=person.digest + "held")
    bare = undressed(kept).character
    assert (bare.alpha[held > 0] == person.alpha[held > 0]).all()
    assert (bare.foreground[held > 0] == person.foreground[held > 0]).all()
    assert (bare.regions[held > 0] == CLOTHING).all()


def test_long_hair_stays_and_the_wall_behind_it_goes(sample: bytes) -> None:
    character = long_haired(sample)
    bare = undressed(character).character
    assert character.reading is not None
    chin = int(character.reading.points[mesh.CHIN, 1])
    hair = character.regions[chin:] == HAIR
    assert hair.sum() > 1500
    assert bare.alpha[chin:][hair].mean() > 0.8
    codes = lab(bare.foreground)
    wall = (codes[..., 0] > 75) & (np.hypot(codes[..., 1], codes[..., 2]) < 8)
    # Beside the cheek the landmarks' outline itself may hold a line of it.
    before = (wall & (character.regions == SKIN) & (character.alpha > 0.5)).sum()
    assert (wall & (bare.regions == SKIN) & (bare.alpha > 0.5)).sum() < 0.5 * before


# ---------------------------------------------------------------- whole pictures


@pytest.fixture(scope="module")
def pair(person: IdentityMap) -> tuple[Rendering, Rendering]:
    prompt = "head and shoulders, grey studio, butterfly lighting"
    return shot(person, prompt), shot(person, f"wearing a teal t-shirt, {prompt}")


def test_the_clothes_change_and_the_person_does_not(person: IdentityMap, pair: tuple[Rendering, Rendering]) -> None:
    own, dressed = pair
    box = below(dressed, 0.7, 1.1, 0.4)
    change = np.linalg.norm(lab(own.image)[box].mean((0, 1)) - lab(dressed.image)[box].mean((0, 1)))
    assert change > 15
    assert distance(person, dressed) < distance(person, own) + 0.05
    # Teal, and nothing of the orange suit anywhere.
    assert lab(dressed.image)[box][..., 1].mean() < -8
    codes = lab(dressed.image)
    assert ((codes[..., 1] > 42) & (codes[..., 2] > 40) & (codes[..., 0] > 35)).mean() < 2e-3


def test_a_tight_portrait_gets_a_wider_frame(person: IdentityMap) -> None:
    assert person.reading is not None
    x0, y0, x1, y1 = (int(v) for v in person.reading.face.box)
    tall = y1 - y0
    tight = person.image[max(0, y0 - tall) : y1 + tall // 2, x0 - tall // 2 : x1 + tall // 2]
    character = study(encode_png(np.ascontiguousarray(tight)), use_cache=False)
    prompt = "bust, grey studio"
    own, dressed = shot(character, prompt), shot(character, f"wearing a navy suit, {prompt}")
    assert dressed.facts["face_height"] < 0.8 * own.facts["face_height"]
    assert not any("framing" in warning for warning in dressed.warnings)


@pytest.mark.parametrize("name", ["sample", "fair", "dark"])
def test_neck_and_face_are_of_one_skin(name: str, person: IdentityMap) -> None:
    character = person if name == "sample" else study(stand_in(name), use_cache=False)
    picture = shot(character, "wearing a white t-shirt, head and shoulders, facing the camera, grey studio")
    codes = lab(picture.image)
    neck = np.median(codes[below(picture, 0.12, 0.22, 0.12)].reshape(-1, 3), 0)
    box = picture.faces[0]
    assert box is not None
    x0, y0, x1, y1 = box
    tall = y1 - y0
    # The cheeks: what is in the shade of the jaw may be darker, but not of another hue.
    row = slice(int(y0 + 0.55 * tall), int(y0 + 0.72 * tall))
    middle = (x0 + x1) / 2
    sides = [codes[row, int(middle + s * 0.25 * tall) - 4 : int(middle + s * 0.25 * tall) + 4] for s in (-1, 1)]
    cheeks = [np.median(side.reshape(-1, 3), 0) for side in sides]
    assert min(np.linalg.norm(neck[1:] - cheek[1:]) for cheek in cheeks) < 9
    shade = min(cheek[0] for cheek in cheeks)
    assert shade - 22 < neck[0] < max(cheek[0] for cheek in cheeks) + 8


def test_long_hair_falls_over_the_collar(sample: bytes) -> None:
    character = long_haired(sample)
    picture = shot(character, "wearing a white t-shirt, head and shoulders, facing the camera, grey studio")
    codes = lab(picture.image)
    rows, _ = below(picture, 0.35, 0.7, 1.0)
    box = picture.faces[0]
    assert box is not None
    tall, middle = box[3] - box[1], (box[0] + box[2]) / 2
    for side in (-1, 1):
        x = int(middle + side * 0.55 * tall)
        lock = codes[rows, x - int(0.2 * tall) : x + int(0.2 * tall)]
        # Hair is yellowish brown, the shirt white.
        assert ((lock[..., 2] > 12) & (lock[..., 0] < 70)).mean() > 0.25


def test_the_same_job_gives_the_same_picture(person: IdentityMap, pair: tuple[Rendering, Rendering]) -> None:
    again = shot(person, "wearing a teal t-shirt, head and shoulders, grey studio, butterfly lighting")
    assert (again.image == pair[1].image).all()


def test_the_men_of_the_portraits_stay_themselves(portraits: list[Path]) -> None:
    character = study(portraits[0].read_bytes(), use_cache=False)
    prompt = "head and shoulders, office"
    own, dressed = shot(character, prompt), shot(character, f"wearing a grey suit, {prompt}")
    assert distance(character, dressed) < distance(character, own) + 0.05


# ---------------------------------------------------------------- the frame


def test_the_bust_stands_under_the_chin_and_follows_the_head_by_half(person: IdentityMap) -> None:
    reading = person.reading
    assert reading is not None
    frame = stand(reading.points, reading.pose, (512, 512), 0.95, 3)
    chin = reading.points[mesh.CHIN]
    assert 4 < (frame.y - chin[1]) / frame.scale < 9
    assert abs(frame.x - chin[0]) / frame.scale < 2
    assert 4.9 <= frame.neck <= 6.6
    assert abs(frame.yaw) > np.radians(2)
    turned = stand(reading.points, replace(reading.pose, yaw=30.0), (512, 512), 0.95, 3)
    assert np.radians(12) < turned.yaw < np.radians(25)
    again = stand(reading.points, reading.pose, (512, 512), 0.95, 3)
    assert frame == again


# ---------------------------------------------------------------- hair


def cutout(character: IdentityMap) -> tuple[Cutout, U8]:
    """The reference itself as a cut-out, and a mask that leaves the hair free."""
    assert character.reading is not None
    free = np.where(character.regions == FACE, 255, 0).astype(np.uint8)
    rgb = character.foreground.astype(np.float32) / np.float32(255)
    return Cutout(rgb, character.alpha, character.regions, character.reading.points), free


def crown(character: IdentityMap) -> Bool:
    return np.asarray(cv2.erode((character.regions == HAIR).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)


@pytest.mark.parametrize("colour", ["#a0301c", "#1c1a1a", "#d8b878"])
def test_hair_takes_the_colour_and_keeps_its_strands(colour: str, person: IdentityMap) -> None:
    head, mask = cutout(person)
    dyed = hairs.styled(head, mask, Hair(colour, None), (1.0, (0.0, 0.0)), Notes(), 1, False)
    where = crown(person)
    old, new = (cv2.cvtColor(c.rgb, cv2.COLOR_RGB2Lab)[where] for c in (head, dyed))
    code = np.array([[[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]]], np.float32)
    assert np.linalg.norm(new.mean(0) - cv2.cvtColor(code, cv2.COLOR_RGB2Lab)[0, 0]) < 15
    assert np.corrcoef(old[:, 0], new[:, 0])[0, 1] > 0.9
    face = person.regions == FACE
    assert np.abs(dyed.rgb - head.rgb)[face].mean() < 0.01


def test_hair_in_the_mask_stays(person: IdentityMap) -> None:
    head, _ = cutout(person)
    notes = Notes()
    assert hairs.styled(head, person.mask, Hair("#1c1a1a", None), (1.0, (0.0, 0.0)), notes, 1, False) is head
    assert any("character mask" in warning for warning in notes.warnings)


def test_long_hair_is_cut_at_the_jaw(sample: bytes) -> None:
    character = long_haired(sample)
    head, mask = cutout(undressed(character).character)
    cut = hairs.styled(head, mask, Hair(None, "short"), (1.0, (0.0, 0.0)), Notes(), 1, True)
    assert head.points is not None
    low = int(head.points[mesh.CHIN, 1] + 0.2 * np.ptp(head.points[:468, 1]))
    hair = head.regions == HAIR
    assert head.alpha[low:][hair[low:]].mean() > 0.6
    assert cut.alpha[low:][hair[low:]].mean() < 0.1
    high = int(head.points[4, 1])
    assert (cut.alpha[:high] == head.alpha[:high]).mean() > 0.99
