"""The identity lock: is it the same person? Each picture is measured again, as a stranger would measure it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Rendering
from portrayal.imaging import U8
from portrayal.perception import appearance, identity
from portrayal.perception.faces import read_face_near
from portrayal.request import Speed
from portrayal.result import IdentityScore

TRIES: dict[Speed, int] = {"turbo": 1, "balanced": 2, "quality": 3}
APPEARANCE_BAR = 0.6


def measure(rendering: Rendering, character: IdentityMap) -> tuple[IdentityScore, dict[str, float]]:
    """Score one picture against the reference; also the head pose and expression that are measured in it."""
    if character.embedding is None or rendering.face is None:
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
    return measure_face(rendering.image, character, rendering.face, rendering.bar)


def measure_face(
    image: U8, character: IdentityMap, near: tuple[float, float, float, float], bar: float
) -> tuple[IdentityScore, dict[str, float]]:
    """Distance and score of the face near a box (x0, y0, x1, y1); facts of its pose and expression."""
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
    verdict = IdentityScore(
        kind="face", distance=round(distance, 4), score=round(score, 4), same_person=score >= 0.5, bar=bar
    )
    return verdict, facts


def hold(
    make: Callable[[int], Rendering], character: IdentityMap, speed: Speed
) -> tuple[Rendering, IdentityScore, dict[str, float]]:
    """Make a picture until it is under its bar, at most `TRIES[speed]` times; keep the best.

    Args:
        make: called with the number of the attempt, 0 first.
    """
    best: tuple[Rendering, IdentityScore, dict[str, float]] | None = None
    for attempt in range(TRIES[speed]):
        rendering = make(attempt)
        score, facts = measure(rendering, character)
        score = score.model_copy(update={"tries": attempt + 1})
        if best is None or score.score > best[1].score:
            best = (rendering, score, facts)
        if passes(score):
            break
    assert best is not None  # TRIES is at least one
    rendering, score, facts = best
    return rendering, score.model_copy(update={"tries": attempt + 1}), facts


def passes(score: IdentityScore) -> bool:
    """Whether a score is within its bar."""
    if score.kind == "appearance":
        return score.score >= score.bar
    return score.distance is not None and score.distance <= score.bar
