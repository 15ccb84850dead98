"""The drawing of what was learnt from a reference."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from portrayal.bench.sheets import Tile, contact_sheet
from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import F32, U8
from portrayal.perception.types import REGION_NAMES

_REGION_COLOURS = np.array([(30, 32, 36), (238, 190, 150), (120, 78, 40), (214, 150, 118), (70, 120, 190)], np.uint8)


def draw(character: IdentityMap) -> U8:
    """Reference with landmarks and pose, matte, cut-out, regions, character mask, palette: one sheet."""
    image, alpha = character.image, character.alpha
    grey = np.repeat((alpha[..., None] * 255 + 0.5).astype(np.uint8), 3, axis=2)
    green = np.array([0, 150, 96], np.float32)
    cut = character.foreground * alpha[..., None] + green * (1 - alpha[..., None])
    shown = image // 3
    chosen = character.mask > 127
    shown[chosen] = image[chosen]
    tiles = [
        Tile(_landmarks(character), "landmarks and head pose"),
        Tile(grey, "matte"),
        Tile(cut.astype(np.uint8), "cut-out on green"),
        Tile(_REGION_COLOURS[character.regions], "regions: " + ", ".join(REGION_NAMES[1:])),
        Tile(shown, "character mask"),
        Tile(_palette(character), "palette"),
    ]
    advice = [line[:1].upper() + line[1:] for line in character.advice] or ["A good reference"]
    kind = "a person" if character.kind == "person" else "a character without a human face"
    subtitle = ". ".join(advice) + "."
    return contact_sheet([("", tiles[:3]), ("", tiles[3:])], f"What was learnt: {kind}", 480, subtitle=subtitle)


def facts(character: IdentityMap) -> dict[str, Any]:
    """What was learnt, as plain values (no descriptor: that never leaves the machine unasked)."""
    height, width = character.alpha.shape
    values: dict[str, Any] = {
        "kind": character.kind,
        "size": [width, height],
        "palette": list(character.palette),
        "advice": list(character.advice),
    }
    reading = character.reading
    if reading is not None:
        pose, expression = reading.pose, reading.expression
        values["face_box"] = [round(float(v), 1) for v in reading.face.box]
        values["head_pose"] = {
            "yaw": round(float(pose.yaw), 1),
            "pitch": round(float(pose.pitch), 1),
            "roll": round(float(pose.roll), 1),
        }
        values["expression"] = {k: round(float(v), 3) for k, v in vars(expression).items()}
    return values


def _landmarks(character: IdentityMap) -> U8:
    image = character.image.copy()
    reading = character.reading
    if reading is None:
        return image
    points: F32 = reading.points
    radius = max(1, round(reading.pose.scale / 120))
    for x, y in points[:468, :2]:
        cv2.circle(image, (round(x), round(y)), radius, (80, 230, 190), -1, cv2.LINE_AA)
    for x, y in points[468:, :2]:
        cv2.circle(image, (round(x), round(y)), radius, (255, 210, 60), -1, cv2.LINE_AA)
    origin, rotation, length = reading.pose.origin, reading.pose.rotation, 0.8 * reading.pose.scale
    for axis, colour in ((0, (240, 90, 80)), (1, (90, 210, 90)), (2, (90, 150, 255))):
        # The third canonical axis points away from the camera; draw the way the nose points.
        direction = rotation[:, axis] * (-1 if axis == 2 else 1)
        end = origin[:2] + length * direction[:2]
        start = (round(float(origin[0])), round(float(origin[1])))
        cv2.line(image, start, (round(float(end[0])), round(float(end[1]))), colour, 2 * radius, cv2.LINE_AA)
    return image


def _palette(character: IdentityMap) -> U8:
    colours = [tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in character.palette] or [(90, 90, 90)]
    bars = np.array(colours, np.uint8)[None]
    return np.asarray(cv2.resize(bars, (480, 480), interpolation=cv2.INTER_NEAREST), np.uint8)
