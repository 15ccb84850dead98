"""The identity lock: is it the same person? Each picture is measured again, as a stranger would measure it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Box, Rendering
from portrayal.imaging import F32, U8
from portrayal.perception import appearance, identity
from portrayal.perception.faces import read_face_near
from portrayal.perception.types import FaceReading
from portrayal.request import Speed
from portrayal.result import IdentityScore

TRIES: dict[Speed, int] = {"turbo": 1, "balanced": 2, "quality": 3}
APPEARANCE_BAR = 0.6

Measured = tuple[tuple[IdentityScore, ...], dict[str, float]]


def measure(rendering: Rendering, cast: Sequence[IdentityMap], names: Sequence[str] = ("",)) -> Measured:
    """Score one picture against each reference; also the head pose and expression that are measured in it.

    A picture with a look is measured before the look, and the score says so. In a cast every face is compared with
    every character, so that nobody looks more like another one.
    """
    if rendering.plain is not None:
        plain = replace(rendering, image=rendering.plain, plain=None)
        if len(cast) == 1:
            score, facts = _measure_one(plain, cast[0], rendering.faces[0], after=rendering.image)
            return (score.model_copy(update={"name": names[0], "measured": "before the look"}),), facts
        before, facts = measure(plain, cast, names)
        return tuple(score.model_copy(update={"measured": "before the look"}) for score in before), facts
    if len(cast) == 1:
        score, facts = _measure_one(rendering, cast[0], rendering.faces[0])
        return (score.model_copy(update={"name": names[0]}),), facts
    scores: list[IdentityScore] = []
    every: dict[str, float] = {}
    for i, (character, name) in enumerate(zip(cast, names, strict=True)):
        box = rendering.faces[i]
        score, seen = _measure_one(_alone(rendering, i), character, box)
        others = {}
        reading = None if box is None else read_face_near(rendering.image, box)
        if reading is not None:
            found = identity.embed(rendering.image, reading.points)
            others = {
                other: round(identity.distance(embedding, found), 4)
                for k, other in enumerate(names)
                if k != i and (embedding := cast[k].embedding) is not None
            }
        scores.append(score.model_copy(update={"name": name, "others": others}))
        every.update({f"{name}: {key}": value for key, value in seen.items()})
    return tuple(scores), every


def _alone(rendering: Rendering, i: int) -> Rendering:
    """A picture of several as that of one of them."""
    return replace(
        rendering,
        subject=rendering.subjects[i] if rendering.subjects else rendering.subject,
        bar=rendering.bars[i] if rendering.bars else rendering.bar,
    )


def _measure_one(
    rendering: Rendering, character: IdentityMap, box: Box | None, after: U8 | None = None
) -> tuple[IdentityScore, dict[str, float]]:
    if character.embedding is None or box is None:
        mask = rendering.subject
        alpha = None if mask is None else mask.astype(np.float32) / np.float32(255)
        likeness = appearance.similarity(
            character.appearance, appearance.describe(rendering.image, alpha, seen_in_scene=True)
        )
        same = likeness >= APPEARANCE_BAR
        score = IdentityScore(
            kind="appearance", distance=None, score=round(likeness, 4), same_person=same, bar=APPEARANCE_BAR
        )
        return score, {}
    return measure_face(rendering.image, character, box, rendering.bar, after)


def measure_face(
    image: U8, character: IdentityMap, near: Box | F32 | FaceReading, bar: float, after: U8 | None = None
) -> tuple[IdentityScore, dict[str, float]]:
    """Distance and score of the face near a box (x0, y0, x1, y1); facts of its pose and expression.

    `after` is the same picture with its look: how far its face is, at the same landmarks, is a fact too.
    """
    reading = read_face_near(image, near)
    if reading is None or character.embedding is None:
        return IdentityScore(kind="face", distance=None, score=0.0, same_person=False, bar=bar), {}
    distance = identity.distance(character.embedding, identity.embed(image, reading.points))
    score = identity.score(distance)
    facts = {
        "measured_yaw": round(float(reading.pose.yaw), 2),
        "measured_pitch": round(float(reading.pose.pitch), 2),
        "measured_roll": round(float(reading.pose.roll), 2),
        "mouth_open": round(float(reading.expression.mouth_open), 3),
        "smile": round(float(reading.expression.smile), 3),
        "eye_left": round(float(reading.expression.eye_left), 3),
        "eye_right": round(float(reading.expression.eye_right), 3),
        "brow_left": round(float(reading.expression.brow_left), 3),
        "brow_right": round(float(reading.expression.brow_right), 3),
    }
    if after is not None:
        drawn = identity.distance(character.embedding, identity.embed(after, reading.points, mirror=False))
        facts["distance_after_look"] = round(drawn, 4)
    verdict = IdentityScore(
        kind="face", distance=round(distance, 4), score=round(score, 4), same_person=score >= 0.5, bar=bar
    )
    return verdict, facts


def hold(
    make: Callable[[int], Rendering], cast: Sequence[IdentityMap], names: Sequence[str], speed: Speed
) -> tuple[Rendering, tuple[IdentityScore, ...], dict[str, float]]:
    """Make a picture until everybody in it is under the bar, at most `TRIES[speed]` times; keep the best.

    Args:
        make: called with the number of the attempt, 0 first.
        cast: who is to be recognised; empty = nobody, and the first picture is taken.
        names: of the members of the cast.
    """
    best: tuple[Rendering, tuple[IdentityScore, ...], dict[str, float]] | None = None
    for attempt in range(TRIES[speed]):
        rendering = make(attempt)
        if not cast:
            return rendering, (), {}
        scores, facts = measure(rendering, cast, names)
        if best is None or _worst(scores) > _worst(best[1]):
            best = (rendering, scores, facts)
        if all(map(passes, scores)):
            break
    assert best is not None  # TRIES is at least one
    rendering, scores, facts = best
    return rendering, tuple(score.model_copy(update={"tries": attempt + 1}) for score in scores), facts


def _worst(scores: tuple[IdentityScore, ...]) -> float:
    return min(score.score for score in scores)


def passes(score: IdentityScore) -> bool:
    """Whether a score is within its bar, and no other member of the cast is nearer."""
    if score.kind == "appearance":
        return score.score >= score.bar
    if score.distance is None or score.distance > score.bar:
        return False
    return all(score.distance < other for other in score.others.values())
