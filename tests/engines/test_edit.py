"""Edit through the whole program: what the mask covers, exactness outside of it, and answers to bad input."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from portrayal.bench.gallery_edits import empty_scene
from portrayal.bench.gallery_parts import mask_file, scene_with
from portrayal.engines.studio.edit.target import (
    box_of,
    choose_face,
    face_mask,
    faces_in,
    find_target,
    head_mask,
)
from portrayal.errors import PortrayalError
from portrayal.imaging import U8, Array, decode, encode_png
from portrayal.perception import identity
from portrayal.perception.faces import read_faces
from portrayal.perception.types import FaceReading
from portrayal.pipeline import portray
from portrayal.request import Request
from portrayal.result import Picture
from portrayal.settings import Settings
from portrayal.source import open_source

Edit = Callable[..., Picture]


@pytest.fixture(scope="module")
def edit(settings: Settings) -> Edit:
    def run(**values: Any) -> Picture:
        request = Request.make(operation="edit", **{"seed": 3, "speed": "turbo", **values})
        return portray(request, settings=settings).pictures[0]

    return run


@pytest.fixture(scope="module")
def scene() -> bytes:
    """Somebody else in a library."""
    return scene_with("red", "portrait in a library", 11)


@pytest.fixture(scope="module")
def face(scene: bytes) -> FaceReading:
    return _face(decode(scene))


def _face(image: U8) -> FaceReading:
    return choose_face(faces_in(image, (0, 0, image.shape[1], image.shape[0])), None)


def _distance(data: bytes, reference: bytes) -> float:
    """From the file's own pixels, with nothing of the engine."""
    descriptors = []
    for one in (data, reference):
        image = decode(one)
        descriptors.append(identity.embed(image, read_faces(image, average=True)[0].points))
    return identity.distance(descriptors[0], descriptors[1])


@pytest.mark.parametrize("kind", ["face", "head"])
def test_a_swap_makes_it_the_character(kind: str, edit: Edit, scene: bytes, face: FaceReading, sample: bytes) -> None:
    shape = decode(scene).shape[:2]
    mask = face_mask(shape, face) if kind == "face" else head_mask(shape, face, None)
    assert find_target(decode(scene), mask).kind == kind
    made = edit(image=scene, edit_mask=mask_file(mask), reference=sample)
    after = _distance(made.data, sample)
    assert after <= 0.42  # the stand-in is only 0.50 away before, so 0.2 under it is not asked for here
    assert after <= made.facts["distance_before"] - 0.08
    assert made.proof.distance == pytest.approx(after, abs=0.08)
    assert np.array_equal(decode(made.data)[mask == 0], decode(scene)[mask == 0])


@pytest.mark.parametrize("kind", ["face", "head"])
def test_a_swap_between_real_people(kind: str, edit: Edit, sample: bytes, portraits: list[Path]) -> None:
    people = {"sample": sample, **{path.stem: path.read_bytes() for path in portraits}}
    for name, picture in people.items():
        image = decode(picture)
        target = _face(image)
        shape = image.shape[:2]
        mask = face_mask(shape, target) if kind == "face" else head_mask(shape, target, None)
        for other, reference in people.items():
            if other[:8] == name[:8]:  # the same person
                continue
            made = edit(image=picture, edit_mask=mask_file(mask), reference=reference, speed="balanced")
            after = _distance(made.data, reference)
            assert after <= 0.50, f"{other} into {name}: {after:.2f}"
            assert after <= made.facts["distance_before"] - 0.2, f"{other} into {name}: {after:.2f}"
            assert np.array_equal(decode(made.data)[mask == 0], image[mask == 0])


def test_without_a_mask_the_words_choose_somebody(edit: Edit, scene: bytes, sample: bytes) -> None:
    made = edit(image=scene, reference=sample)
    assert any("no mask was given: the face" in words for words in made.warnings)
    assert made.proof.distance is not None
    assert made.proof.distance <= 0.42


def test_several_faces_the_one_under_the_mask(edit: Edit, scene: bytes, sample: bytes) -> None:
    one = decode(scene)
    both = np.ascontiguousarray(np.concatenate([one, one[:, ::-1]], axis=1)[::2, ::2])
    faces = sorted(faces_in(both, (0, 0, both.shape[1], both.shape[0])), key=lambda f: float(f.pose.origin[0]))
    assert len(faces) == 2
    for meant, words in zip(faces, ("on the left", "on the right"), strict=True):
        made = edit(image=encode_png(both), reference=sample, prompt=words)
        changed = (decode(made.data) != both).any(2)
        x0, _, x1, _ = box_of(changed.astype(np.uint8))
        assert x0 <= meant.pose.origin[0] <= x1
        half = both.shape[1] // 2
        assert (x1 <= half) == (meant.pose.origin[0] < half)


