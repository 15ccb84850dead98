"""Whole pictures, from request to PNG, judged by what can be measured in them."""

from __future__ import annotations

import io
import itertools
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from portrayal.character import study
from portrayal.engines.base import Job
from portrayal.engines.studio.body import complete
from portrayal.engines.studio.compose import body_of, compose
from portrayal.engines.studio.engine import StudioEngine
from portrayal.engines.studio.types import Notes
from portrayal.finish import provenance
from portrayal.imaging import U8, decode
from portrayal.perception import identity
from portrayal.perception.faces import read_faces
from portrayal.pipeline import portray
from portrayal.prompting import read
from portrayal.request import Request
from portrayal.result import Picture
from portrayal.settings import Settings
from portrayal.sizes import ALLOWED, Size

Make = Callable[..., list[Picture]]


@pytest.fixture(scope="session")
def make(sample: bytes, settings: Settings) -> Make:
    def run(prompt: str, **options: Any) -> list[Picture]:
        values = {"size": (512, 512), "speed": "turbo", "seed": 7, "reference": sample, **options}
        return list(portray(Request.make(prompt=prompt, **values), settings=settings).pictures)

    return run


def _distance(sample: bytes, picture: Picture) -> float:
    """From the file's own pixels, with nothing of the engine."""
    descriptors = []
    for data in (sample, picture.data):
        image = decode(data)
        descriptors.append(identity.embed(image, read_faces(image, average=True)[0].points))
    return identity.distance(descriptors[0], descriptors[1])


PLACES = ["coffee shop", "beach at sunset", "neon street at night", "snowy forest", "Rembrandt lighting", "office"]


@pytest.mark.parametrize("place", PLACES)
def test_it_is_the_same_person_everywhere(place: str, make: Make, sample: bytes) -> None:
    picture = make(f"portrait, {place}", speed="balanced")[0]
    assert picture.proof.same_person
    assert picture.proof.distance is not None
    assert picture.proof.distance <= 0.40
    assert _distance(sample, picture) == pytest.approx(picture.proof.distance, abs=0.08)


def test_the_same_request_gives_the_same_bytes_and_another_seed_another_picture(sample: bytes) -> None:
    def png(seed: int) -> bytes:
        request = Request.make(
            prompt="smiling, in a library", reference=sample, size=(512, 512), speed="balanced", seed=seed
        )
        plan = read(request.prompt)
        job = Job("generate", plan, (study(sample, use_cache=False),), seed, request.speed, request.size)
        rendering = StudioEngine().portray(job)
        return rendering.image.tobytes()

    first = png(3)
    assert png(3) == first
    assert png(4) != first


def test_eight_pictures_are_eight_compositions(make: Make) -> None:
    pictures = make("portrait in a park", num_images=8)
    images = [decode(p.data) for p in pictures]
    assert [p.seed for p in pictures] == list(range(7, 15))
    boxes = [read_faces(image, average=False)[0].points[:468, :2] for image in images]
    for a, b in itertools.combinations(range(8), 2):
        small = [cv2.resize(images[i], (64, 64), interpolation=cv2.INTER_AREA).astype(float) for i in (a, b)]
        assert np.abs(small[0] - small[1]).mean() > 4
        moved = np.abs(boxes[a].mean(0) - boxes[b].mean(0)).max()
        grown = abs(np.ptp(boxes[a][:, 1]) - np.ptp(boxes[b][:, 1]))
        assert moved + grown > 1.5, "two pictures hold the face at the same place in the same size"


@pytest.mark.parametrize("yaw", [-25, -15, 15, 25])
def test_the_head_turns_as_far_as_asked(yaw: int, make: Make) -> None:
    side = "left" if yaw < 0 else "right"
    picture = make(f"head turned {abs(yaw)} degrees {side}, grey backdrop", size=(1024, 1024))[0]
    assert picture.facts["requested_yaw"] == yaw
    measured = read_faces(decode(picture.data), average=True)[0].pose.yaw
    assert measured == pytest.approx(yaw, abs=6)
    assert picture.proof.distance is not None
    assert picture.proof.distance <= (0.52 if abs(yaw) > 20 else 0.40)


@pytest.mark.parametrize("words", ["closed mouth smile", "laughing", "eyes closed", "surprised"])
def test_the_face_shows_what_was_asked(words: str, make: Make) -> None:
    calm = read_faces(decode(make("portrait, grey backdrop", size=(1024, 1024))[0].data), average=True)[0].expression
    picture = make(f"{words}, grey backdrop", size=(1024, 1024))[0]
    seen = read_faces(decode(picture.data), average=True)[0].expression
    eyes = (seen.eye_left + seen.eye_right) / 2
    holds = {
        "closed mouth smile": seen.mouth_open < 0.10 and seen.smile > 0.4,
        "laughing": seen.mouth_open > max(0.22, calm.mouth_open + 0.03),
        "eyes closed": eyes < 0.14,
        "surprised": seen.mouth_open > 0.25 and seen.brow_left + seen.brow_right > calm.brow_left + calm.brow_right,
    }
    assert holds[words], seen
    assert picture.proof.same_person


def test_the_old_background_is_gone(make: Make, sample: bytes) -> None:
    picture = make("portrait, emerald backdrop", speed="balanced")[0]
    corner = decode(picture.data)[:60, :60].reshape(-1, 3).mean(0)
    assert corner[1] > corner[0] + 10, "an emerald backdrop is green"
    assert corner[1] > corner[2]


