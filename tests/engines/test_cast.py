"""Several characters in one picture: where they stand, that all keep their faces, and that they look taken together."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Job, Rendering
from portrayal.engines.studio.cast import _members
from portrayal.engines.studio.cast.arrange import order_of
from portrayal.engines.studio.cast.join import join
from portrayal.engines.studio.cast.match import _look, match
from portrayal.engines.studio.cast.member import Member
from portrayal.engines.studio.compose import body_of
from portrayal.engines.studio.engine import StudioEngine
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light.rigs import light_rig
from portrayal.engines.studio.types import Notes, Plate, Subject
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32
from portrayal.lock import measure, passes
from portrayal.perception.faces import read_face_near
from portrayal.perception.types import FACE, HAIR
from portrayal.prompting import read
from portrayal.settings import Settings
from portrayal.sizes import Size
from tests.unit.mascots import NAMES, draw

SIZES = [(1024, 1024), (1312, 736), (736, 1312), (1536, 512)]
PLACES = ["coffee shop", "beach at sunset", "neon street at night", "snowy forest", "Rembrandt lighting"]
ENGINE = StudioEngine()


@pytest.fixture(scope="session")
def people(sample: bytes, settings: Settings) -> dict[str, IdentityMap]:
    """The sample and three mascots, by the first letter of their names."""
    found = {"s": sample}
    for name in NAMES:
        out = io.BytesIO()
        Image.fromarray(draw(name)).save(out, "PNG")
        found[name[0]] = out.getvalue()
    return {key: study(data, cache_dir=settings.cache_dir) for key, data in found.items()}


@pytest.fixture(scope="session")
def everybody(people: dict[str, IdentityMap], portraits: list[Path], settings: Settings) -> dict[str, IdentityMap]:
    """With the portraits: 1 and 2 are the same man, 3 is another one."""
    more = {str(i + 1): study(path.read_bytes(), cache_dir=settings.cache_dir) for i, path in enumerate(portraits)}
    return {**people, **more}


def job(cast: list[IdentityMap], prompt: str, size: Size, seed: int = 1, **options: Any) -> Job:
    plan = read(prompt)
    members = tuple(read(words) for words in options.pop("members", [])) or (plan,) * len(cast)
    return Job("generate", plan, tuple(cast), seed, size=size, members=members, **{"speed": "turbo", **options})


def arranged(order: Job) -> list[Member]:
    assert order.size is not None
    return _members(order, order.size, Kept(), Notes())[1]


def on_canvas(member: Member, mask: F32, size: Size) -> F32:
    """A mask of the reference, where the member stands."""
    scale, (x, y) = member.spot.scale, member.spot.offset
    return cv2.warpAffine(mask, np.array([[scale, 0, x], [0, scale, y]]), size).astype(np.float32)


def covered(members: list[Member], member: Member, mask: F32, size: Size) -> float:
    """Share of a part of a member that somebody in front hides or the frame cuts off."""
    whole = float(mask.sum()) * member.spot.scale**2
    shown = on_canvas(member, mask, size)
    for other in members:
        if other.spot.depth < member.spot.depth:
            shown = shown * (1 - on_canvas(other, other.character.alpha, size))
    return 1 - float(shown.sum()) / whole


@pytest.mark.parametrize(
    ("places", "order"),
    [
        ((None, None), (0, 1)),
        (("right", None), (1, 0)),
        ((None, "left"), (1, 0)),
        (("right", "left"), (1, 0)),
        ((None, None, "centre"), (0, 2, 1)),
        (("centre", None, None), (1, 0, 2)),
        (("right", "centre", "left"), (2, 1, 0)),
        (("left", "left", None), (0, 1, 2)),
        (("right", "right", None), (2, 0, 1)),
        ((None, "right", None, "left"), (3, 0, 2, 1)),
        (("somewhere", None), (0, 1)),
    ],
)
def test_place_words_choose_the_order(places: tuple[str | None, ...], order: tuple[int, ...]) -> None:
    assert order_of(places) == order


def check_arrangement(members: list[Member], size: Size) -> None:
    """Side by side, every head in the picture and free, heads of people alike in size, no cut edge in the frame."""
    middles = []
    for member in members:
        character, body = member.character, body_of(member.character)
        if character.reading is None:
            middles.append(member.spot.offset[0] + member.spot.scale * (body.left + body.right) / 2)
            assert covered(members, member, character.alpha, size) < 0.45
            continue
        middles.append(member.spot.offset[0] + member.spot.scale * body.x)
        face = (character.regions == FACE).astype(np.float32)
        head = np.isin(character.regions, (FACE, HAIR)).astype(np.float32) * character.alpha
        head[int(character.reading.points[152, 1]) :] = 0
        assert covered(members, member, face, size) < 0.02
        assert covered(members, member, head, size) < 0.15
    assert middles == sorted(middles)
    units = [m.spot.unit for m in members if m.character.reading is not None]
    assert max(units, default=1.0) <= 1.08 * min(units, default=1.0)
    for member in members:
        body = body_of(member.character)
        bottom = member.spot.offset[1] + member.spot.scale * (body.bottom - 1)
        if body.cut_bottom and bottom < size[1] - 1:
            row = np.zeros_like(member.character.alpha)
            row[int(body.bottom) - 4 : int(body.bottom) - 1] = member.character.alpha[int(body.bottom) - 4]
            assert covered(members, member, row, size) > 0.9


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("who", ["ss", "sr", "bs", "csb", "sscr"])
def test_everybody_is_seen_at_the_size_of_life(who: str, size: Size, people: dict[str, IdentityMap]) -> None:
    for seed in range(4):
        check_arrangement(arranged(job([people[k] for k in who], "portrait", size, seed)), size)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("who", ["s1", "s3", "13", "s13", "s13r", "2s"])
def test_portraits_are_seen_at_the_size_of_life(who: str, size: Size, everybody: dict[str, IdentityMap]) -> None:
    for seed in range(3):
        check_arrangement(arranged(job([everybody[k] for k in who], "portrait", size, seed)), size)


@pytest.mark.parametrize("words", ["close-up", "medium shot", "full body", "dutch angle", "low angle"])
def test_framings_hold_the_group(words: str, people: dict[str, IdentityMap]) -> None:
    for seed in range(3):
        check_arrangement(arranged(job([people["s"], people["s"]], words, (1024, 1024), seed)), (1024, 1024))


def test_whole_mascots_stand_on_one_ground(people: dict[str, IdentityMap]) -> None:
    for size in SIZES:
        members = arranged(job([people["r"], people["c"], people["b"]], "portrait", size))
        feet = [m.spot.offset[1] + m.spot.scale * body_of(m.character).bottom for m in members]
        assert max(feet) - min(feet) < 0.05 * size[1]
        assert max(feet) < size[1]


def check_scores(rendering: Rendering, cast: list[IdentityMap], margin: float = 0.15) -> None:
    scores, _ = measure(rendering, cast, [str(i) for i in range(len(cast))])
    for score in scores:
        assert passes(score), score
        assert all(score.distance is not None and other - score.distance >= margin for other in score.others.values())


@pytest.mark.parametrize("mascot", ["r", "c", "b"])
@pytest.mark.parametrize("place", PLACES)
def test_a_person_and_a_mascot_are_both_themselves(place: str, mascot: str, people: dict[str, IdentityMap]) -> None:
    cast = [people["s"], people[mascot]]
    for size in ((512, 512), (736, 1312)):
        rendering = ENGINE.portray(job(cast, place, size, 5))
        assert rendering.faces[1] is None
        assert rendering.subjects[0] is None
        check_scores(rendering, cast)


@pytest.mark.parametrize("who", ["s1", "s3", "13", "s13r"])
@pytest.mark.parametrize(("place", "size"), list(zip(PLACES, [*SIZES, (512, 512)], strict=True)))
def test_everybody_is_nearest_to_the_own_reference(
    who: str, place: str, size: Size, everybody: dict[str, IdentityMap]
) -> None:
    cast = [everybody[k] for k in who]
    check_scores(ENGINE.portray(job(cast, place, size, 3)), cast)


def test_the_same_job_gives_the_same_bytes(people: dict[str, IdentityMap]) -> None:
    order = job([people["s"], people["r"], people["s"]], "library", (512, 512), speed="balanced")
    first = StudioEngine().portray(order)
    again = StudioEngine().portray(order)
    assert np.array_equal(first.image, again.image)
    assert first.faces == again.faces
    assert not np.array_equal(ENGINE.portray(replace(order, seed=2)).image, first.image)


def test_faces_and_plans_follow_the_order_of_the_cast(people: dict[str, IdentityMap]) -> None:
    """The one that is told to close the eyes stands at the right, and does so."""
    order = job(
        [people["s"], people["s"]],
        "grey backdrop",
        (1024, 640),
        members=["eyes closed, grey backdrop", "grey backdrop"],
        places=("right", "left"),
    )
    rendering = ENGINE.portray(order)
    closed, open_ = rendering.faces
    assert closed is not None
    assert open_ is not None
    assert closed[0] > open_[2]
    eyes = []
    for box in (closed, open_):
        reading = read_face_near(rendering.image, box)
        assert reading is not None
        eyes.append((reading.expression.eye_left + reading.expression.eye_right) / 2)
    assert eyes[0] < 0.14 < 0.2 < eyes[1]
    assert rendering.bars == (0.52, 0.40)


def test_each_wears_the_own_colour(people: dict[str, IdentityMap]) -> None:
    order = job(
        [people["s"], people["s"]],
        "white backdrop, softbox",
        (1024, 512),
        members=["green jacket", "blue jacket"],
    )
    image = ENGINE.portray(order).image.astype(np.float32)
    left, right = (
        image[400:, part].reshape(-1, 3)[np.ptp(image[400:, part].reshape(-1, 3), 1) > 60].mean(0)
        for part in (np.s_[330:440], np.s_[600:700])
    )
    assert left[1] > left[2], "the left one is green"
    assert right[2] > right[1], "the right one is blue"


def test_boxes_follow_a_tilted_camera(people: dict[str, IdentityMap]) -> None:
    cast = [people["s"], people["s"]]
    rendering = ENGINE.portray(job(cast, "dutch angle, library", (1312, 736), 4))
    for box in rendering.faces:
        assert box is not None
        reading = read_face_near(rendering.image, box)
        assert reading is not None
        middle = reading.points[:468, :2].mean(0)
        assert box[0] < middle[0] < box[2]
        assert box[1] < middle[1] < box[3]


def test_heads_turn_towards_each_other(people: dict[str, IdentityMap]) -> None:
    yaws = []
    for seed in range(12):
        members = arranged(job([people["s"], people["s"]], "portrait", (1024, 1024), seed))
        yaws.append([m.plan.head.yaw for m in members])
    left, right = np.array(yaws, np.float64).T
    assert left.mean() > 2 > -2 > right.mean()
    assert np.abs(np.array(yaws)).max() <= 14


def test_five_are_too_many(people: dict[str, IdentityMap]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        ENGINE.portray(job([people["s"]] * 5, "portrait", (512, 512)))
    assert caught.value.field == "reference"


def _subject(alpha: F32, tone: float) -> Subject:
    rgb = np.full((*alpha.shape, 3), tone, np.float32)
    normals = np.zeros_like(rgb)
    normals[..., 2] = 1
    flat = np.zeros(alpha.shape, np.float32)
    return Subject(rgb, alpha, np.zeros(alpha.shape, np.uint8), np.zeros((478, 3), np.float32), normals, flat, flat, 80)


def test_who_stands_in_front_shades_and_hides_who_stands_behind(people: dict[str, IdentityMap]) -> None:
    back, front = (np.zeros((200, 300), np.float32) for _ in range(2))
    back[40:, 40:200], front[60:, 150:260] = 1, 1
    template = arranged(job([people["s"], people["s"]], "portrait", (512, 512)))[0]
    members = [
        replace(template, x=0, y=0, width=300, height=200, spot=replace(template.spot, depth=depth, unit=80.0))
        for depth in (1, 0)
    ]
    plate = Plate(np.full((200, 300, 3), 0.5, np.float32), light_rig("softbox", None, 1))
    lit = [np.full((200, 300, 3), tone, np.float32) for tone in (0.4, 0.8)]
    image, seen = join(members, [_subject(back, 0.5), _subject(front, 0.8)], lit, plate, "balanced")
    assert np.array_equal(seen[1], front)
    assert seen[0][100, 180] == 0
    assert seen[0][100, 100] == 1
    assert image[150, 146, 0] < 0.85 * image[150, 60, 0], "shade beside the one in front"
    assert image[150, 60, 0] == pytest.approx(0.4, abs=0.02)
    assert image[150, 200, 0] == pytest.approx(0.8, abs=0.02), "who stands in front is not shaded"
    assert image[20, 20, 0] == pytest.approx(0.5, abs=0.02), "the scene is not shaded"


def test_an_unsharp_and_a_noisy_face_come_nearer_to_a_good_one(people: dict[str, IdentityMap]) -> None:
    from portrayal.engines.studio.cast import _subject as made
    from portrayal.engines.studio.clock import Clock

    order = job([people["s"], people["s"]], "portrait", (1024, 1024), speed="balanced")
    good = made(arranged(order)[0], order, Kept(), Clock())
    soft = replace(good, rgb=cv2.GaussianBlur(good.rgb, (0, 0), 1.6).astype(np.float32))
    noise = np.random.default_rng(3).normal(0, 0.03, good.alpha.shape)[..., None]
    noisy = replace(good, rgb=np.clip(good.rgb + noise, 0, 1).astype(np.float32))

    def looks(*subjects: Subject) -> Any:
        found = [_look(subject) for subject in subjects]
        assert all(found)
        return found

    before, after = looks(good, soft), looks(*match([good, soft], 1))
    assert before[0].sharp > 1.8 * before[1].sharp
    assert after[0].sharp / after[1].sharp < 0.8 * before[0].sharp / before[1].sharp
    before, after = looks(good, noisy), looks(*match([good, noisy], 1))
    assert before[1].noise > 4 * before[0].noise
    assert after[1].noise < 2 * after[0].noise
    same = match([good, good], 1)
    assert np.array_equal(same[0].rgb, good.rgb), "equals stay as they are"
