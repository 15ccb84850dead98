"""The light on a person, measured in the pictures: where it is bright, what it does to skin, eyes and edges."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import portrayal.parallel
from portrayal.engines.studio.light import harmonics, rigs
from portrayal.engines.studio.light.backdrop import studio_plate
from portrayal.engines.studio.light.composite import composite
from portrayal.engines.studio.light.eyes import draw_catchlights
from portrayal.engines.studio.light.finish import finish
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.light.shape import shape
from portrayal.engines.studio.light.skin import lab, skin_weight
from portrayal.engines.studio.light.tone import luminance, tone, untone
from portrayal.engines.studio.types import Cutout, KeyLight, Lighting, Plate, RimLight, Shot, Speed, Subject, vector
from portrayal.imaging import F32, U8
from portrayal.perception import identity, mesh
from portrayal.perception.faces import read_faces
from portrayal.perception.foreground import foreground_colours
from portrayal.perception.matte import person_matte
from portrayal.perception.regions import parse_regions
from portrayal.perception.types import CLOTHING, SKIN

SIZE = 512
SPEEDS: tuple[Speed, ...] = ("turbo", "balanced", "quality")


def cut_out(image: U8, share: float = 0.32, width: int = SIZE, height: int = SIZE) -> Cutout:
    """The person of a picture on a canvas, with the face at `share` of its height."""
    image = np.asarray(image[: round(image.shape[1] * 1.15)])
    reading = read_faces(image, average=False)[0]
    alpha = person_matte(image, reading)
    colours = foreground_colours(image, alpha)
    regions = parse_regions(image, alpha, reading).labels
    low, high = reading.points[:468, :2].min(0), reading.points[:468, :2].max(0)
    scale = share * height / float(high[1] - low[1])
    tx, ty = (np.array([width * 0.5, height * 0.42]) - (low + high) / 2 * scale).tolist()
    ty = max(ty, height - image.shape[0] * scale)
    move = np.array([[scale, 0, tx], [0, scale, ty]], np.float32)
    size = (width, height)
    rgb = cv2.warpAffine(colours, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    matte = cv2.warpAffine(alpha, move, size, flags=cv2.INTER_LINEAR)
    labels = cv2.warpAffine(regions, move, size, flags=cv2.INTER_NEAREST)
    points = (reading.points * scale + np.array([tx, ty, 0])).astype(np.float32)
    return Cutout(
        np.asarray(rgb, np.float32) / np.float32(255),
        np.asarray(np.clip(matte, 0, 1), np.float32),
        np.asarray(labels, np.uint8),
        points,
    )


@pytest.fixture(scope="module")
def cutout() -> Cutout:
    data = Path(portrayal.parallel.__file__).parent / "data" / "sample" / "astronaut.png"
    return cut_out(np.asarray(Image.open(io.BytesIO(data.read_bytes())).convert("RGB")))


@pytest.fixture(scope="module")
def subject(cutout: Cutout) -> Subject:
    return shape(cutout, "balanced")


def key(x: float, y: float, z: float, fill: float = 0.15) -> Lighting:
    lamp = KeyLight(vector(x, y, z), vector(1, 1, 1), wrap=0.2, softness=0.15)
    return Lighting(harmonics.constant((1, 1, 1)), (lamp,), fill=fill)


def cheeks(subject: Subject, picture: F32) -> tuple[float, float]:
    """Mean luminance of the picture's left and right cheek."""
    assert subject.points is not None
    light = luminance(picture)
    found = []
    for vertex in (50, 280):
        x, y = subject.points[vertex, :2]
        r = 0.05 * subject.face_height
        found.append(float(light[int(y - r) : int(y + r), int(x - r) : int(x + r)].mean()))
    return found[0], found[1]


def skin_lab(subject: Subject, display: F32) -> F32:
    chosen = (subject.face > 0.6) & (skin_weight(subject) > 0.5)
    return np.asarray(lab(display[chosen]).mean(0), np.float32)


def picture(subject: Subject, light: str, colour: str = "grey", seed: int = 4, speed: Speed = "balanced") -> U8:
    height, width = subject.alpha.shape
    plate = studio_plate(Shot(width, height, light=light, backdrop=colour, seed=seed, speed=speed))
    return finish(composite(relight(subject, plate.lighting, speed), subject, plate, speed), plate.grade, seed=seed)


