"""People without their background and before another one, measured against true mattes and in the pictures."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from portrayal import imaging
from portrayal.engines.studio import background
from portrayal.engines.studio.background import CutPicture, before, cut
from portrayal.engines.studio.background import plate as plate_module
from portrayal.engines.studio.background.fringe import without_spill
from portrayal.engines.studio.light.skin import lab
from portrayal.engines.studio.types import Notes, Speed
from portrayal.errors import MaskMismatchError, NoSubjectError
from portrayal.imaging import F32, U8
from portrayal.perception import identity, pockets
from portrayal.perception.faces import read_face_near
from portrayal.perception.types import FACE, HAIR
from portrayal.prompting import read
from tests.unit import mascots

SPEEDS: tuple[Speed, ...] = ("turbo", "balanced", "quality")
EMPTY = read("")
Render = Callable[[U8], U8]


@pytest.fixture(scope="module")
def photo(sample: bytes) -> U8:
    return imaging.decode(sample)


@pytest.fixture(scope="module")
def person(photo: U8) -> CutPicture:
    return background.cut_out(photo, speed="balanced", notes=Notes())


def over(rgb: U8, alpha: F32 | U8, ground: U8 | tuple[int, int, int]) -> U8:
    weight = alpha.astype(np.float32) / (255 if alpha.dtype == np.uint8 else 1)
    mixed = rgb * weight[..., None] + np.asarray(ground, np.float32) * (1 - weight[..., None])
    return np.asarray(mixed + 0.5, np.uint8)


def wall(height: int, width: int, left: tuple[int, int, int], right: tuple[int, int, int]) -> U8:
    """A soft background that changes from left to right, with some texture."""
    t = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    plain = np.array(left, np.float32) * (1 - t) + np.array(right, np.float32) * t
    noise = np.random.default_rng(5).normal(0, 2, (height, width, 1))
    return np.clip(plain + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def pair(photo: U8, person: CutPicture) -> tuple[U8, F32]:
    """The sample person twice, one of them mirrored and smaller, on a blue wall; and the true matte."""
    rows = person.alpha.shape[0]
    ground = wall(rows, 900, (60, 90, 140), (110, 140, 180))
    whole = np.zeros((rows, 900), np.float32)
    image = ground
    small = np.array([[-0.8, 0, 890], [0, 0.8, 0.2 * rows]], np.float32)
    for move in (small, np.array([[1, 0, 0], [0, 1, 0]], np.float32)):
        rgb = cv2.warpAffine(person.foreground, move, (900, rows), flags=cv2.INTER_AREA)
        alpha = cv2.warpAffine(person.alpha, move, (900, rows), flags=cv2.INTER_LINEAR)
        image = over(np.asarray(rgb, np.uint8), np.asarray(alpha, np.float32), image)
        whole = np.maximum(whole, alpha)
    return image, whole


@pytest.mark.parametrize("ground", mascots.GROUNDS)
@pytest.mark.parametrize("name", mascots.NAMES)
def test_a_mascot_is_cut_out_as_it_was_drawn(name: mascots.Mascot, ground: mascots.Ground) -> None:
    truth = mascots.layer(name, 512)[1]
    notes = Notes()
    _, alpha = background.remove_background(mascots.draw(name, 512, ground), speed="balanced", notes=notes)
    assert np.abs(alpha / 255 - truth).mean() < 0.0025
    assert notes.warnings == [cut.FACELESS]


@pytest.mark.parametrize("ground", ["white", "grey", "floor", "dots"])
def test_the_gap_behind_the_arm_of_the_cactus_is_open(ground: mascots.Ground) -> None:
    _, alpha = background.remove_background(mascots.draw("cactus", 512, ground), speed="balanced", notes=Notes())
    truth = mascots.layer("cactus", 512)[1]
    gap = np.s_[190:270, 168:190]
    assert (truth[gap] < 0.01).sum() > 150
    assert alpha[gap][truth[gap] < 0.01].mean() < 25


def ring(inner: tuple[int, int, int], thick: int, thing: bool = False) -> tuple[U8, F32]:
    """A body with a handle whose hole shows `inner`, on white; `thing` puts something into the hole."""
    image = np.full((400, 400, 3), 255, np.uint8)
    cv2.rectangle(image, (120, 100), (260, 340), (180, 60, 40), -1)
    cv2.circle(image, (262, 200), 38 + thick, (180, 60, 40), -1)
    cv2.circle(image, (262, 200), 38, inner, -1)
    if thing:
        cv2.circle(image, (282, 200), 9, (20, 20, 30), -1)
    cv2.rectangle(image, (120, 100), (255, 340), (180, 60, 40), -1)
    alpha = (image.min(2) < 250).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.7), np.uint8), np.asarray(alpha, np.float32)


def test_the_hole_of_a_handle_is_background() -> None:
    image, truth = ring((255, 255, 255), 16)
    _, alpha = background.remove_background(image, speed="balanced", notes=Notes())
    assert truth[200, 280] == 0
    assert alpha[200, 280] < 10
    assert np.abs(alpha / 255 - truth).mean() < 0.006


def test_a_patch_of_another_colour_an_eye_and_a_drawn_line_are_no_holes() -> None:
    for inner, thick, thing in (((255, 225, 190), 16, False), ((255, 255, 255), 16, True), ((255, 255, 255), 3, False)):
        image, _ = ring(inner, thick, thing)
        _, alpha = background.remove_background(image, speed="balanced", notes=Notes())
        assert alpha[200, 268] > 200, (inner, thick, thing)


def test_white_on_white_stays() -> None:
    image = mascots.draw("bird", 512, "white")
    _, alpha = background.remove_background(image, speed="balanced", notes=Notes())
    assert alpha[330, 256] == 255  # the belly
    assert alpha[200, 200] == 255  # the white of an eye
    gaps = pockets.pockets(image, mascots.layer("bird", 512)[1])
    assert gaps is None or not gaps[:350, 150:360].any()


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_person_before_a_known_background(person: CutPicture, speed: Speed) -> None:
    rows, columns = person.alpha.shape
    image = over(person.foreground, person.alpha, wall(rows, columns, (70, 110, 160), (120, 150, 190)))
    found = background.cut_out(image, speed=speed, notes=Notes())
    assert np.abs(found.alpha - person.alpha).mean() < 0.012
    solid = person.alpha[:330] > 0.99  # below, the nets lose the white rim of the helmet
    assert (found.alpha[:330][solid] > 0.5).mean() > 0.997  # no holes in clothes
    assert (found.alpha[person.alpha < 0.01] < 0.05).mean() > 0.985


def test_no_light_of_the_old_background_is_left(person: CutPicture) -> None:
    rows, columns = person.alpha.shape
    ground = np.full((rows, columns, 3), (20, 220, 60), np.uint8)
    image = over(person.foreground, person.alpha, ground)
    rgb, alpha = background.remove_background(image, speed="balanced", notes=Notes())
    shown = over(rgb, alpha, (128, 128, 128)).astype(np.float32)
    edge = (alpha > 25) & (alpha < 230)
    greener = shown[..., 1] - shown[..., [0, 2]].max(-1)
    assert edge.sum() > 500
    assert greener[edge].mean() < 6
    assert (greener[edge] > 25).mean() < 0.03


def test_cleaning_the_edge_leaves_the_inside_alone(person: CutPicture, photo: U8) -> None:
    clean = without_spill(photo, person.alpha)
    inside = cv2.erode(person.alpha, np.ones((9, 9), np.uint8)) > 0.999
    assert np.array_equal(clean[inside], photo[inside])


def test_over_two_backgrounds_it_differs_only_where_it_is_transparent(photo: U8) -> None:
    rgb, alpha = background.remove_background(photo, speed="balanced", notes=Notes())
    assert rgb.shape == photo.shape
    assert rgb.dtype == alpha.dtype == np.uint8
    black, white = over(rgb, alpha, (0, 0, 0)), over(rgb, alpha, (255, 255, 255))
    differs = (black != white).any(2)
    assert not differs[alpha == 255].any()
    assert differs[alpha < 250].all()
    inside = cv2.erode(alpha, np.ones((7, 7), np.uint8)) == 255
    assert inside.sum() > 100_000
    assert np.abs(rgb[inside].astype(int) - photo[inside]).max() <= 2


def test_two_people_are_kept_with_a_face_each(pair: tuple[U8, F32]) -> None:
    image, truth = pair
    found = background.cut_out(image, speed="balanced", notes=Notes())
    assert len(found.readings) == 2
    assert np.abs(found.alpha - truth).mean() < 0.03
    for i, reading in enumerate(found.readings):
        x, y = np.round(reading.points[4, :2]).astype(int)
        assert found.alpha[y, x] == 1
        assert found.regions[y, x] == FACE
        assert found.owners[y, x] == i
        assert (found.regions[found.owners == i] == HAIR).sum() > 500


def test_a_mask_chooses_one_of_two(pair: tuple[U8, F32]) -> None:
    image, _ = pair
    everybody = background.cut_out(image, speed="balanced", notes=Notes()).readings
    for reading in everybody:
        mask = np.zeros(image.shape[:2], np.uint8)
        x, y = np.round(reading.pose.origin[:2]).astype(int)
        cv2.circle(mask, (int(x), int(y)), int(reading.pose.scale), (255,), -1)
        found = background.cut_out(image, speed="balanced", notes=Notes(), mask=mask)
        assert len(found.readings) == 1
        assert found.alpha[y, x] == 1
        other = next(r for r in everybody if r is not reading).pose.origin
        assert found.alpha[int(other[1]), int(other[0])] == 0


def test_a_mask_of_a_thing_cuts_the_thing() -> None:
    image = np.full((300, 400, 3), (200, 205, 190), np.uint8)
    cv2.circle(image, (120, 150), 60, (160, 40, 60), -1)
    cv2.rectangle(image, (260, 90), (350, 210), (40, 70, 160), -1)
    mask = np.zeros((300, 400), np.uint8)
    cv2.circle(mask, (120, 150), 61, (255,), -1)
    found = background.cut_out(image, speed="balanced", notes=Notes(), mask=mask)
    assert found.alpha[150, 120] == 1
    assert found.alpha[150, 300] == 0


def test_what_cannot_be_cut_says_why(photo: U8) -> None:
    flat = np.full((128, 128, 3), 90, np.uint8)
    with pytest.raises(NoSubjectError, match="image"):
        background.remove_background(flat, speed="balanced", notes=Notes())
    with pytest.raises(MaskMismatchError, match="px"):
        background.cut_out(photo, speed="balanced", notes=Notes(), mask=np.full((100, 100), 255, np.uint8))
    with pytest.raises(MaskMismatchError, match="nothing"):
        background.cut_out(photo, speed="balanced", notes=Notes(), mask=np.zeros((512, 512), np.uint8))


def test_small_pictures_work() -> None:
    _, alpha = background.remove_background(mascots.draw("robot", 64), speed="balanced", notes=Notes())
    assert alpha.shape == (64, 64)
    assert np.abs(alpha / 255 - mascots.layer("robot", 64)[1]).mean() < 0.03


def test_a_large_picture_is_cut_as_sharply_as_it_is(photo: U8, person: CutPicture) -> None:
    large = np.asarray(cv2.resize(photo, (2400, 2400), interpolation=cv2.INTER_CUBIC), np.uint8)
    wide = np.asarray(cv2.copyMakeBorder(large, 0, 0, 0, 600, cv2.BORDER_REPLICATE), np.uint8)
    found = background.cut_out(wide, speed="balanced", notes=Notes())
    expected = cv2.resize(person.alpha, (2400, 2400), interpolation=cv2.INTER_LINEAR)
    head = np.s_[:900, :2400]
    assert np.abs(found.alpha[head] - expected[head]).mean() < 0.012
    assert found.readings[0].pose.scale == pytest.approx(person.readings[0].pose.scale * 2400 / 512, rel=0.03)


def moved_face(before_: U8, after: U8, person: CutPicture) -> float:
    """Distance of the face in two pictures of the same framing."""
    points = person.readings[0].points
    found = read_face_near(after, person.readings[0])
    assert found is not None
    return float(identity.distance(identity.embed(before_, points, mirror=True), identity.embed(after, found.points)))


def cheeks(image: U8, person: CutPicture) -> tuple[float, float]:
    """Mean luma of the picture-left and the picture-right cheek."""
    size = float(np.ptp(person.readings[0].points[:468, 1]))
    r = max(2, round(0.05 * size))
    found = []
    for vertex in (50, 280):
        x, y = np.round(person.readings[0].points[vertex, :2]).astype(int)
        found.append(float(image[y - r : y + r + 1, x - r : x + r + 1].mean()))
    return found[0], found[1]


@pytest.fixture(scope="module")
def rendered(photo: U8, person: CutPicture) -> Render:
    def render(ground: U8) -> U8:
        return background.replace_background(
            photo, ground, plan=EMPTY, seed=1, speed="balanced", notes=Notes(), cut=person
        )

    return render


PROMPTS = ("a studio portrait", "in an office", "in a forest", "on a beach", "in a neon city street at night")


@pytest.mark.parametrize("prompt", PROMPTS)
def test_before_the_scene_of_a_prompt_it_is_the_same_person(photo: U8, person: CutPicture, prompt: str) -> None:
    plan = read(prompt)
    plate = background.plate_for(photo, person, plan, seed=3, speed="balanced", notes=Notes())
    image = background.replace_background(photo, plate, plan=plan, seed=3, speed="balanced", notes=Notes(), cut=person)
    assert image.shape == photo.shape
    assert moved_face(photo, image, person) < 0.25
    ground = person.alpha < 0.01
    assert np.abs(image[ground].astype(int) - photo[ground]).mean() > 15


def test_the_light_comes_from_where_the_background_is_bright(person: CutPicture, rendered: Render) -> None:
    left = rendered(wall(512, 512, (250, 245, 235), (25, 25, 30)))
    right = rendered(wall(512, 512, (25, 25, 30), (250, 245, 235)))
    (a, b), (c, d) = cheeks(left, person), cheeks(right, person)
    assert a / b > 1.08 * c / d


def test_the_colour_of_the_light_follows_the_background(person: CutPicture, rendered: Render) -> None:
    warm, cold = (
        rendered(wall(512, 512, (250, 190, 110), (170, 120, 100))),
        rendered(wall(512, 512, (110, 170, 250), (100, 110, 170))),
    )
    skin = (person.regions == FACE) & (person.alpha > 0.99)
    a, b = (lab(image[skin].astype(np.float32) / np.float32(255)).mean(0) for image in (warm, cold))
    assert a[2] - b[2] > 3
    assert np.abs(a[1:] - b[1:]).max() < 40


def test_a_dark_background_darkens_and_the_person_stays_seen(person: CutPicture, rendered: Render) -> None:
    bright, dark = (
        rendered(wall(512, 512, (225, 225, 225), (200, 200, 200))),
        rendered(wall(512, 512, (22, 22, 28), (12, 12, 16))),
    )
    skin = (person.regions == FACE) & (person.alpha > 0.99)
    assert dark[skin].mean() < 0.95 * bright[skin].mean()
    assert dark[skin].mean() > 50


def test_where_nobody_stands_a_background_picture_keeps_its_pixels(person: CutPicture, rendered: Render) -> None:
    ground = wall(512, 512, (255, 255, 255), (90, 120, 60))
    image = rendered(ground)
    far = cv2.dilate(person.alpha, np.ones((9, 9), np.uint8)) < 0.001
    assert far.sum() > 50_000
    difference = np.abs(image[far].astype(int) - ground[far])
    assert difference.mean() < 0.3
    assert np.percentile(difference, 99.9) <= 3


def test_a_background_picture_is_cropped_and_not_stretched(person: CutPicture, rendered: Render) -> None:
    wide = np.full((300, 900, 3), (90, 110, 140), np.uint8)
    wide[:, :300], wide[:, 600:] = (220, 40, 40), (40, 200, 60)
    image = rendered(wide).astype(int)
    far = cv2.dilate(person.alpha, np.ones((31, 31), np.uint8)) < 0.001
    assert far.sum() > 5000
    assert (image[far][:, 0] < 150).all()  # neither end is seen
    assert (image[far][:, 2] > 100).all()


def test_no_fringe_of_the_old_background_on_the_new_one(person: CutPicture) -> None:
    rows, columns = person.alpha.shape
    image = over(person.foreground, person.alpha, np.full((rows, columns, 3), (235, 240, 250), np.uint8))
    own = background.cut_out(image, speed="balanced", notes=Notes())
    dark = np.full((rows, columns, 3), (18, 18, 22), np.uint8)
    shown = (
        background.replace_background(image, dark, plan=EMPTY, seed=1, speed="balanced", notes=Notes(), cut=own)
        .astype(np.float32)
        .mean(2)
    )
    hair = cv2.dilate((own.regions == HAIR).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    edge = (own.alpha > 0.1) & (own.alpha < 0.7) & hair
    inside = (own.regions == HAIR) & (own.alpha > 0.99)
    assert edge.sum() > 100
    assert shown[edge].mean() < shown[inside].mean()


def test_grey_stays_grey(photo: U8, person: CutPicture, rendered: Render) -> None:
    ground = np.repeat(photo[::-1].mean(2).astype(np.uint8)[..., None], 3, 2)
    assert np.ptp(rendered(ground).astype(int), axis=2).max() <= 6
    grey = np.repeat(photo.mean(2).astype(np.uint8)[..., None], 3, 2)
    notes = Notes()
    plate = background.plate_for(grey, person, read("on a beach"), seed=1, speed="turbo", notes=notes)
    image = background.replace_background(grey, plate, plan=EMPTY, seed=1, speed="turbo", notes=notes)
    assert before.GREY in notes.warnings
    assert np.ptp(image.astype(int), axis=2).max() <= 6


def test_people_in_the_background_picture_are_told(photo: U8, person: CutPicture) -> None:
    notes = Notes()
    crowd = np.ascontiguousarray(photo[:, ::-1])
    background.replace_background(photo, crowd, plan=EMPTY, seed=1, speed="turbo", notes=notes, cut=person)
    assert notes.warnings == [plate_module.CROWDED]


@pytest.mark.parametrize("paper", [(255, 255, 255), (128, 128, 128), (0, 0, 0), (225, 205, 180), (90, 140, 220)])
def test_plain_paper_takes_no_colour_from_the_person(
    person: CutPicture, rendered: Render, paper: tuple[int, int, int]
) -> None:
    image = rendered(np.full((512, 512, 3), paper, np.uint8))
    skin = (person.regions == FACE) & (person.alpha > 0.99)
    assert np.ptp(image[skin].astype(int), axis=1).mean() > 40


def test_the_plate_gets_the_grain_of_the_picture(photo: U8, person: CutPicture) -> None:
    plate = background.plate_for(photo, person, EMPTY, seed=2, speed="turbo", notes=Notes())
    noisy = np.clip(photo + np.random.default_rng(2).normal(0, 9, (512, 512, 1)), 0, 255).astype(np.uint8)

    def noise(image: U8) -> float:
        fine = image.astype(np.float32).mean(2)
        return float((fine - cv2.GaussianBlur(fine, (0, 0), 2))[person.alpha < 0.001].std())

    calm, grained = (
        noise(background.replace_background(x, plate, plan=EMPTY, seed=2, speed="turbo", notes=Notes(), cut=person))
        for x in (photo, noisy)
    )
    assert grained > calm + 3


def test_the_camera_of_the_scene_is_that_of_the_picture(photo: U8, person: CutPicture) -> None:
    rng = [np.random.default_rng(1) for _ in range(3)]
    near = plate_module.shot_of(photo, person, EMPTY, rng[0], "balanced")
    padded = np.asarray(cv2.copyMakeBorder(photo, 700, 0, 500, 500, cv2.BORDER_REPLICATE), np.uint8)
    far_away = background.cut_out(padded, speed="balanced", notes=Notes())
    far = plate_module.shot_of(padded, far_away, EMPTY, rng[1], "balanced")
    assert far.fov > near.fov
    assert far.focus > near.focus
    assert far.aperture < near.aperture
    assert far.horizon > near.horizon  # the eyes are lower in the frame
    assert (far.width, far.height) == (1512, 1212)
    low = plate_module.shot_of(photo, person, read("low angle in a forest"), rng[2], "balanced")
    assert low.horizon > 0.6


def test_large_pictures_get_the_same_light(photo: U8, person: CutPicture, monkeypatch: pytest.MonkeyPatch) -> None:
    ground = wall(512, 512, (240, 220, 200), (40, 45, 60))

    def render() -> U8:
        return background.replace_background(
            photo, ground, plan=EMPTY, seed=1, speed="balanced", notes=Notes(), cut=person
        )

    whole = render().astype(int)
    monkeypatch.setitem(before._LIT, "balanced", 256)
    reduced = render().astype(int)
    solid = cv2.erode(person.alpha, np.ones((5, 5), np.uint8)) > 0.99
    assert np.abs(whole - reduced)[solid].mean() < 3


@pytest.mark.parametrize("name", mascots.NAMES)
def test_a_mascot_stands_before_another_background(name: mascots.Mascot) -> None:
    image = mascots.draw(name, 256, "gradient")
    ground = wall(256, 256, (200, 180, 150), (150, 120, 90))
    out = background.replace_background(image, ground, plan=EMPTY, seed=1, speed="balanced", notes=Notes())
    truth = mascots.layer(name, 256)[1]
    # Its colours stay in their order: the same picture, in another light.
    a, b = (x[truth > 0.99].astype(np.float32).ravel() for x in (image, out))
    assert np.corrcoef(a, b)[0, 1] > 0.9


def test_two_people_are_lit_without_a_seam(pair: tuple[U8, F32]) -> None:
    image, _ = pair
    found = background.cut_out(image, speed="balanced", notes=Notes())
    ground = wall(image.shape[0], image.shape[1], (240, 220, 190), (50, 60, 80))
    out = (
        background.replace_background(image, ground, plan=EMPTY, seed=1, speed="balanced", notes=Notes(), cut=found)
        .astype(np.float32)
        .mean(2)
    )
    old = image.astype(np.float32).mean(2)
    ratio = np.log((out + 8) / (old + 8))
    border = (found.owners[:, 1:] != found.owners[:, :-1]) & (found.alpha[:, 1:] > 0.99) & (found.alpha[:, :-1] > 0.99)
    step = np.abs(ratio[:, 1:] - ratio[:, :-1])
    solid = (found.alpha[:, 1:] > 0.99) & (found.alpha[:, :-1] > 0.99)
    assert border.sum() > 20
    assert np.median(step[border]) < 2.5 * np.median(step[solid]) + 0.01


def test_the_same_call_gives_the_same_bytes(photo: U8) -> None:
    plan = read("in a forest")

    def run() -> U8:
        found = background.cut_out(photo, speed="turbo", notes=Notes())
        plate = background.plate_for(photo, found, plan, seed=9, speed="turbo", notes=Notes())
        return background.replace_background(photo, plate, plan=plan, seed=9, speed="turbo", notes=Notes(), cut=found)

    assert np.array_equal(run(), run())
