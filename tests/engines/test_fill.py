"""Removal and outpainting: what can be measured in the pictures."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import pytest

from portrayal import parallel
from portrayal.engines.studio.fill import fill, reframe
from portrayal.engines.studio.fill.grain import regrained
from portrayal.engines.studio.fill.held import held
from portrayal.engines.studio.fill.placing import place
from portrayal.engines.studio.types import Notes, Patch, Speed
from portrayal.errors import MaskMismatchError
from portrayal.imaging import F32, U8

N = 256


def noisy(codes: F32, sigma: float = 3.0, seed: int = 3) -> U8:
    random = np.random.default_rng(seed)
    return np.clip(codes + random.normal(0, sigma, codes.shape), 0, 255).astype(np.uint8)


def grid(h: int = N, w: int = N) -> tuple[F32, F32]:
    y, x = np.mgrid[:h, :w].astype(np.float32)
    return y, x


def flat(h: int = N, w: int = N, sigma: float = 3.0) -> U8:
    return noisy(np.full((h, w, 3), (120, 140, 160), np.float32), sigma)


def table() -> U8:
    """A straight, slanted edge between two colours."""
    y, x = grid()
    return noisy(np.where((y > 130 + 0.15 * x)[..., None], (120, 80, 50), (170, 175, 190)).astype(np.float32))


def ramp(h: int = N, w: int = N) -> U8:
    y, x = grid(h, w)
    return noisy(np.stack([60 + 0.35 * x, 70 + 0.3 * y, 110 + 0.15 * (x + y)], -1), 2.0)


def grass(h: int = N, w: int = N) -> U8:
    random = np.random.default_rng(5)
    rough = cv2.GaussianBlur(random.normal(0, 1, (h, w)).astype(np.float32), (0, 0), sigmaX=1.2, sigmaY=3)
    tone = 40 * rough / rough.std()
    return noisy(np.stack([80 + 0.6 * tone, 120 + tone, 60 + 0.5 * tone], -1))


def oval(h: int = N, w: int = N, share: float = 0.22) -> U8:
    mask = np.zeros((h, w), np.uint8)
    cv2.ellipse(mask, (w // 2, h // 2), (round(share * w), round(0.8 * share * h)), 20, 0, 360, 255, -1)
    return mask


def applied(image: U8, patch: Patch) -> U8:
    out = image.copy()
    h, w = patch.cover.shape
    out[patch.y : patch.y + h, patch.x : patch.x + w] = patch.rgb
    return out


def filled(image: U8, mask: U8, seed: int = 1, speed: Speed = "balanced", forbid: U8 | None = None) -> U8:
    """The picture after removal; what lies under the mask is made loud first, so that nothing of it may survive."""
    loud = image.copy()
    loud[mask > 0] = (255, 0, 255)
    return applied(loud, fill(loud, mask, seed=seed, speed=speed, forbid=forbid))


def grain(image: U8, where: np.ndarray) -> float:
    grey = image.astype(np.float32).mean(2)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    return float(np.median(np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel))[where])) * 1.4826


@pytest.mark.parametrize("speed", get_args(Speed))
def test_outside_of_the_mask_nothing_changes(speed: Speed) -> None:
    image, mask = grass(), oval()
    mask[mask == 0] = 0
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), 3), np.uint8)
    for m in (mask, soft):
        patch = fill(image, m, seed=1, speed=speed)
        out = applied(image, patch)
        assert np.array_equal(out[m == 0], image[m == 0])
        h, w = patch.cover.shape
        assert np.array_equal(patch.cover, m[patch.y : patch.y + h, patch.x : patch.x + w])
    assert (out != image).any()


@pytest.mark.parametrize("speed", get_args(Speed))
def test_an_even_wall_is_continued(speed: Speed) -> None:
    image, mask = flat(), oval()
    out = filled(image, mask, speed=speed).astype(np.float32)
    inside, outside = out[mask > 0], out[mask == 0]
    assert np.abs(inside.mean(0) - outside.mean(0)).max() < 1.5
    assert 0.75 < inside.std(0).mean() / outside.std(0).mean() < 1.3


@pytest.mark.parametrize("make", [flat, grass, ramp])
def test_grain_is_that_of_the_surroundings(make: object) -> None:
    image, mask = make(), oval()  # type: ignore[operator]
    out = filled(image, mask)
    inner = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0
    assert 0.75 < grain(out, inner) / grain(image, mask == 0) < 1.3


def test_light_falls_on_evenly() -> None:
    image, mask = ramp(), oval(share=0.3)
    out = filled(image, mask)
    soft, true = (cv2.GaussianBlur(v.astype(np.float32), (0, 0), 4) for v in (out, ramp()))
    assert np.abs(soft - true)[mask > 0].max() < 5


def test_a_straight_edge_goes_on() -> None:
    image, mask = table(), oval(share=0.3)
    out = filled(image, mask)
    dark = out.astype(np.float32).mean(2) < 130
    x = np.flatnonzero(mask[150] > 0)[4:-4]
    rows = np.array([np.abs(np.flatnonzero(np.diff(dark[100:220, c].astype(int)) == 1) + 101).max() for c in x])
    assert np.abs(rows - (131 + 0.15 * x)).mean() < 1.5
    assert np.abs(rows - (131 + 0.15 * x)).max() < 4
    # As hard as it was: neither blurred nor with a rim.
    soft = [cv2.GaussianBlur(v.astype(np.float32), (0, 0), 1.5).mean(2) for v in (out, image)]
    near = (np.abs(grid()[0] - 131 - 0.15 * grid()[1]) < 12) & (mask > 0)
    assert np.abs(soft[0] - soft[1])[near].mean() < 2.5


def test_stripes_meet() -> None:
    y, x = grid()
    wave = np.sin(2 * np.pi * (x + 0.35 * y) / 24)
    image = noisy(np.dstack([125 + 60 * wave, 110 + 40 * wave, 90 + 20 * wave]))
    mask = oval(share=0.25)
    out = filled(image, mask)
    true = np.dstack([125 + 60 * wave, 110 + 40 * wave, 90 + 20 * wave])
    error = np.abs(cv2.GaussianBlur(out.astype(np.float32), (0, 0), 1.5) - true).mean(2)[mask > 0]
    assert error.mean() < 8  # 30 when they do not


@pytest.mark.parametrize("make", [flat, grass, ramp])
def test_no_seam_shows(make: object) -> None:
    image, mask = make(), oval()  # type: ignore[operator]
    out = cv2.GaussianBlur(filled(image, mask).astype(np.float32), (0, 0), 1.5).mean(2)
    slope = np.hypot(cv2.Sobel(out, cv2.CV_32F, 1, 0), cv2.Sobel(out, cv2.CV_32F, 0, 1))
    seam = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    rest = cv2.dilate(mask, np.ones((15, 15), np.uint8)) == 0
    assert slope[seam].mean() < 1.3 * slope[rest].mean()


def test_what_is_forbidden_is_never_copied() -> None:
    image, mask = grass(), oval()
    forbid = np.zeros((N, N), np.uint8)
    forbid[20:90, 20:230] = 255
    image[forbid > 0] = (255, 0, 255)
    out = filled(image, mask, forbid=forbid)[mask > 0].astype(int)
    assert (out[:, 1] > out[:, 0]).mean() > 0.99
    assert (out[:, 2] - out[:, 1]).max() < 60


def test_the_same_call_gives_the_same_bytes_on_any_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    image, mask = table(), oval()
    first = fill(image, mask, seed=7, speed="balanced").rgb
    for count in (1, 2, 5):
        monkeypatch.setattr(parallel, "cores", lambda count=count: count)
        assert np.array_equal(fill(image, mask, seed=7, speed="balanced").rgb, first)
    assert not np.array_equal(fill(image, mask, seed=8, speed="balanced").rgb, first)


def masks() -> dict[str, U8]:
    empty = np.zeros((N, N), np.uint8)
    names = ("pixel", "corner", "side", "two", "most", "frame", "thin frame", "column")
    out = {name: empty.copy() for name in names}
    out["pixel"][100, 50] = 255
    out["corner"][:60, :80] = 255
    out["side"][90:150, 180:] = 255
    out["two"][30:60, 30:60] = 255
    out["two"][180:230, 170:240] = 255
    out["most"][:] = 255
    out["most"][10:90, 10:80] = 0
    out["frame"][12:-12, 12:-12] = 255
    out["thin frame"][2:-2, 2:-2] = 255
    out["column"][:, 100:140] = 255
    return out


@pytest.mark.parametrize("name", list(masks()))
def test_odd_holes(name: str) -> None:
    image, mask = flat(), masks()[name]
    out = filled(image, mask)
    assert np.array_equal(out[mask == 0], image[mask == 0])
    assert np.abs(out[mask > 0].astype(float).mean(0) - image.reshape(-1, 3).mean(0)).max() < 6


@pytest.mark.parametrize("shape", [(64, 64), (70, 400), (333, 65), (20, 24)])
def test_odd_pictures(shape: tuple[int, int]) -> None:
    image, mask = flat(*shape), oval(*shape)
    out = filled(image, mask)
    assert np.abs(out[mask > 0].astype(float).mean(0) - (120, 140, 160)).max() < 4


def test_a_small_hole_of_a_large_picture_is_a_small_patch() -> None:
    image = flat(1500, 2000)
    mask = np.zeros((1500, 2000), np.uint8)
    mask[700:760, 900:990] = 255
    patch = fill(image, mask, seed=1, speed="turbo")
    assert patch.rgb.shape == (60, 90, 3)
    assert (patch.x, patch.y) == (900, 700)


def test_nothing_to_copy_is_said() -> None:
    image, notes = flat(), Notes()
    fill(image, oval(), seed=1, speed="balanced", forbid=np.full((N, N), 255, np.uint8), notes=notes)
    assert "too little" in notes.warnings[0]


@pytest.mark.parametrize(
    ("mask", "field"),
    [(np.zeros((N, N), np.uint8), "mask"), (np.full((N, N), 255, np.uint8), "mask"), (oval(64, 64), "mask")],
)
def test_masks_that_cannot_be_filled(mask: U8, field: str) -> None:
    with pytest.raises(MaskMismatchError) as error:
        fill(flat(), mask, seed=1, speed="balanced")
    assert error.value.field == field
    assert error.value.remedy


# --- reframe


@pytest.mark.parametrize("speed", get_args(Speed))
@pytest.mark.parametrize("size", [(384, 256), (256, 384), (512, 256), (384, 128)])
def test_the_picture_itself_stays(size: tuple[int, int], speed: Speed) -> None:
    image = grass()
    canvas, (x0, y0, x1, y1), scale = reframe(image, size, seed=1, speed=speed, notes=Notes())
    assert canvas.shape == (size[1], size[0], 3)
    assert scale == min(size[0] / N, size[1] / N)
    inside = image if scale == 1 else cv2.resize(image, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    assert np.array_equal(canvas[y0:y1, x0:x1], inside)


def test_reframe_gives_the_same_bytes_on_any_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    first = reframe(table(), (448, 256), seed=2, speed="balanced", notes=Notes())[0]
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    assert np.array_equal(reframe(table(), (448, 256), seed=2, speed="balanced", notes=Notes())[0], first)


@pytest.mark.parametrize("size", [(512, 256), (256, 512)])
@pytest.mark.parametrize("make", [flat, grass, ramp])
def test_no_seam_at_the_old_border(size: tuple[int, int], make: object) -> None:
    image = make()  # type: ignore[operator]
    canvas, (x0, y0, x1, y1), _ = reframe(image, size, seed=1, speed="balanced", notes=Notes())
    soft = cv2.GaussianBlur(canvas.astype(np.float32), (0, 0), 1.5).mean(2)
    step = np.abs(np.diff(soft, axis=1 if size[0] > size[1] else 0))
    borders = (x0 - 1, x1 - 1) if size[0] > size[1] else (y0 - 1, y1 - 1)
    lines = step if size[0] > size[1] else step.T
    inner = lines[:, borders[0] + 8 : borders[1] - 8].mean()
    for b in borders:
        assert lines[:, b].mean() < 1.5 * inner


def test_light_goes_on_beyond_the_border() -> None:
    """A fall-off continues in its direction and comes to rest; it neither jumps nor runs into black."""
    canvas, (x0, _, x1, _), _ = reframe(ramp(), (512, 256), seed=1, speed="balanced", notes=Notes())
    red = canvas[..., 0].astype(np.float32).mean(0)
    assert red[x1 + 20 :].mean() > red[x1 - 8 : x1].mean() + 2
    assert red[: x0 - 20].mean() < red[x0 : x0 + 8].mean() - 2
    assert red.min() > 20
    assert red.max() < 235


def test_a_horizon_stays_level() -> None:
    y, _ = grid()
    image = noisy(np.where((y > 150)[..., None], (120, 100, 60), (150, 180, 220)).astype(np.float32))
    canvas, _, _ = reframe(image, (512, 256), seed=1, speed="balanced", notes=Notes())
    blue = cv2.GaussianBlur(canvas.astype(np.float32), (0, 0), 1.0)[..., 2] > 140
    rows = blue.sum(0)
    assert np.abs(rows - 151).max() <= 4


def repeats(canvas: U8, box: tuple[int, int, int, int]) -> float:
    """Largest share of the new area that is a copy of the picture at one and the same offset."""
    x0, _, x1, _ = box
    grey = canvas.astype(np.float32).mean(2)
    grey -= cv2.GaussianBlur(grey, (0, 0), 6)
    best = 0.0
    for a, b in ((0, x0), (x1, canvas.shape[1])):
        new, old = grey[:, a:b], grey[:, x0:x1]
        for start in range(0, old.shape[1] - new.shape[1] + 1, 1):
            part = old[:, start : start + new.shape[1]]
            same = cv2.blur((np.abs(new - part) < 4).astype(np.float32), (9, 9)) > 0.95
            best = max(best, float(same.mean()))
    return best


def test_texture_is_not_repeated_wholesale() -> None:
    canvas, box, _ = reframe(grass(), (448, 256), seed=1, speed="balanced", notes=Notes())
    assert repeats(canvas, box) < 0.35


def test_people_are_never_copied() -> None:
    image, subject = grass(), np.zeros((N, N), np.float32)
    cv2.ellipse(subject, (128, 200), (50, 110), 0, 0, 360, 1.0, -1)
    image[subject > 0] = (255, 0, 255)
    canvas, (x0, _, x1, _), _ = reframe(image, (512, 256), seed=1, speed="balanced", notes=Notes(), subject=subject)
    new = np.concatenate([canvas[:, :x0], canvas[:, x1:]], 1).reshape(-1, 3).astype(int)
    assert (new[:, 1] > new[:, 0]).mean() > 0.99
    assert (new[:, 2] - new[:, 1]).max() < 60


def matte(*boxes: tuple[int, int, int, int]) -> F32:
    """Subject in boxes (x0, y0, x1, y1) of a 256 x 256 picture."""
    out = np.zeros((N, N), np.float32)
    for x0, y0, x1, y1 in boxes:
        out[y0:y1, x0:x1] = 1
    return out


def test_a_body_cut_off_below_stays_at_the_lower_border() -> None:
    where = place(N, N, (256, 512), matte((80, 60, 180, 256)), ())
    assert (where.x, where.y, where.scale) == (0, 256, 1)
    assert where.note == ""


def test_a_figure_that_is_not_cut_off_gets_room_on_both_sides() -> None:
    where = place(N, N, (256, 512), matte((80, 60, 180, 200)), ())
    assert 0 < where.y < 256


@pytest.mark.parametrize(("box", "x"), [((0, 60, 120, 200), 0), ((120, 60, 256, 200), 256)])
def test_a_body_cut_off_at_one_side_stays_there(box: tuple[int, int, int, int], x: int) -> None:
    assert place(N, N, (512, 256), matte(box), ()).x == x


def test_elbows_cut_off_at_both_sides_are_cropped_and_it_is_said() -> None:
    where = place(N, N, (384, 256), matte((80, 40, 180, 220), (0, 220, 256, 256)), ())
    assert where.scale > 1
    assert where.scale * 220 >= 256
    assert "cropped" in where.note


def test_cut_off_above_and_below_the_sides_are_cropped() -> None:
    where = place(N, N, (256, 384), matte((80, 0, 180, 256)), ())
    assert where.scale == pytest.approx(1.5)
    assert where.y == 0
    assert "cropped" in where.note


def test_a_sky_over_sand_goes_on_in_rows() -> None:
    y, x = grid(N, N)
    sky, sand = 200 - 0.3 * y, 90 + 0.2 * y
    rows = np.where(y < 150, sky, sand)
    rough = 12 * np.sin(x / 7) * np.sin(y / 5) * (y > 150)
    picture = noisy(np.stack([rows + rough, 0.9 * rows + rough, 0.8 * rows + rough], -1), 4.0)
    notes = Notes()
    out, (x0, _, x1, _), _ = reframe(picture, (512, N), seed=1, speed="balanced", notes=notes)
    beside = out.astype(np.float32).mean(2)[:, [*range(8, x0 - 8), *range(x1 + 8, 504)]]
    true = picture.astype(np.float32).mean((1, 2))
    assert np.abs(beside.mean(1) - true)[np.abs(y[:, 0] - 150) > 6].max() < 8
    # The sky is as grainy as it was, and as even.
    assert (
        0.75
        < grain(out, np.pad(np.ones((120, x0 - 16), bool), ((8, 128), (8, 520 - x0)))) / grain(picture, y < 120)
        < 1.3
    )


def test_grain_is_added_only_where_it_is_missing() -> None:
    picture = np.asarray(flat(sigma=6.0) / 255, np.float32)
    hole = oval() > 0
    bare = np.where(hole[..., None], cv2.GaussianBlur(picture, (0, 0), 9), picture).astype(np.float32)
    out = regrained(bare, hole, ~hole, 1)
    assert np.array_equal(out[~hole], bare[~hole])
    assert 0.8 < out[hole].std(0).mean() / picture[~hole].std(0).mean() < 1.2
    again = regrained(picture, hole, ~hole, 1)
    assert again[hole].std(0).mean() < 1.25 * picture[hole].std(0).mean()
    clean = np.full(picture.shape, 0.5, np.float32)
    assert np.array_equal(regrained(clean, hole, ~hole, 1), clean)


def test_what_somebody_holds_is_theirs() -> None:
    picture = noisy(np.full((N, N, 3), (60, 90, 70), np.float32))
    people = np.zeros((N, N), bool)
    people[60:, 60:140] = True
    picture[people] = (200, 60, 40)
    assert not held(picture, people).any()
    ball = np.zeros((N, N), np.uint8)
    cv2.circle(ball, (150, 256), 34, 1, -1)
    thing = (ball > 0) & ~people
    picture[thing] = (245, 245, 245)
    found = held(picture, people)
    assert found[thing].mean() > 0.98
    assert found.sum() < 2.2 * thing.sum()
    picture[200:] = np.where(people[200:, :, None], picture[200:], 245)  # a floor is no thing
    assert not held(picture, people).any()


def test_a_very_large_hole_keeps_its_detail() -> None:
    picture = np.tile(grass(), (4, 5, 1))
    mask = np.zeros(picture.shape[:2], np.uint8)
    mask[60:-60, 200:-200] = 255
    assert (mask > 0).sum() > 700_000
    picture_out = filled(picture, mask)
    assert 0.75 < grain(picture_out, mask > 0) / grain(picture, mask == 0) < 1.3
    inside, outside = picture_out[mask > 0].astype(np.float32), picture[mask == 0].astype(np.float32)
    assert np.abs(inside.mean(0) - outside.mean(0)).max() < 6
    assert 0.7 < inside.std(0).mean() / outside.std(0).mean() < 1.2