def _box(face: FaceReading, left: float, top: float, right: float, bottom: float) -> U8:
    """A mask as people draw it: a box around the middle of a face, in face heights."""
    tall = float(np.linalg.norm(face.points[152, :2] - face.points[10, :2]))
    x, y = face.points[:468, :2].mean(0)
    mask = np.zeros((1024, 1024), np.uint8)
    y0, y1, x0, x1 = (round(float(v)) for v in (y + top * tall, y + bottom * tall, x + left * tall, x + right * tall))
    mask[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = 255
    return mask


# A box, and what is done.
DRAWN: dict[str, tuple[tuple[float, float, float, float], str]] = {
    "tight around the face": ((-0.42, -0.5, 0.42, 0.5), "face swapped"),
    "loose around the face": ((-0.6, -0.75, 0.6, 0.65), "face swapped"),
    "face and background": ((-9, -0.6, 0.7, 0.7), "face swapped"),
    "around the head": ((-0.9, -1.0, 0.9, 0.8), "head swapped"),
    "wide around the head": ((-1.3, -1.4, 1.3, 1.2), "head swapped"),
    "head and chest": ((-1.3, -1.4, 1.3, 1.7), "head swapped"),
    "the whole person": ((-2.2, -1.5, 2.2, 9), "person replaced"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_boxes_mean_what_they_surround(name: str, edit: Edit, scene: bytes, face: FaceReading, sample: bytes) -> None:
    box, did = DRAWN[name]
    mask = _box(face, *box)
    made = edit(image=scene, edit_mask=mask_file(mask), reference=sample)
    assert made.did == did
    assert made.proof.same_person
    assert made.mask_box == box_of(mask)


PIECES = {
    "half a face": (0.0, -0.6, 3.0, 0.6),
    "the mouth": (-0.6, 0.0, 0.6, 0.7),
    "hair": (-0.8, -1.2, 0.8, -0.45),
    "chest": (-1.0, 0.9, 1.0, 2.5),
}


@pytest.mark.parametrize("name", [*PIECES, "strokes", "spots"])
def test_nobody_is_put_into_a_piece_of_somebody(
    name: str, edit: Edit, scene: bytes, face: FaceReading, sample: bytes
) -> None:
    mask = np.zeros((1024, 1024), np.uint8)
    if name in PIECES:
        mask = _box(face, *PIECES[name])
    elif name == "strokes":
        cv2.polylines(mask, [np.array([(40, 60), (900, 90), (60, 130), (900, 170)], np.int32)], False, 255, 9)
    else:
        for x in range(60, 1000, 120):
            cv2.circle(mask, (x, (x * 37) % 900), 16, 255, -1)
    with pytest.raises(PortrayalError) as caught:
        edit(image=scene, edit_mask=mask_file(mask), reference=sample)
    assert caught.value.field == "edit_mask"
    assert caught.value.remedy


def test_a_mask_over_two_faces_says_who_is_meant(edit: Edit, scene: bytes, sample: bytes) -> None:
    one = decode(scene)
    both = np.ascontiguousarray(np.concatenate([one, one[:, ::-1]], axis=1)[::2, ::2])
    mask = np.zeros(both.shape[:2], np.uint8)
    mask[60:330, 20:-20] = 255
    made = edit(image=encode_png(both), edit_mask=mask_file(mask), reference=sample)
    assert any("the mask covers 2 faces" in words for words in made.warnings)


def _with_hole(image: U8, mask: U8, kept: bool) -> bytes:
    colours = image if kept else np.where(mask[..., None] > 0, np.uint8(0), image)
    out = io.BytesIO()
    Image.fromarray(np.dstack([colours, 255 - mask])).save(out, "PNG")
    return out.getvalue()


def test_a_hole_in_the_picture_is_its_mask(edit: Edit, scene: bytes, face: FaceReading, sample: bytes) -> None:
    image = decode(scene)
    mask = face_mask((1024, 1024), face)
    file = _with_hole(image, mask, kept=True)
    made = edit(image=file, edit_mask=file, mask_mode="alpha", reference=sample)
    assert made.did == "face swapped"
    after = open_source(made.data)
    assert after.alpha is not None
    assert after.alpha.min() == 255
    assert np.array_equal(after.native[mask == 0], np.dstack([image, 255 - mask])[mask == 0])


def test_an_empty_hole_is_filled_before_somebody_stands_there(edit: Edit, sample: bytes) -> None:
    place = empty_scene("beach", 5, (640, 640))
    mask = np.zeros((640, 640), np.uint8)
    mask[150:, 180:480] = 255
    file = _with_hole(place, mask, kept=False)
    made = edit(image=file, edit_mask=file, mask_mode="alpha", reference=sample)
    assert made.did == "put in"
    assert made.proof.same_person
    after = open_source(made.data)
    assert after.alpha is not None
    assert after.alpha.min() == 255
    top = after.rgb[152:170, 185:475].astype(int)
    assert np.abs(top - place[152:170, 185:475]).mean() < 25  # sky as around, not the grey under transparency


def test_an_empty_place_gets_the_person(edit: Edit, sample: bytes) -> None:
    place = empty_scene("coffee shop", 21)
    mask = np.zeros(place.shape[:2], np.uint8)
    mask[200:1024, 300:820] = 255
    assert find_target(place, mask).kind == "place"
    made = edit(image=encode_png(place), edit_mask=mask_file(mask), reference=sample)
    assert made.proof.distance is not None
    assert made.proof.distance <= 0.45
    assert np.array_equal(decode(made.data)[mask == 0], place[mask == 0])


def test_nobody_asked_for_the_place_is_filled(edit: Edit) -> None:
    place = empty_scene("beach", 5)
    image = place.copy()
    cv2.circle(image, (500, 600), 90, (250, 20, 220), -1)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.circle(mask, (500, 600), 96, 255, -1)
    made = edit(image=encode_png(image), edit_mask=mask_file(mask), prompt="remove")
    filled = decode(made.data)
    inside = mask > 0
    assert np.array_equal(filled[~inside], image[~inside])
    assert made.identity is None
    old = np.abs(image[inside].astype(float) - place[inside]).mean()
    new = np.abs(filled[inside].astype(float) - place[inside]).mean()
    assert new < 0.2 * old
    magenta = (filled[inside].astype(int) @ np.array([1, -2, 1])) > 150
    assert magenta.mean() < 0.001


def test_a_colour_is_put_on_what_is_under_the_mask(edit: Edit, scene: bytes) -> None:
    made = edit(image=scene, prompt="make the clothes emerald")
    before, after = decode(scene), decode(made.data)
    changed = (before != after).any(2)
    suit = np.zeros(changed.shape, bool)
    suit[-200:, 400:700] = True
    lab = cv2.cvtColor(after, cv2.COLOR_RGB2LAB).astype(float)
    assert np.median(lab[suit & changed][:, 1]) < 115  # green, where it was navy
    inside = cv2.erode(face_mask(changed.shape, _face(before)), np.ones((25, 25), np.uint8)) > 0
    assert not changed[inside].any()


# --- exact outside of the mask, for every kind of file ---------------------------------------------------------------


def _kinds() -> dict[str, Callable[[U8], bytes]]:
    def pillow(mode: str, kind: str, **options: Any) -> Callable[[U8], bytes]:
        def write(rgb: U8) -> bytes:
            image = Image.fromarray(rgb).convert("RGB")
            if "A" in mode:
                alpha = np.full(rgb.shape[:2], 255, np.uint8)
                alpha[: rgb.shape[0] // 5] = 90
                image.putalpha(Image.fromarray(alpha))
            out = io.BytesIO()
            image.convert(mode).save(out, kind, **options)
            return out.getvalue()

        return write

    def deep(gray: bool) -> Callable[[U8], bytes]:
        def write(rgb: U8) -> bytes:
            noise = np.random.default_rng(1).integers(0, 257, rgb.shape, np.uint16)
            values: Array = np.minimum(rgb.astype(np.uint32) * 256 + noise, 65535).astype(np.uint16)
            values = values[..., 0] if gray else values[..., ::-1]
            return bytes(cv2.imencode(".png", np.ascontiguousarray(values))[1])

        return write

    return {
        "RGB PNG": pillow("RGB", "PNG"),
        "RGBA PNG": pillow("RGBA", "PNG"),
        "gray PNG": pillow("L", "PNG"),
        "16-bit RGB PNG": deep(False),
        "16-bit gray PNG": deep(True),
        "RGB JPEG": pillow("RGB", "JPEG", quality=90),
        "gray JPEG": pillow("L", "JPEG", quality=90),
        "RGB WebP": pillow("RGB", "WEBP", quality=90),
    }


@pytest.mark.parametrize("kind", _kinds())
def test_outside_of_the_mask_the_file_keeps_every_value(kind: str, edit: Edit, scene: bytes, sample: bytes) -> None:
    small = np.asarray(cv2.resize(decode(scene), (640, 640), interpolation=cv2.INTER_AREA), np.uint8)
    file = _kinds()[kind](small)
    mask = face_mask((640, 640), _face(small))
    made = edit(image=file, edit_mask=mask_file(mask), reference=sample)
    before, after = open_source(file), open_source(made.data)
    assert (after.kind, after.depth) == (before.kind, before.depth)
    outside = mask == 0
    assert np.array_equal(before.native[outside], after.native[outside])
    assert not np.array_equal(before.native, after.native)
    assert made.proof.same_person


@pytest.mark.parametrize("size", [(64, 64), (65, 300), (333, 97), (1536, 512), (6000, 400), (6000, 4000)])
def test_every_size_is_kept_to_the_bit(size: tuple[int, int], edit: Edit) -> None:
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(0).integers(0, 12, (height, width, 3))
    image = (np.stack([x * 200 // width, y * 200 // height, (x + y) % 200], -1) + noise).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[height // 3 : height // 3 + 14, width // 2 : width // 2 + 20] = 255
    made = edit(image=encode_png(image), edit_mask=mask_file(mask))
    after = decode(made.data)
    assert after.shape == image.shape
    assert np.array_equal(after[mask == 0], image[mask == 0])


def test_the_same_face_in_a_large_picture(edit: Edit, scene: bytes, face: FaceReading, sample: bytes) -> None:
    one = decode(scene)
    large = np.asarray(cv2.resize(one, (6000, 4000), interpolation=cv2.INTER_LINEAR), np.uint8)
    large[1500:2524, 2500:3524] = one
    mask = np.zeros((4000, 6000), np.uint8)
    mask[1500:2524, 2500:3524] = face_mask(one.shape[:2], face)
    made = edit(image=encode_png(large), edit_mask=mask_file(mask), reference=sample)
    after = decode(made.data)
    assert np.array_equal(after[mask == 0], large[mask == 0])
    assert made.proof.distance is not None
    assert made.proof.distance <= 0.42


# --- bad input -------------------------------------------------------------------------------------------------------


def _gray(shape: tuple[int, int], value: int) -> bytes:
    return mask_file(np.full(shape, value, np.uint8))


def _noise_mask() -> bytes:
    return mask_file(np.random.default_rng(0).integers(0, 255, (1024, 1024)).astype(np.uint8))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "empty mask": ({"edit_mask": _gray((1024, 1024), 0)}, "edit_mask"),
    "full mask": ({"edit_mask": _gray((1024, 1024), 255)}, "edit_mask"),
    "mask of another size": ({"edit_mask": _gray((512, 512), 255)}, "edit_mask"),
    "mask of greys": ({"edit_mask": _noise_mask()}, "edit_mask"),
    "alpha mask without alpha": ({"edit_mask": _gray((1024, 1024), 255), "mask_mode": "alpha"}, "edit_mask"),
    "mask that is no picture": ({"edit_mask": b"words"}, "edit_mask"),
    "image that is no picture": ({"image": b"words"}, "image"),
    "strength for an edit": ({"strength": 0.9}, "strength"),
    "size for an edit": ({"size": (512, 512)}, "size"),
    "two characters": ({"characters": 2}, "reference"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name: str, edit: Edit, scene: bytes, sample: bytes) -> None:
    from portrayal.request import CharacterReference

    values, field = BAD[name]
    given: dict[str, Any] = {"image": scene, "reference": sample, **values}
    if "characters" in values:
        given.pop("reference")
        given["characters"] = (CharacterReference(image=sample),) * 2
    with pytest.raises(PortrayalError) as caught:
        edit(**given)
    assert caught.value.field == field
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_a_face_that_is_too_small_says_what_works(edit: Edit, scene: bytes, sample: bytes) -> None:
    small = np.asarray(cv2.resize(decode(scene), (128, 128), interpolation=cv2.INTER_AREA), np.uint8)
    target = _face(small)
    mask = face_mask((128, 128), target)
    with pytest.raises(PortrayalError) as caught:
        edit(image=encode_png(small), edit_mask=mask_file(mask), reference=sample)
    assert caught.value.field == "image"
    assert "pscale" in caught.value.remedy


def test_nobody_in_the_picture_and_no_mask(edit: Edit, sample: bytes) -> None:
    with pytest.raises(PortrayalError) as caught:
        edit(image=encode_png(empty_scene("beach", 5, (512, 512))), reference=sample)
    assert caught.value.field == "image"
    assert "mask" in caught.value.remedy
