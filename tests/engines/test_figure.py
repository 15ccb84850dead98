"""A whole figure: its camera, its tracing, its shadow, and the person's own head on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.figure import ground, passing
from portrayal.engines.studio.figure.body import build
from portrayal.engines.studio.figure.camera import FRAMES, view_of
from portrayal.engines.studio.figure.occlusion import bake
from portrayal.engines.studio.figure.person import figure
from portrayal.engines.studio.figure.poses import poses
from portrayal.engines.studio.figure.rows import CAPE, CUT, GROUP
from portrayal.engines.studio.figure.trace import trace
from portrayal.engines.studio.figure.turned import mirrored, turned
from portrayal.engines.studio.figure.types import Body, Framing, Stance
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light import backdrop
from portrayal.engines.studio.light.finish import finish
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.types import KeyLight, Lighting, Notes, Subject, vector
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.perception import identity, mesh
from portrayal.prompting.reader import read
from portrayal.settings import Settings

SIZE = (384, 384)
SUIT = Outfit("suit", Cloth("#26324f", "wool"))
SWEATER = Outfit("sweater", Cloth("#7c2a30", "knit"))
SHIRT = Outfit("t-shirt", Cloth("#b02028", "jersey"))
ORDER: tuple[Framing, ...] = ("medium", "three-quarter", "full", "wide")


@pytest.fixture(scope="module")
def person(sample: bytes, settings: Settings) -> IdentityMap:
    return study(sample, cache_dir=settings.cache_dir)


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept()


def made(person: IdentityMap, kept: Kept, stance: Stance, size: tuple[int, int] = SIZE) -> tuple[Subject, ground.Drop]:
    subject, _, drop = figure(read("person in a studio"), person, stance, size, "balanced", 1, kept, Notes(), Clock())
    return subject, drop


def named(name: str, framing: Framing, size: tuple[int, int] = SIZE) -> tuple[Body, np.ndarray]:
    body = build(name, SWEATER, None, 1)
    view = view_of(body, Stance(name, framing, SWEATER), size)
    return body, view.project(np.array(list(body.joints.values())))


@pytest.mark.parametrize("size", [(384, 384), (270, 480), (480, 270), (600, 200)])
@pytest.mark.parametrize("name", sorted(poses()))
def test_full_and_wide_hold_every_joint(name: str, size: tuple[int, int]) -> None:
    for framing in ("full", "wide"):
        _, at = named(name, framing, size)
        assert (at >= 0).all()
        assert (at <= np.array(size)).all()


@pytest.mark.parametrize("name", sorted(poses()))
def test_closer_framings_hold_what_shows_the_pose(name: str) -> None:
    closest = ORDER.index(poses()[name].shows)
    for framing in ORDER[closest:]:
        body, at = named(name, framing)
        names = list(body.joints)
        for check in poses()[name].checks:
            joint = str(check[0])
            x, y = at[names.index(joint)]
            cut = FRAMES[framing].lowest
            if cut is None or float(body.joints[joint][1]) > float(body.head.centre[1]) - (160 - cut) + 3:
                assert -4 <= x <= SIZE[0] + 4, (framing, joint)
                assert -4 <= y <= SIZE[1] + 4, (framing, joint)


@pytest.mark.parametrize("framing", ORDER)
def test_head_lies_on_its_row(framing: Framing) -> None:
    body = build("standing", SUIT, None, 1)
    view = view_of(body, Stance("standing", framing, SUIT), SIZE)
    crown = view.project(body.head.centre + np.array([0, 13.5, 0]))[0, 1]
    assert abs(crown - FRAMES[framing].top * SIZE[1]) < 0.03 * SIZE[1]


def test_feet_touch_the_ground_row() -> None:
    body = build("standing", SUIT, None, 1)
    view = view_of(body, Stance("standing", "full", SUIT), SIZE)
    seen = trace(body.rows, view)
    lowest = seen.y0 + int(np.flatnonzero((seen.cover > 0.5).any(1))[-1])
    floor = view.horizon + view.focal * view.eye / (view.distance - float(body.joints["toe right"][2]))
    assert abs(lowest - floor) < 0.02 * SIZE[1]
    assert lowest > 0.9 * SIZE[1]
    # The point that a pixel shows lies on the ray of the pixel.
    y, x = (int(v) for v in np.argwhere(seen.cover == 1)[500])
    at = view.project(seen.point[y, x])[0]
    assert abs(at[0] - (seen.x0 + x + 0.5)) < 0.1
    assert abs(at[1] - (seen.y0 + y + 0.5)) < 0.1


@pytest.mark.parametrize("side", [-1, 1])
def test_shadow_falls_away_from_the_key(side: int) -> None:
    body = build("standing", SUIT, None, 1)
    view = view_of(body, Stance("standing", "full", SUIT), SIZE)
    ambient = np.zeros((9, 3), np.float32)
    ambient[0] = 1
    key = KeyLight(vector(side * 0.8, 0.9, 0.6), vector(1, 1, 1), shadow=1.0)
    ratio = ground.darkening(ground.Drop(bake(body.rows, body.head.centre), view), Lighting(ambient, (key,), fill=0.3))
    column = int(view.x / 2)
    rows = slice(int(0.80 * len(ratio)), int(0.97 * len(ratio)))
    lit, dark = ratio[rows, column:], ratio[rows, :column]
    if side < 0:
        lit, dark = dark, lit
    assert float(lit.mean()) - float(dark.mean()) > 0.03
    # Under the soles it is darkest, and the sky has no floor.
    sole = view.project(np.array([body.joints["ankle left"] * np.array([1, 0, 1])]))[0] / 2
    assert float(ratio[int(sole[1]), int(sole[0])]) < 0.5
    assert float(ratio[: int(view.horizon / 2)].min()) == 1


def test_rays_find_what_every_row_of_the_field_holds() -> None:
    """Tiles, blocks and long steps only save time: a trace of few rows at once has no holes."""
    body = build("standing", SWEATER, None, 1)
    view = view_of(body, Stance("standing", "full", SWEATER), (512, 512))
    seen = trace(body.rows, view)
    on = seen.cover >= 1
    filled = np.zeros_like(on)
    filled[1:-1, 1:-1] = on[:-2, 1:-1] & on[2:, 1:-1] & on[1:-1, :-2] & on[1:-1, 2:]
    assert (filled & ~on).sum() == 0
    towards = np.array([0, 0, 1], np.float32)
    assert ((seen.normal[on] @ towards) > -0.35).mean() > 0.999


def test_turning_and_mirroring() -> None:
    body = build("waving", SWEATER, None, 1)
    other = mirrored(body)
    assert other.yaw == pytest.approx(-body.yaw)
    assert other.joints["wrist left"] == pytest.approx(body.joints["wrist right"] * np.array([-1, 1, 1]), abs=1e-4)
    assert float(np.linalg.det(other.chest.axes)) == pytest.approx(1, abs=1e-4)
    back = mirrored(other)
    assert np.allclose(back.rows, body.rows, atol=1e-4)
    once = turned(body, 20)
    assert once.head.yaw == pytest.approx(body.head.yaw + 20)
    assert np.allclose(turned(once, -20).joints["hand left"], body.joints["hand left"], atol=1e-3)


def test_head_stands_on_the_body(person: IdentityMap, kept: Kept) -> None:
    for pose, framing in (("standing", "full"), ("walking", "three-quarter"), ("sitting on a chair", "full")):
        stance = Stance(pose, framing, SUIT, mirror=False)  # type: ignore[arg-type]
        subject, drop = made(person, kept, stance, (512, 512))
        assert subject.points is not None
        assert subject.own is not None
        assert subject.under is not None
        body = build(pose, SUIT, None, 1)
        chin = drop.view.project(body.head.chin)[0]
        assert float(np.hypot(*(subject.points[mesh.CHIN, :2] - chin))) < 0.06 * subject.face_height + 3
        tall = float(np.linalg.norm(subject.points[mesh.FOREHEAD] - subject.points[mesh.CHIN]))
        assert tall == pytest.approx(17.0 * drop.view.scale(float(body.head.centre[2]) + 4), rel=0.12)
        # Nothing of the photograph lies below the neck, and neck and head meet without a gap.
        below = int(chin[1] + 0.6 * subject.face_height)
        assert float(subject.own[below:].max()) < 0.05
        column = subject.alpha[int(chin[1]) : below, int(chin[0])]
        assert float(column.min()) > 0.9


def test_same_request_same_bytes(person: IdentityMap, kept: Kept) -> None:
    stance = Stance("walking", "full", SUIT)
    first, _ = made(person, kept, stance)
    second, _ = made(person, kept, stance)
    assert first.under is not None
    assert second.under is not None
    for a, b in ((first.rgb, second.rgb), (first.alpha, second.alpha), (first.under.albedo, second.under.albedo)):
        assert np.array_equal(a, b)


def test_it_is_the_person_in_the_clothes_that_were_named(person: IdentityMap, kept: Kept) -> None:
    stance = Stance("standing", "three-quarter", SHIRT)
    plan = read("person in a studio")
    subject, shot, drop = figure(plan, person, stance, (768, 768), "balanced", 1, kept, Notes(), Clock())
    plate = ground.shadowed(backdrop.studio_plate(replace(shot, light="softbox", backdrop="grey")), drop, _soft())
    lit = relight(subject, _soft())
    alpha = subject.alpha[..., None]
    image = finish(np.ascontiguousarray(lit * alpha + plate.radiance * (1 - alpha), np.float32))
    assert subject.points is not None
    assert person.embedding is not None
    seen = identity.embed(image, subject.points)
    assert identity.distance(seen, person.embedding) < 0.5
    # The chest is red, the bare arm is skin, the legs are neither.
    body = build("standing", SHIRT, None, 1)
    at = {name: drop.view.project(p)[0].astype(int) for name, p in body.joints.items()}
    x, y = at["chest"]
    red = image[y - 12 : y, x - 8 : x + 8].reshape(-1, 3).mean(0)
    assert red[0] > 1.8 * max(red[1], red[2])
    assert subject.under is not None
    arm = (0.5 * (at["elbow left"] + at["wrist left"])).astype(int)
    assert float(subject.under.skin[arm[1], arm[0]]) > 0.9


def _soft() -> Lighting:
    ambient = np.zeros((9, 3), np.float32)
    ambient[0] = 1
    return Lighting(ambient, (KeyLight(vector(-0.5, 0.6, 0.8), vector(1, 1, 1)),), fill=0.6)


def test_a_turned_lamp_shades_the_other_side(person: IdentityMap, kept: Kept) -> None:
    subject, _ = made(person, kept, Stance("standing", "three-quarter", SWEATER))
    under = subject.under
    assert under is not None
    assert under.shadow is not None
    left, right = (under.shadow(vector(x, 0.3, 0.3)) for x in (-1.0, 1.0))
    on = (under.cover > 0.9) & (under.normals[..., 2] > 0.2)
    columns = np.arange(SIZE[0])[None] + np.zeros(SIZE)[:, :1]
    middle = float(columns[on].mean())
    for shade, side in ((left, columns < middle), (right, columns > middle)):
        assert float(shade[on & side].mean()) > float(shade[on & ~side].mean()) + 0.1


def test_what_passes_is_known() -> None:
    table = passing.table()
    for cover in ("covered", "bare"):
        for framing, names in table[cover].items():
            assert framing in ORDER
            assert set(names) <= set(poses())
    assert passing.cover_of(SUIT) == "covered"
    assert passing.cover_of(SHIRT) == "bare"
    notes = Notes()
    near = Stance("arms crossed", "medium", SHIRT)
    far = passing.photographic(near, notes)
    assert ORDER.index(far.framing) > ORDER.index(near.framing)
    assert notes.warnings
    assert passing.photographic(Stance("standing", "full", SUIT), Notes()).framing == "full"


def test_rows_are_sorted_by_group() -> None:
    """The field needs it: a group ends where the next one begins."""
    body = build("flying", Outfit("superhero", Cloth("#1f45a8", "nylon")), None, 1)
    groups = body.rows[:, GROUP]
    assert (np.diff(groups) >= 0).all()
    assert (groups == CAPE).any()
    assert set(np.unique(body.rows[:, CUT])) <= {0.0, 1.0}