def test_light_of_one_returns_the_photograph(subject: Subject) -> None:
    back = finish(untone(subject.rgb), vignette=0, grain=0, glare=0).astype(np.float32) / 255
    solid = (subject.alpha > 0.9) & (subject.rgb.max(-1) < 0.93)
    difference = np.abs(back - subject.rgb)[solid] * 255
    assert difference.mean() < 0.5
    assert difference.max() < 2


def test_even_light_keeps_the_face(subject: Subject) -> None:
    even = Lighting(harmonics.constant((1, 1, 1)), level=1.0)
    shown = tone(relight(subject, even, "balanced"))
    assert skin_lab(subject, shown) == pytest.approx(skin_lab(subject, subject.rgb), abs=5)


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("side", [-1, 1])
def test_the_cheek_at_the_lamp_is_brighter(subject: Subject, side: int, speed: Speed) -> None:
    left, right = cheeks(subject, relight(subject, key(0.8 * side, 0.3, 0.5), speed))
    lit, dark = (left, right) if side < 0 else (right, left)
    assert lit > 1.35 * dark


def test_light_from_above_lights_the_forehead_and_from_below_the_chin(subject: Subject) -> None:
    assert subject.points is not None

    def ratio(lighting: Lighting) -> float:
        light = luminance(relight(subject, lighting, "balanced"))
        values = []
        for vertex in (151, 199):
            x, y = subject.points[vertex, :2].astype(int) if subject.points is not None else (0, 0)
            values.append(float(light[y - 4 : y + 5, x - 4 : x + 5].mean()))
        return values[0] / values[1]

    assert ratio(key(0, 0.9, 0.5)) > 1.5 * ratio(key(0, -0.7, 0.6))


def test_the_nose_and_the_chin_cast_shadows_only_when_asked(subject: Subject) -> None:
    assert subject.points is not None
    plain, cast = key(-0.6, 0.6, 0.55), key(-0.6, 0.6, 0.55)
    plain = replace(plain, keys=(replace(plain.keys[0], shadow=0.0),))
    chin = subject.points[mesh.CHIN, 1]
    rows, columns = np.mgrid[: subject.alpha.shape[0], : subject.alpha.shape[1]]
    under = (subject.regions == SKIN) & (rows > chin + 4)
    left = subject.points[50, :2].astype(int)
    lit = (np.abs(rows - left[1]) < 6) & (np.abs(columns - left[0]) < 6)
    # The key stands at the upper left: shadows fall to the right of the middle of the face.
    before, after = (luminance(relight(subject, lighting, "balanced")) for lighting in (plain, cast))
    fallen = (after / after[lit].mean() < 0.8 * before / before[lit].mean()) & (subject.face > 0.6)
    assert 0.02 < fallen.sum() / (subject.face > 0.6).sum() < 0.5
    assert columns[fallen].mean() > subject.points[4, 0] + 0.05 * subject.face_height
    photo, above = luminance(untone(subject.rgb)), luminance(relight(subject, key(0, 0.85, 0.5), "balanced"))
    assert above[under].mean() / above[lit].mean() < 0.7 * photo[under].mean() / photo[lit].mean()


@pytest.mark.parametrize("light", rigs.lights())
def test_skin_keeps_its_colour_within_the_bound_of_the_rig(subject: Subject, light: str) -> None:
    lighting = rigs.light_rig(light, None, 3)
    shown, own = skin_lab(subject, tone(relight(subject, lighting, "balanced"))), skin_lab(subject, subject.rgb)
    assert np.hypot(*(shown - own)[1:]) < lighting.skin_shift + 3
    assert 22 < shown[0] < 82


def test_rigs_are_all_different_and_level_differs_as_named(subject: Subject) -> None:
    shown = {light: tone(relight(subject, rigs.light_rig(light, None, 3), "turbo")) for light in rigs.lights()}
    lightness = {light: float(skin_lab(subject, image)[0]) for light, image in shown.items()}
    for bright, dark in itertools.product(("softbox", "high key", "beauty"), ("Rembrandt", "split", "low key", "rim")):
        assert lightness[bright] > lightness[dark] + 5, (bright, dark)
    assert lightness["high key"] >= lightness["softbox"]
    inside = subject.alpha > 0.9
    for a, b in itertools.combinations(shown, 2):
        assert np.abs(shown[a] - shown[b])[inside].mean() * 255 > 1.2, (a, b)


