"""The identity map: what study() learns, keeps, refuses and advises."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest

from portrayal import assets, imaging
from portrayal.character import cache, study
from portrayal.character.advice import NO_FACE, WHOLE
from portrayal.character.crops import crop, crops
from portrayal.character.identity_map import IdentityMap
from portrayal.character.learning import LONGER_SIDE
from portrayal.errors import ImageReadError, ImageTooSmallError, MaskMismatchError, NoSubjectError
from portrayal.imaging import U8
from portrayal.perception.faces import read_faces
from portrayal.perception.types import CLOTHING, FACE, HAIR
from tests.unit import mascots

SAMPLE = assets.path("sample/astronaut.png")


@pytest.fixture(scope="module")
def pixels() -> U8:
    return imaging.decode(SAMPLE.read_bytes())


@pytest.fixture(scope="module")
def character() -> IdentityMap:
    return study(SAMPLE, use_cache=False)


def same(a: IdentityMap, b: IdentityMap) -> bool:
    """Equal to the bit, digests apart."""
    for field in fields(IdentityMap):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if field.name == "digest":
            continue
        if field.name == "reading" and x is not None:
            parts = [(x.points, y.points), (x.pose.rotation, y.pose.rotation), (x.face.keypoints, y.face.keypoints)]
            if not all(np.array_equal(p, q) for p, q in parts) or x.expression != y.expression:
                return False
            if (x.face.box, x.pose.yaw, x.pose.scale) != (y.face.box, y.pose.yaw, y.pose.scale):
                return False
        elif isinstance(x, np.ndarray):
            if x.dtype != y.dtype or not np.array_equal(x, y):
                return False
        elif field.name != "reading" and x != y:
            return False
    return True


def test_a_person_is_learnt(character: IdentityMap, pixels: U8) -> None:
    assert character.kind == "person"
    assert len(character.digest) == 64
    assert np.array_equal(character.image, pixels)
    shape = pixels.shape[:2]
    assert character.alpha.shape == character.regions.shape == character.mask.shape == shape
    assert character.alpha.dtype == np.float32
    assert character.foreground.dtype == character.regions.dtype == character.mask.dtype == np.uint8
    assert character.embedding is not None
    assert character.embedding.shape == (128,)
    assert np.linalg.norm(character.appearance) == pytest.approx(1, abs=1e-3)
    assert not character.crown_is_skin
    assert character.advice == ()


def test_the_palette_has_the_orange_of_the_suit(character: IdentityMap) -> None:
    assert 3 <= len(character.palette) <= 6
    colours = [tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in character.palette]
    assert any(r > 180 and 50 < g < 140 and b < 110 for r, g, b in colours)
    assert all(len(c) == 7 and c[0] == "#" for c in character.palette)


def test_the_automatic_mask_is_face_and_hair(character: IdentityMap) -> None:
    assert set(np.unique(character.mask)) == {0, 255}
    chosen = character.mask == 255
    head = np.isin(character.regions, (FACE, HAIR))
    assert chosen[head].mean() > 0.97
    assert chosen[character.regions == CLOTHING].mean() < 0.01
    assert not chosen[200:].any()
    assert not chosen[character.alpha < 0.4].any()


@pytest.mark.parametrize("form", ["bytes", "path", "array"])
def test_every_form_of_a_picture(character: IdentityMap, pixels: U8, form: str) -> None:
    forms: dict[str, bytes | Path | U8] = {"bytes": SAMPLE.read_bytes(), "path": SAMPLE, "array": pixels}
    assert same(study(forms[form], use_cache=False), character)


def test_kept_and_known_again(character: IdentityMap, tmp_path: Path) -> None:
    stages: list[str] = []
    first = study(SAMPLE, cache_dir=tmp_path, progress=lambda stage, fraction: stages.append(stage))
    assert "cutting out" in stages
    assert stages[-1] == "studied"
    stages.clear()
    again = study(SAMPLE.read_bytes(), cache_dir=tmp_path, progress=lambda stage, fraction: stages.append(stage))
    assert stages == ["known already"]
    assert again.digest == first.digest
    assert same(first, again)
    assert same(first, character)


def test_the_cache_is_private_and_forgets(character: IdentityMap, tmp_path: Path) -> None:
    assert cache.store(character, tmp_path)
    place = cache.folder(tmp_path)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 for file in place.iterdir())
    assert [file.suffix for file in place.iterdir()] == [".npz"]  # nothing half-written
    assert cache.forget(character.digest, tmp_path)
    assert not cache.forget(character.digest, tmp_path)
    assert cache.load(character.digest, tmp_path) is None
    cache.store(character, tmp_path)
    assert cache.clear_cache(tmp_path) == 1
    assert list(place.iterdir()) == []
    with pytest.raises(ValueError, match="hexadecimal"):
        cache.forget("../../etc", tmp_path)


def test_a_damaged_file_is_studied_again(character: IdentityMap, tmp_path: Path) -> None:
    cache.store(character, tmp_path)
    (file,) = cache.folder(tmp_path).iterdir()
    data = file.read_bytes()
    for damage in (b"", data[: len(data) // 2], b"nonsense" * 100, data[:2000] + bytes(3000) + data[5000:]):
        file.write_bytes(damage)
        assert cache.load(character.digest, tmp_path) is None
        assert not file.exists()
    assert same(study(SAMPLE, cache_dir=tmp_path), character)


def test_old_maps_make_room(character: IdentityMap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setattr(cache, "KEPT", 2)
    small = replace(character, **{n: getattr(character, n)[:64, :64] for n in ("image", "alpha", "foreground")})
    for digest in ("a1", "b2", "c3"):
        cache.store(replace(small, digest=digest), tmp_path)
    assert len(list(cache.folder(tmp_path).iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_no_error(character: IdentityMap, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert not cache.store(character, blocked)


def test_a_given_mask_is_taken_and_changes_the_digest(character: IdentityMap, pixels: U8) -> None:
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[20:300, 100:400] = 255
    masked = study(pixels, mask=mask, use_cache=False)
    assert np.array_equal(masked.mask, mask)
    assert masked.digest != study(pixels, use_cache=False).digest
    assert np.array_equal(masked.alpha, character.alpha)


@pytest.mark.parametrize("size", [(512, 511), (100, 100)])
def test_a_mask_of_another_size_is_refused(pixels: U8, size: tuple[int, int]) -> None:
    with pytest.raises(MaskMismatchError) as caught:
        study(pixels, mask=np.full(size, 255, np.uint8), use_cache=False)
    assert caught.value.field == "mask"


def test_large_photos_shrink_and_their_masks_with_them(pixels: U8) -> None:
    large = np.full((1400, 2600, 3), 200, np.uint8)
    large[200:1224, 700:1724] = cv2.resize(pixels, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    mask = np.zeros(large.shape[:2], np.uint8)
    mask[:, 1300:] = 255
    found = study(large, mask=mask, use_cache=False)
    assert max(found.image.shape[:2]) == LONGER_SIDE
    assert found.mask.shape == found.alpha.shape == found.image.shape[:2]
    assert found.mask[:, : 1300 * LONGER_SIDE // 2600 - 2].max() == 0
    assert found.mask[:, 1300 * LONGER_SIDE // 2600 + 2 :].min() == 255


@pytest.mark.parametrize("name", mascots.NAMES)
def test_a_mascot_is_a_subject(name: mascots.Mascot, tmp_path: Path) -> None:
    picture, truth = mascots.draw(name, 384, "gradient"), mascots.layer(name, 384)[1]
    found = study(picture, cache_dir=tmp_path)
    assert found.kind == "subject"
    assert found.reading is None
    assert found.embedding is None
    assert found.advice == (NO_FACE,)
    assert np.abs(found.alpha - truth).mean() < 0.006
    assert set(np.unique(found.regions)) == {0, CLOTHING}
    assert (found.mask > 0).sum() == pytest.approx((truth > 0.5).sum(), rel=0.02)
    assert same(study(picture, cache_dir=tmp_path), found)


def test_a_mask_says_what_the_subject_is() -> None:
    picture = np.hstack([mascots.draw("robot", 256), mascots.draw("cactus", 256)])
    mask = np.zeros((256, 512), np.uint8)
    truth = mascots.layer("cactus", 256)[1]
    mask[:, 256:] = (truth > 0.5) * np.uint8(255)
    found = study(picture, mask=mask, use_cache=False)
    assert found.alpha[:, :256].max() < 0.01
    assert np.abs(found.alpha[:, 256:] - truth).mean() < 0.01


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(NoSubjectError):
        study(np.full((200, 200, 3), 77, np.uint8), use_cache=False)
    with pytest.raises(ImageReadError):
        study(b"this is no picture", use_cache=False)
    with pytest.raises(ImageReadError):
        study(tmp_path / "missing.png", use_cache=False)
    with pytest.raises(ImageReadError):
        study(np.zeros((200, 200), np.uint8), use_cache=False)
    with pytest.raises(ImageTooSmallError):
        study(imaging.encode_png(np.zeros((20, 20, 3), np.uint8)), use_cache=False)


def test_a_picture_that_is_all_subject() -> None:
    rng = np.random.default_rng(5)
    busy = cv2.GaussianBlur(rng.integers(0, 255, (256, 256, 3)).astype(np.float32), (0, 0), 4)
    busy = cv2.normalize(busy, np.empty(0, np.float32), 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    found = study(np.asarray(busy, np.uint8), use_cache=False)
    assert found.kind == "subject"
    assert found.advice[0] == NO_FACE
    assert (WHOLE in found.advice) == bool(found.alpha.min() == 1)


def _small(p: U8) -> U8:
    return np.asarray(cv2.resize(p, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)


def _two(p: U8) -> U8:
    part = p[:256, 100:356]
    return np.hstack([part, np.asarray(cv2.resize(part[:, ::-1], (256, 256)), np.uint8)])


def _dark(p: U8) -> U8:
    return np.asarray(p * 0.2, np.uint8)


def _side(p: U8) -> U8:
    fall = np.clip((np.arange(512) - 180) / 90, 0.25, 1)[None, :, None]
    return np.asarray(p * fall, np.uint8)


def _blurred(p: U8) -> U8:
    return np.asarray(cv2.GaussianBlur(p, (0, 0), 2.8), np.uint8)


def _cropped(p: U8) -> U8:
    return np.ascontiguousarray(p[45:])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_small, "px wide"),
        (_two, "two faces"),
        (_dark, "dark"),
        (_side, "side light"),
        (_blurred, "blurred"),
        (_cropped, "cut off at the top"),
    ],
)
def test_advice(pixels: U8, change: Callable[[U8], U8], word: str) -> None:
    advice = study(change(pixels), use_cache=False).advice
    assert any(word in line for line in advice), advice
    assert len(advice) <= 3


def test_crops_hold_what_they_promise(character: IdentityMap) -> None:
    shown = crops(character, 400)
    assert set(shown) == {"face", "head", "bust"}
    widths = {}
    for kind, picture in shown.items():
        assert picture.shape == (400, 400, 3)
        face = read_faces(picture, average=False)[0]
        widths[kind] = face.pose.scale
        assert abs(face.pose.origin[0] - 200) < 12
    assert widths["face"] > 1.4 * widths["head"] > 1.9 * widths["bust"]
    assert widths["face"] == pytest.approx(400 / 1.7, rel=0.05)
    plain = crop(character, "head", 400, ground=(0, 190, 60))
    assert tuple(plain[3, 3]) == (0, 190, 60)


def test_the_crop_of_a_subject_is_all_of_it() -> None:
    found = study(mascots.draw("bird", 300, "gradient"), use_cache=False)
    for picture in crops(found, 200, ground=(10, 20, 30)).values():
        drawn = np.abs(picture.astype(int) - [10, 20, 30]).sum(2) > 30
        ys, xs = np.nonzero(drawn)
        assert max(np.ptp(ys), np.ptp(xs)) > 170
        assert min(ys.min(), xs.min()) > 0


def test_of_two_people_the_masked_one_is_taken_and_alone() -> None:
    one = imaging.decode(assets.path("sample/astronaut.png").read_bytes())
    small = np.asarray(cv2.resize(one[:, ::-1], (384, 384), interpolation=cv2.INTER_AREA), np.uint8)
    both = np.full((512, 896, 3), 128, np.uint8)
    both[:, :512], both[128:, 512:] = one, small
    largest = study(both, use_cache=False)
    assert largest.reading is not None
    assert largest.reading.pose.origin[0] < 512
    assert any("took the largest" in line for line in largest.advice)
    assert largest.alpha[260:, 620:].max() < 0.5

    mask = np.zeros((512, 896), np.uint8)
    mask[:, 512:] = 255
    meant = study(both, mask=mask, use_cache=False)
    assert meant.reading is not None
    assert meant.reading.pose.origin[0] > 512
    assert any("the one in the mask" in line for line in meant.advice)
    assert meant.alpha[:, :400].max() == 0