def test_provenance_is_in_the_file_and_can_be_left_out(sample: bytes, settings: Settings) -> None:
    request = Request.make(prompt="portrait", reference=sample, size=(512, 512), speed="turbo", seed=9)
    picture = portray(request, settings=settings).pictures[0]
    found = provenance(picture.data)
    assert found is not None
    assert found["seed"] == 9
    assert found["request"]["prompt"] == "portrait"
    assert found["identity"]["distance"] == picture.proof.distance
    bare = portray(request, settings=settings.model_copy(update={"metadata": False})).pictures[0]
    assert provenance(bare.data) is None
    assert np.array_equal(decode(bare.data), decode(picture.data))


PROMPTS = tomllib.loads((Path(__file__).parents[1] / "data" / "prompts.toml").read_text())["prompt"]


@pytest.mark.parametrize("entry", PROMPTS, ids=lambda e: e["text"][:40])
def test_every_prompt_of_the_list_runs_and_says_what_is_missing(entry: dict[str, Any], make: Make) -> None:
    picture = make(entry["text"])[0]
    assert decode(picture.data).shape == (512, 512, 3)
    told = " ".join(picture.warnings).lower()
    for ask in entry["asks"]:
        kind, _, value = ask.partition(":")
        if kind == "warn":
            assert value in told
        if kind == "lettering":
            assert value.lower() not in told, "every word of the list finds room"


@pytest.mark.parametrize("index", range(3))
def test_a_mascot_keeps_its_looks_in_five_scenes(index: int, settings: Settings) -> None:
    from PIL import Image

    from tests.unit.mascots import MASCOTS

    out = io.BytesIO()
    Image.fromarray(MASCOTS[index]()).save(out, "PNG")
    for place in ("beach", "library", "forest", "stage", "grey backdrop"):
        request = Request.make(prompt=f"in a {place}", reference=out.getvalue(), size=(512, 512), speed="turbo", seed=2)
        picture = portray(request, settings=settings).pictures[0]
        assert picture.proof.kind == "appearance"
        assert picture.proof.distance is None
        assert picture.proof.same_person, (place, picture.proof.score)


@pytest.mark.parametrize("size", sorted(ALLOWED), ids=lambda s: f"{s[0]}x{s[1]}")
def test_no_cut_edge_of_the_body_is_ever_in_the_frame(size: Size, sample: bytes, settings: Settings) -> None:
    """By table over every size: the frame hides the places where the reference ends."""
    character = study(sample, use_cache=True, cache_dir=settings.cache_dir)
    for seed in range(3):
        for words in ("portrait", "close-up", "full body"):
            notes = Notes()
            c = compose(read(words), character, size, "turbo", seed, 0, notes)
            body = body_of(complete(character) if c.completed else character)
            (tx, ty), (width, height) = c.offset, size
            assert (body.bottom - 1) * c.scale + ty >= height
            if body.cut_left_from * c.scale + ty < height:
                assert tx <= 0
            if body.cut_right_from * c.scale + ty < height:
                assert tx + (body.width - 1) * c.scale >= width
            assert 0.15 * width < body.x * c.scale + tx < 0.85 * width
            assert 0.1 * height < body.y * c.scale + ty < 0.8 * height


def test_a_framing_that_the_reference_does_not_show_is_told(make: Make) -> None:
    # A kimono's hem is not convincing in a photograph of the whole figure: a portrait is made.
    assert any("framing 'full'" in w for w in make("full body photo in a kimono, in a park")[0].warnings)
    assert not any("framing" in w for w in make("full body portrait in a park")[0].warnings)


def _person_width(image: U8) -> float:
    return float(np.ptp(read_faces(image, average=False)[0].points[:468, 0]))


def test_framings_differ(make: Make) -> None:
    close, far = (decode(make(f"{f}, park")[0].data) for f in ("close-up", "bust portrait"))
    assert _person_width(close) > 1.4 * _person_width(far)


def test_clothes_change_colour_unless_the_mask_holds_them(make: Make, sample: bytes) -> None:
    from PIL import Image

    def chest(picture: Picture) -> np.ndarray[Any, Any]:
        image = decode(picture.data)
        points = read_faces(image, average=False)[0].points
        tall = np.ptp(points[:468, 1])
        y, x = int(points[152, 1] + 1.25 * tall), int(points[152, 0] - 0.9 * tall)
        return np.median(image[y - 8 : y + 8, max(x - 8, 0) : x + 8].reshape(-1, 3), 0)

    out = io.BytesIO()
    Image.new("L", (512, 512), 255).save(out, "PNG")
    plain = chest(make("portrait, grey backdrop, softbox")[0])
    navy = chest(make("portrait, grey backdrop, softbox, wearing navy clothes")[0])
    kept = make("portrait, grey backdrop, softbox, wearing navy clothes", mask=out.getvalue())[0]
    assert plain[0] > plain[2] + 80, "the suit is orange"
    assert navy[2] > navy[0] + 20, "the suit is navy"
    assert np.abs(chest(kept) - plain).max() < 12
    assert any("mask" in w for w in kept.warnings)


def test_a_close_up_dyes_the_coat_and_not_the_collar_that_fills_it(make: Make) -> None:
    image = decode(make("close-up, grey backdrop, softbox, wearing white clothes")[0].data)
    points = read_faces(image, average=False)[0].points
    tall = np.ptp(points[:468, 1])
    x, y = int(points[152, 0]), int(points[152, 1] + 0.42 * tall)
    assert image[y - 5 : y + 5, x - 5 : x + 5].mean() < 70, "the neck of the suit stays black"
