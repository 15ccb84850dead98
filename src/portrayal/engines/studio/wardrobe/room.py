"""Room in a reference for a modelled bust, for pictures in which the outline of a person decides who stands where."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.head.fields import polygon
from portrayal.engines.studio.wardrobe.head import Bare
from portrayal.engines.studio.wardrobe.place import stand
from portrayal.imaging import F32
from portrayal.perception import mesh
from portrayal.perception.types import CLOTHING

# Half of the outline of a clothed bust, cm: x from the middle, y below the jugular notch.
_OUTLINE: Final = ((5.5, -9), (6.5, -4), (15, 0), (20, 5), (22.5, 14), (24, 30), (25, 48))
_SIDE: Final = 1.8  # room beside the middle of the face, and below the chin, in heights of the face
_BELOW: Final = 3.2


def roomy(character: IdentityMap) -> IdentityMap:
    """The character in a larger picture, with room for a whole bust; points, box and masks are moved along."""
    assert character.reading is not None
    reading = character.reading
    points = reading.points[:468, :2]
    face, x = float(np.ptp(points[:, 1])), float(points[:, 0].mean())
    height, width = character.alpha.shape
    left = max(0, round(_SIDE * face - x))
    right = max(0, round(_SIDE * face + x) - width)
    down = max(0, round(float(points[mesh.CHIN, 1]) + _BELOW * face) - height)
    if not (left or right or down):
        return character
    around = ((0, down), (left, right))
    moved = np.array([left, 0, 0], np.float32)
    x0, y0, x1, y1 = reading.face.box
    return replace(
        character,
        digest=f"{character.digest}+room",
        image=np.pad(character.image, (*around, (0, 0)), mode="edge"),
        foreground=np.pad(character.foreground, (*around, (0, 0)), mode="edge"),
        alpha=np.pad(character.alpha, around),
        regions=np.pad(character.regions, around),
        mask=np.pad(character.mask, around),
        reading=replace(
            reading,
            points=reading.points + moved,
            face=replace(
                reading.face, box=(x0 + left, y0, x1 + left, y1), keypoints=reading.face.keypoints + moved[:2]
            ),
            pose=replace(reading.pose, origin=reading.pose.origin + moved),
        ),
    )


def outlined(bare: Bare) -> IdentityMap:
    """The undressed head with the outline of a clothed bust: for the arrangement, not for the picture."""
    character = bare.character
    assert character.reading is not None
    height, width = character.alpha.shape
    frame = stand(character.reading.points, character.reading.pose, (width, height), bare.shoulders, 0)
    half = np.array(_OUTLINE, np.float32) * np.array([frame.shoulders, 1], np.float32)
    both = np.vstack([half, half[::-1] * np.array([-1, 1], np.float32)])
    bust: F32 = polygon(both * frame.scale + np.array([frame.x, frame.y], np.float32), (height, width))
    # It is cut off by the frame, as every body is: it must not end inside of it.
    low = int(min(height, frame.y + _OUTLINE[-1][1] * frame.scale))
    alpha = np.maximum(character.alpha, bust)
    regions = np.where((character.alpha < 0.5) & (bust > 0.5), CLOTHING, character.regions).astype(np.uint8)
    return replace(
        character,
        digest=f"{character.digest}+outline",
        image=character.image[:low],
        foreground=character.foreground[:low],
        mask=character.mask[:low],
        alpha=np.ascontiguousarray(alpha[:low], np.float32),
        regions=np.ascontiguousarray(cv2.medianBlur(regions, 3)[:low]),
    )
