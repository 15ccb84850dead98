"""Every expression, confirmed by the landmarks of the picture that shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portrayal import assets
from portrayal.engines.studio.head import topology
from portrayal.engines.studio.head.frame import face_frame
from portrayal.engines.studio.head.handles import displacements
from portrayal.engines.studio.head.presets import presets
from portrayal.engines.studio.types import Cutout
from portrayal.imaging import F32
from portrayal.perception import mesh
from portrayal.perception.types import FACE, SKIN, Expression
from tests.engines.test_head import Placed, placed, read, shown, studied

# The vocabulary of the prompts.
EXPRESSIONS = (
    "neutral", "serious", "calm", "confident", "slight smile", "smile", "broad smile", "laugh", "surprised", "sad",
    "angry", "pout", "thoughtful", "eyes closed", "wink", "wide eyes", "singing", "shouting", "squint", "skeptical",
)  # fmt: skip
STRONG = {"laugh", "surprised", "sad", "angry", "pout", "eyes closed", "singing", "shouting", "wink"}


@pytest.fixture(scope="module")
def astronaut() -> Placed:
    return placed(studied(assets.path("sample/astronaut.png")))


@pytest.fixture(scope="module")
def measured(astronaut: Placed) -> dict[str, Expression]:
    return {name: read(shown(astronaut.moved(expression=name))).expression for name in EXPRESSIONS}


def test_every_id_has_a_preset() -> None:
    assert set(presets()) == set(EXPRESSIONS)


def test_identity_is_kept(astronaut: Placed) -> None:
    for name in EXPRESSIONS:
        bar = 0.52 if name in STRONG else 0.40
        assert astronaut.distance(astronaut.moved(expression=name)) < bar, name


@pytest.mark.parametrize(
    "name", ["neutral", "serious", "calm", "slight smile", "sad", "angry", "thoughtful", "skeptical"]
)
def test_mouth_closes(measured: dict[str, Expression], name: str) -> None:
    assert measured[name].mouth_open < 0.10


@pytest.mark.parametrize("name", ["laugh", "singing", "shouting", "surprised"])
def test_mouth_opens(measured: dict[str, Expression], name: str) -> None:
    assert measured[name].mouth_open > 0.25


def test_smiles_are_ordered(measured: dict[str, Expression]) -> None:
    smile = {name: e.smile for name, e in measured.items()}
    assert smile["sad"] < smile["neutral"] < smile["slight smile"] < min(smile["smile"], smile["broad smile"])


def test_who_smiles_already_goes_on_smiling_with_open_lips(astronaut: Placed, measured: dict[str, Expression]) -> None:
    assert measured["smile"].mouth_open > 0.10
    calm, smiling = (astronaut.distance(astronaut.moved(expression=name)) for name in ("calm", "smile"))
    assert smiling < calm


def test_brows(measured: dict[str, Expression]) -> None:
    brow = {name: (e.brow_left + e.brow_right) / 2 for name, e in measured.items()}
    assert brow["angry"] < brow["serious"] < brow["neutral"]
    assert brow["angry"] < brow["neutral"] - 0.015
    assert brow["surprised"] > brow["neutral"] + 0.008
    assert measured["skeptical"].brow_right > measured["skeptical"].brow_left + 0.015


def inner_brows(cutout: Cutout) -> float:
    """How much higher the brows' inner ends are than their outer ends, in distances of the eye corners."""
    points = face_frame(read(shown(cutout)).points).points
    inner, outer = points[[107, 336], 1].mean(), points[[70, 300], 1].mean()
    return float(outer - inner)


def test_sad_and_angry_brows_slant_against_each_other(astronaut: Placed) -> None:
    slant = {name: inner_brows(astronaut.moved(expression=name)) for name in ("sad", "neutral", "angry")}
    assert slant["sad"] > slant["neutral"] + 0.012
    assert slant["angry"] < slant["neutral"] - 0.012


def test_sad_mouth_keeps_its_width(measured: dict[str, Expression]) -> None:
    assert measured["sad"].mouth_width > 0.97 * measured["neutral"].mouth_width
    assert measured["pout"].mouth_width < 0.95 * measured["neutral"].mouth_width


def test_expressions_differ_from_neutral(measured: dict[str, Expression]) -> None:
    assert measured["calm"].eye_left < 0.93 * measured["neutral"].eye_left
    assert measured["skeptical"].eye_left < 0.96 * measured["skeptical"].eye_right


def test_one_corner_of_the_mouth_rises(astronaut: Placed) -> None:
    frame = face_frame(astronaut.reading.points)
    moves = displacements(frame, 1.0, presets()["confident"], 1.0)
    even = displacements(frame, 1.0, replace(presets()["confident"], lift_left=0.0, lift_right=0.0), 1.0)
    assert moves[291, 1] < even[291, 1] - 0.03  # up
    assert moves[61, 1] > even[61, 1] + 0.005