def test_dark_skin_stays_dark_and_light_skin_does_not_burn(cutout: Cutout) -> None:
    for factor, low, high in ((0.22, 18, 52), (1.6, 48, 82)):
        skin = np.isin(cutout.regions, (1, 3))[..., None]
        changed = np.where(skin, tone(untone(cutout.rgb) * np.float32(factor)), cutout.rgb)
        subject = shape(replace(cutout, rgb=np.asarray(changed, np.float32)), "turbo")
        own = skin_lab(subject, subject.rgb)[0]
        for light in ("softbox", "Rembrandt", "hard sun"):
            shown = tone(relight(subject, rigs.light_rig(light, None, 2), "turbo"))
            lightness = skin_lab(subject, shown)[0]
            assert low < lightness < high, (light, factor)
            assert lightness < own + 4
            assert np.percentile(luminance(shown)[subject.face > 0.6], 95) < 0.95
            if factor < 1:
                assert lightness > own - 14, "dark skin keeps its detail in low light"


def test_coloured_light_tints_eyes_and_teeth_less_than_skin(subject: Subject) -> None:
    assert subject.points is not None
    red = replace(key(0, 0.3, 0.9, fill=0.1), skin_shift=60.0)
    red = replace(red, keys=(replace(red.keys[0], colour=vector(1, 0.3, 0.15)),))
    white = replace(red, keys=(replace(red.keys[0], colour=vector(1, 1, 1)),))
    a, b = (relight(subject, lighting, "turbo") for lighting in (red, white))
    gain = a / np.maximum(b, 1e-3)
    redness = gain[..., 0] / np.maximum(gain[..., 2], 1e-3)
    mouth = np.zeros(subject.alpha.shape, np.uint8)
    cv2.fillPoly(mouth, [subject.points[list(mesh.MOUTH), :2].astype(np.int32)], 1)
    inside = cv2.erode(mouth, np.ones((3, 3), np.uint8)) > 0
    skin = (subject.face > 0.6) & (skin_weight(subject) > 0.8)
    assert np.median(redness[inside]) < 0.8 * np.median(redness[skin])


@pytest.mark.parametrize("side", [-1, 1])
def test_catchlights_stand_at_the_clock_position_of_the_key(subject: Subject, side: int) -> None:
    assert subject.points is not None
    grey = np.full_like(subject.rgb, 0.1)
    drawn = grey.copy()
    draw_catchlights(drawn, subject, key(0.5 * side, 0.4, 0.8))
    added = (drawn - grey).sum(-1)
    for iris in (mesh.IRIS_LEFT, mesh.IRIS_RIGHT):
        centre = subject.points[iris][0, :2]
        radius = float(np.linalg.norm(subject.points[iris][1:, :2] - centre, axis=1).mean())
        x0, y0 = (centre - 1.4 * radius).astype(int)
        patch = added[y0 : y0 + int(2.8 * radius), x0 : x0 + int(2.8 * radius)]
        assert patch.max() > 0.3
        y, x = np.unravel_index(patch.argmax(), patch.shape)
        assert (x + x0 - centre[0]) * side > 0
        assert y + y0 < centre[1]
    far = added.copy()
    x, y = subject.points[468:, :2].mean(0).astype(int)
    far[y - 30 : y + 30, x - 60 : x + 60] = 0
    assert not far.any()


def test_light_from_behind_draws_the_outline_on_its_side(subject: Subject) -> None:
    base = Lighting(harmonics.constant((1, 1, 1)), level=0.5)
    rim = replace(base, rims=(RimLight(vector(1, 0.3, -0.6), vector(1, 1, 1), 3.0, 0.0),))
    gain = luminance(relight(subject, rim, "balanced")) - luminance(relight(subject, base, "balanced"))
    middle = int(subject.points[:, 0].mean()) if subject.points is not None else 0
    solid = subject.alpha > 0.5
    assert gain[:, middle:][solid[:, middle:]].mean() > 4 * max(gain[:, :middle][solid[:, :middle]].mean(), 1e-4)
    inner = cv2.erode(solid.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=int(0.2 * subject.face_height))
    assert abs(gain[inner > 0]).mean() < 0.01


