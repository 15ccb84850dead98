"""Words in pictures: where they stand, that no face is touched, that they can be read, how a sign hangs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from portrayal.engines.studio.tilt import roll_matrix
from portrayal.engines.studio.types import Notes, Shot
from portrayal.engines.studio.words import boards, overlay, signs
from portrayal.engines.studio.words.hanging import SMALLEST, hang
from portrayal.engines.studio.words.room import Room, grown
from portrayal.imaging import F32, U8
from portrayal.lettering import contrast
from portrayal.prompting.plan import ScenePlan
from tests.engines.words import SEED, Scene, scene

SIGNS = [
    'a shop sign "BAKERY"',
    'a pink neon sign "Cocktails"',
    'a chalkboard "Soup of the day"',
    'a sign "Wir öffnen um 9"',
]
OVER = [
    'title "NIGHT RUN"',
    'she says "You came back, my friend!"',
    'caption "Summer 2026"',
    'poster "Only today" and "Bye"',
]


@pytest.fixture(scope="module")
def park(sample: bytes) -> Scene:
    return scene(sample, "portrait of a woman in a park", (512, 512))


@pytest.fixture(scope="module")
def studio(sample: bytes) -> Scene:
    return scene(sample, "studio portrait of a woman, grey background", (512, 512))


def changed(a: U8, b: U8) -> F32:
    return np.asarray(np.abs(a.astype(np.float32) - b.astype(np.float32)).max(axis=2), np.float32)


@pytest.mark.parametrize("prompt", SIGNS)
def test_a_sign_hangs_beside_the_person_inside_of_the_frame(prompt: str, park: Scene) -> None:
    plan = park.with_words(prompt)[3]
    faces = signs.face_boxes(park.subject)
    spots = hang(plan, (512, 512), faces, park.subject.alpha, park.shot, SEED)
    assert len(spots) == 1
    x0, y0, x1, y1 = spots[0].box
    assert min(x0, y0) > 8
    assert max(x1, y1) < 504
    inside = park.subject.alpha[round(y0) : round(y1), round(x0) : round(x1)]
    assert inside.max() < 0.2, "nobody stands before the sign"
    assert spots[0].block.letter >= SMALLEST * 512 - 0.01


@pytest.mark.parametrize("prompt", SIGNS)
def test_the_near_edge_of_a_sign_is_taller(prompt: str, park: Scene) -> None:
    plan = park.with_words(prompt)[3]
    spot = hang(plan, (512, 512), signs.face_boxes(park.subject), park.subject.alpha, park.shot, SEED)[0]
    corners = spot.corners
    left, right = corners[3, 1] - corners[0, 1], corners[2, 1] - corners[1, 1]
    assert 10 <= abs(spot.turn) <= 25
    near, far = (left, right) if spot.turn > 0 else (right, left)
    assert near > 1.03 * far
    assert (spot.turn > 0) == ((corners[:, 0].mean()) < 256), "the outer edge is the nearer one"


@pytest.mark.parametrize("prompt", SIGNS + OVER)
def test_letters_contrast_in_the_finished_picture(prompt: str, park: Scene) -> None:
    image, placed, notes, plan = park.with_words(prompt)
    assert not notes.warnings
    spots = hang(plan, (512, 512), signs.face_boxes(park.subject), park.subject.alpha, park.shot, SEED)
    for spot in spots:
        assert contrast.measured(image, signs.letters_of(spot, (512, 512)), 3) >= 4.5
    for text, (x0, y0, x1, y1) in placed:
        assert text in plan.lettering
        part = contrast.luminance(np.ascontiguousarray(image[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]))
        low, high = np.quantile(part, (0.02, 0.98))
        assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize("prompt", SIGNS + OVER)
def test_no_face_is_touched(prompt: str, park: Scene) -> None:
    without = park.with_words("nothing quoted")[0]
    image, placed, _, _ = park.with_words(prompt)
    x0, y0, x1, y1 = (round(v) for v in grown(signs.face_boxes(park.subject)[0], 0.06))
    difference = changed(image, without)
    assert difference.max() > 60
    # The glare of a lamp may reach a face; letters and balloons may not.
    assert difference[y0:y1, x0:x1].max() < 26
    assert len(placed) == len(park.with_words(prompt)[3].lettering)


def test_words_of_a_held_sign_and_on_clothes_are_not_set_over_the_picture(park: Scene) -> None:
    plan = park.plan.model_copy(update={"lettering": ("HELP", "COOL"), "lettering_as": ("held", "thing")})
    image, notes = np.full((512, 512, 3), 90, np.uint8), Notes()
    out = overlay.lettered(image, plan, (), None, None, SEED, notes, held=True)
    assert (out == image).all()
    assert notes.warnings == ["not portrayed: the lettering 'COOL' on a thing or on clothes"]


def test_a_sign_without_room_becomes_a_label_and_says_so(park: Scene) -> None:
    plan = park.plan.model_copy(update={"lettering": ("Holiday",), "lettering_as": ("sign",)})
    people = np.zeros((512, 512), np.float32)
    people[:, 40:472] = 1
    notes = Notes()
    face = (180.0, 60.0, 330.0, 260.0)
    placed: list[tuple[str, tuple[float, float, float, float]]] = []
    image = np.full((512, 512, 3), 90, np.uint8)
    overlay.lettered(image, plan, [face], people, None, SEED, notes, shot=Shot(512, 512), placed=placed)
    assert placed[0][1][1] > 400
    assert "label" in notes.warnings[0]


def test_what_has_no_room_at_all_is_said(park: Scene) -> None:
    plan = park.plan.model_copy(update={"lettering": ("Hello",), "lettering_as": ("title",)})
    image, notes = np.full((256, 256, 3), 90, np.uint8), Notes()
    out = overlay.lettered(image, plan, [(2.0, 2.0, 254.0, 254.0)], None, None, SEED, notes)
    assert (out == image).all()
    assert "no room" in notes.warnings[0]


def test_missing_characters_are_warned_of(park: Scene) -> None:
    plan = park.plan.model_copy(update={"lettering": ("Hi \U0010fffd",), "lettering_as": ("title",)})
    notes = Notes()
    overlay.lettered(np.full((512, 512, 3), 90, np.uint8), plan, (), None, None, SEED, notes)
    assert any("no installed font" in warning for warning in notes.warnings)


def test_a_sign_follows_the_light_of_its_scene(park: Scene, studio: Scene) -> None:
    """The same white board is brighter by day than in a dim studio's shade, and takes the colour of the light."""
    plan = park.plan.model_copy(update={"prompt": "", "lettering": ("OPEN",), "lettering_as": ("sign",)})
    from dataclasses import replace

    lights = []
    for colour in ((1.0, 0.7, 0.4), (0.4, 0.7, 1.0)):
        key = (
            replace(park.plate.lighting.keys[0], colour=np.array(colour, np.float32) * 3)
            if park.plate.lighting.keys
            else None
        )
        keys = (key,) if key else ()
        ambient = park.plate.lighting.ambient * np.array(colour, np.float32)
        plate = replace(park.plate, lighting=replace(park.plate.lighting, keys=keys, ambient=ambient))
        made = signs.signed(plate, park.subject, plan, park.shot, SEED, Notes()).radiance
        spot = hang(plan, (512, 512), signs.face_boxes(park.subject), park.subject.alpha, park.shot, SEED)[0]
        x0, y0, x1, y1 = (round(v) for v in spot.box)
        lights.append(made[y0:y1, x0:x1].mean(axis=(0, 1)))
    assert lights[0][0] / lights[0][2] > 1.4 * lights[1][0] / lights[1][2]