def test_head_goes_along_unless_told_otherwise(astronaut: Placed) -> None:
    def pitch(**motion: Any) -> float:
        return read(shown(astronaut.moved(expression="sad", **motion))).pose.pitch

    bowed, weaker, raised = pitch(), pitch(strength=0.2), pitch(pitch=6.0)
    assert bowed < weaker - 0.5
    assert raised > bowed + 5.0


def test_eyes(measured: dict[str, Expression]) -> None:
    closed, wink, neutral = measured["eyes closed"], measured["wink"], measured["neutral"]
    assert max(closed.eye_left, closed.eye_right) < 0.14
    assert wink.eye_right < 0.14 < 0.25 < wink.eye_left
    assert measured["squint"].eye_left < 0.9 * neutral.eye_left


def test_strength_scales(astronaut: Placed) -> None:
    opened = [read(shown(astronaut.moved(expression="shouting", strength=s))).expression.mouth_open for s in (0.3, 1.0)]
    assert opened[0] < opened[1] - 0.08


@pytest.mark.parametrize("x", [-0.8, 0.8])
def test_gaze(astronaut: Placed, x: float) -> None:
    def look(points: F32) -> float:
        places = []
        for iris, (a, b) in ((mesh.IRIS_LEFT, (33, 133)), (mesh.IRIS_RIGHT, (362, 263))):
            places.append((points[iris, 0].mean() - points[[a, b], 0].mean()) / abs(points[a, 0] - points[b, 0]))
        return float(np.mean(places))

    straight = look(astronaut.reading.points)
    there = look(read(shown(astronaut.moved(gaze=(x, 0.0)))).points)
    assert np.sign(x) * (there - straight) > 0.06


def test_only_the_face_changes(astronaut: Placed) -> None:
    before, after = astronaut.cutout, astronaut.moved(expression="surprised")
    assert np.array_equal(after.alpha, before.alpha)
    assert np.array_equal(after.regions, before.regions)
    assert before.points is not None
    top = int(before.points[mesh.FOREHEAD, 1] - 40)
    assert np.array_equal(after.rgb[:top], before.rgb[:top])


def test_a_rising_chin_draws_up_skin_not_the_collar(astronaut: Placed) -> None:
    before, after = astronaut.cutout, astronaut.moved(expression="neutral")
    assert before.points is not None
    light, moved = before.rgb.mean(-1), after.rgb.mean(-1)
    skin = np.isin(before.regions, (FACE, SKIN)) & (before.alpha > 0.9) & (light > 0.25)
    skin[: int(before.points[mesh.CHIN, 1])] = False
    assert skin.sum() > 500
    assert (light - moved)[skin].max() < 0.45  # the collar is black
    assert moved[skin].min() > 0.15


def test_men_too(portraits: list[Path]) -> None:
    for path in portraits:
        man = placed(studied(path))
        own = man.reading.expression
        for name in ("neutral", "laugh", "eyes closed"):
            after = man.moved(expression=name)
            e = read(shown(after)).expression
            assert man.distance(after) < 0.52
            if name == "neutral":
                assert e.mouth_open < 0.12
            elif name == "laugh":
                assert e.mouth_open > max(0.2, own.mouth_open)
            else:
                # Painted lids of an eye seen aslant are read a little open.
                assert max(e.eye_left, e.eye_right) < 0.20


def test_triangles_close_around_eyes_and_mouth() -> None:
    edges: dict[tuple[int, int], int] = {}
    for a, b, c in topology.triangles().tolist():
        for pair in ((a, b), (b, c), (c, a)):
            key = (min(pair), max(pair))
            edges[key] = edges.get(key, 0) + 1
    rims = [mesh.OVAL, mesh.MOUTH, mesh.LID_LEFT, mesh.LID_RIGHT]
    wanted = {(min(p), max(p)) for ring in rims for p in zip(ring, (*ring[1:], ring[0]), strict=True)}
    assert {edge for edge, count in edges.items() if count == 1} == wanted
    assert max(edges.values()) == 2


def test_handles_are_met_exactly(astronaut: Placed) -> None:
    frame = face_frame(astronaut.reading.points)
    moves = displacements(frame, 1.0, presets()["neutral"], 1.0)
    assert moves.shape == (504, 2)
    assert np.abs(moves[468:]).max() == 0  # the skirt stays
    upper, lower = topology.INNER_UPPER[5], topology.INNER_LOWER[5]
    gap = frame.points[lower, 1] + moves[lower, 1] - frame.points[upper, 1] - moves[upper, 1]
    assert abs(gap) < 0.01