def test_the_neck_lies_behind_the_jaw_and_the_nose_in_front(subject: Subject) -> None:
    assert subject.points is not None
    scale = subject.height.shape[0] / subject.alpha.shape[0]

    def height(vertex: int, down: float = 0.0) -> float:
        assert subject.points is not None
        x, y = (float(v) for v in subject.points[vertex, :2])
        row, column = int((y + down * subject.face_height) * scale), int(x * scale)
        return float(subject.height[row, column] / scale)

    tall = subject.face_height
    assert height(mesh.CHIN, -0.05) > height(mesh.CHIN, 0.15) + 0.05 * tall
    assert height(4) > height(50) + 0.08 * tall
    assert np.allclose(np.linalg.norm(subject.normals, axis=-1), 1, atol=1e-3)
    left, right = (
        subject.normals[:, s][subject.alpha[:, s] > 0.9][:, 0].mean() for s in (slice(0, 200), slice(312, 512))
    )
    assert left < -0.05 < 0.05 < right


def test_a_subject_without_a_face_is_inflated_and_lit() -> None:
    y, x = np.mgrid[:300, :420].astype(np.float32)
    alpha = np.clip(90 - np.hypot(x - 210, y - 150), 0, 1).astype(np.float32)
    ball = Cutout(np.full((300, 420, 3), 0.5, np.float32), alpha, (alpha > 0.5).astype(np.uint8) * CLOTHING, None)
    subject = shape(ball)
    light = luminance(relight(subject, key(-0.8, 0.2, 0.5), "balanced"))
    assert light[150, 150] > 1.5 * light[150, 270]
    assert light[150, 210] == pytest.approx(light[150, 210], rel=0.1)
    assert not relight(replace(subject, alpha=np.zeros_like(alpha)), key(0, 0, 1), "turbo").any()


def test_composition_keeps_the_plate_away_from_the_person(subject: Subject) -> None:
    plate = studio_plate(Shot(SIZE, SIZE, light="softbox", backdrop="teal", seed=3))
    out = composite(relight(subject, plate.lighting, "turbo"), subject, replace(plate, wall=9.0), "turbo")
    far = cv2.dilate((subject.alpha > 0).astype(np.uint8), np.ones((3, 3)), iterations=int(0.75 * subject.face_height))
    assert np.allclose(out[far == 0], plate.radiance[far == 0], rtol=2e-3)
    person = relight(subject, plate.lighting, "turbo")
    inner = cv2.erode(
        (subject.alpha > 0.999).astype(np.uint8), np.ones((3, 3)), iterations=int(0.15 * subject.face_height)
    )
    assert np.abs(out - person)[inner > 0].mean() < 0.003


def test_no_light_fringe_before_black_and_no_dark_fringe_before_white(subject: Subject) -> None:
    """Across the outline the picture goes from the person to the plate without leaving their range."""
    flat = replace(subject, rgb=np.full_like(subject.rgb, 0.5))
    lighting = Lighting(harmonics.constant((1, 1, 1)), level=1.0)
    lit = relight(flat, lighting, "turbo")
    level = float(np.median(luminance(lit)[subject.alpha > 0.99]))
    for value in (0.003, 3.0):
        plate = Plate(np.full_like(subject.rgb, value), lighting)
        out = luminance(composite(lit, flat, plate, "turbo"))
        assert out.min() > 0.85 * min(value, level * 0.8)
        assert out.max() < max(value, level * 1.35) * 1.1


def test_particles_and_haze_lie_over_the_person(subject: Subject) -> None:
    lighting = Lighting(harmonics.constant((1, 1, 1)))
    lit = relight(subject, lighting, "turbo")
    front = np.zeros((SIZE, SIZE, 4), np.float32)
    front[200:210, 250:260] = (2, 2, 2, 1)
    plate = Plate(np.full_like(subject.rgb, 0.2), lighting, foreground=front, haze=(0.6, 0.6, 0.6, 0.3))
    out = composite(lit, subject, plate, "turbo")
    assert np.allclose(out[202:208, 252:258], 2, atol=1e-3)
    plain = composite(lit, subject, replace(plate, foreground=None, haze=(0, 0, 0, 0)), "turbo")
    dark = (subject.alpha > 0.99) & (luminance(plain) < 0.1) & (front[..., 3] == 0)
    assert (luminance(out)[dark] > luminance(plain)[dark] + 0.1).all()