def test_neon_shines_on_what_is_around(studio: Scene) -> None:
    plan = studio.plan.model_copy(update={"prompt": "red neon", "lettering": ("BAR",), "lettering_as": ("neon",)})
    made = signs.signed(studio.plate, studio.subject, plan, studio.shot, SEED, Notes()).radiance
    spot = hang(plan, (512, 512), signs.face_boxes(studio.subject), studio.subject.alpha, studio.shot, SEED)[0]
    x0, y0, x1, y1 = (round(v) for v in spot.box)
    below = np.s_[min(511, y1 + 4) : min(512, y1 + 12), x0:x1]
    gained = (made - studio.plate.radiance)[below].mean(axis=(0, 1))
    assert gained[0] > gained[1]
    assert made[y0:y1, x0:x1].max() > 1.2


def test_wall_writing_is_paint_on_the_studios_wall(studio: Scene) -> None:
    image, _, notes, plan = studio.with_words('graffiti on the wall "HELLO"')
    assert not notes.warnings
    spot = hang(plan, (512, 512), signs.face_boxes(studio.subject), studio.subject.alpha, studio.shot, SEED)[0]
    without = studio.with_words("nothing quoted")[0]
    letters = signs.letters_of(spot, (512, 512))
    around = (cv2.dilate(letters, np.ones((9, 9), np.uint8)) < 0.01).astype(bool)
    x0, y0, x1, y1 = (round(v) for v in spot.box)
    inside = np.zeros_like(around)
    inside[y0:y1, x0:x1] = True
    assert np.median(changed(image, without)[inside & around]) < 3, "no board"