def test_a_hard_rig_throws_the_shadow_on_the_wall_away_from_the_key(subject: Subject) -> None:
    plate = studio_plate(Shot(SIZE, SIZE, light="hard sun", backdrop="light grey", seed=3))
    lit = relight(subject, plate.lighting, "turbo")
    near, far = (composite(lit, subject, replace(plate, wall=w), "turbo") for w in (1.2, 9.0))
    drop = luminance(near) / np.maximum(luminance(far), 1e-3)
    clear = cv2.dilate(subject.alpha, np.ones((3, 3)), iterations=12) < 0.002
    columns = np.where(clear, 1 - drop, 0).sum(0)
    middle = int(subject.points[:, 0].mean()) if subject.points is not None else 0
    to_left, to_right = float(columns[:middle].sum()), float(columns[middle:].sum())
    assert (to_right - to_left) * plate.lighting.keys[0].direction[0] < 0


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_bands(
    subject: Subject, cutout: Cutout, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = picture(subject, "fashion", "red")
    assert np.array_equal(picture(subject, "fashion", "red"), first)
    assert not np.array_equal(picture(subject, "fashion", "red", seed=5), first)
    for count in (1, 3):
        monkeypatch.setattr(portrayal.parallel, "cores", lambda count=count: count)
        again = shape(cutout, "balanced")
        assert np.array_equal(again.normals, subject.normals)
        assert np.array_equal(picture(again, "fashion", "red"), first)


@pytest.mark.parametrize(("width", "height"), [(768, 256), (256, 768), (640, 384)])
def test_any_ratio_of_the_canvas(cutout: Cutout, width: int, height: int) -> None:
    scale = min(width, height) / SIZE
    move = np.array([[scale, 0, width / 2 - SIZE * scale / 2], [0, scale, height - SIZE * scale]], np.float32)
    size = (width, height)
    assert cutout.points is not None
    points = cutout.points * np.float32(scale) + np.array([move[0, 2], move[1, 2], 0], np.float32)
    placed = Cutout(
        np.asarray(cv2.warpAffine(cutout.rgb, move, size, borderMode=cv2.BORDER_REPLICATE), np.float32),
        np.asarray(cv2.warpAffine(cutout.alpha, move, size), np.float32),
        np.asarray(cv2.warpAffine(cutout.regions, move, size, flags=cv2.INTER_NEAREST), np.uint8),
        points,
    )
    subject = shape(placed, "balanced")
    left, right = cheeks(subject, relight(subject, key(-0.8, 0.3, 0.5), "balanced"))
    assert left > 1.35 * right
    assert picture(subject, "loop").shape == (height, width, 3)


def test_portraits_of_men_keep_their_skin(portraits: list[Path]) -> None:
    for path in portraits:
        if path.stem not in ("person-a-1", "person-b-1"):
            continue
        image = Image.open(path).convert("RGB")
        image.thumbnail((900, 900))
        subject = shape(cut_out(np.asarray(image)), "turbo")
        own = skin_lab(subject, subject.rgb)
        for light in ("softbox", "Rembrandt", "window"):
            shown = skin_lab(subject, tone(relight(subject, rigs.light_rig(light, None, 2), "turbo")))
            assert np.hypot(*(shown - own)[1:]) < 11, (path.stem, light)
            assert 28 < shown[0] < 78


def test_hard_light_does_not_make_another_person(subject: Subject) -> None:
    assert subject.points is not None
    own = identity.embed((subject.rgb * 255 + 0.5).astype(np.uint8), subject.points)
    for light, most in (
        ("softbox", 0.27),
        ("Rembrandt", 0.36),
        ("spotlight", 0.36),
        ("hard sun", 0.36),
        ("neon", 0.36),
    ):
        shown = picture(subject, light, "grey")
        reading = read_faces(shown, average=False)[0]
        assert identity.distance(own, identity.embed(shown, reading.points)) < most, light