def test_the_same_words_give_the_same_bytes(park: Scene) -> None:
    prompt = 'a sign "OPEN", title "NIGHT", she says "Hi there"'
    assert park.with_words(prompt)[0].tobytes() == park.with_words(prompt)[0].tobytes()


@pytest.mark.parametrize("look", ["comic", "oil painting", "travel poster", "children's book", "pencil sketch", None])
def test_every_row_of_titles_is_used(look: str | None) -> None:
    found = overlay.dress(look)
    assert len(found.inks) == 2
    assert contrast.ratio(*found.label) >= 4.5
    assert contrast.ratio(found.inks[0], found.inks[1]) >= 4.5


def test_every_board_can_be_made_and_read() -> None:
    from portrayal.lettering import typeset

    table = boards.table()
    found = set()
    for name, entry in table["board"].items():
        for seed in range(12):
            prompt = next(iter(entry["words"]), "") if entry.get("words") else ""
            kind = "wall" if name == "brush" else "sign"
            board = boards.board(prompt, kind, seed)
            found.add(board.name)
        ink, paper = (float(np.array(c) @ (0.2126, 0.7152, 0.0722)) for c in (board.ink, board.paper))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 4.5
    assert found == set(table["board"])
    for colour in table["neon"]:
        board = boards.board(f"{colour} neon sign", "neon", 1)
        assert board.name == colour
        face = boards.made(board, typeset("OK", role=board.role, size=40), 1)
        assert face.emission is not None
        assert face.emission.max() > 1.0


def test_a_room_finds_the_free_place() -> None:
    people = np.zeros((300, 400), np.float32)
    people[:, 150:] = 1
    room = Room((400, 300), [(200.0, 40.0, 300.0, 160.0)], people)

    def middle(x: F32, y: F32) -> F32:
        return np.asarray(np.abs(y - 150), np.float32)

    found: Callable[..., object] = room.best
    assert found((200, 60), middle, np.inf) is None
    best = room.best((100, 60), middle, np.inf)
    assert best is not None
    assert best[1][2] < 150


@pytest.mark.parametrize("degrees", [-12.0, 12.0])
def test_a_turned_camera_cuts_no_sign_off(degrees: float, park: Scene) -> None:
    plan = park.with_words('a sign "PICNIC"')[3]
    matrix = roll_matrix((512, 512), degrees)
    faces = signs.face_boxes(park.subject)
    spots = hang(plan, (512, 512), faces, park.subject.alpha, park.shot, SEED, matrix)
    for spot in spots:
        seen = np.column_stack([spot.corners, np.ones(4)]) @ matrix.T
        assert seen.min() > 4
        assert seen.max() < 508


def test_a_plan_without_words_changes_nothing(park: Scene) -> None:
    image, plan = np.zeros((64, 64, 3), np.uint8), ScenePlan(prompt="a park")
    assert overlay.lettered(image, plan, (), None, None, 1, Notes()) is image
    assert signs.signed(park.plate, park.subject, plan, park.shot, 1, Notes()) is park.plate
