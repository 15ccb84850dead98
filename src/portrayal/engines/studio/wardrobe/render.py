"""From an outfit to its surface."""

from __future__ import annotations

from typing import Final

from portrayal.engines.studio.cloth.surface import Surface
from portrayal.engines.studio.light.tone import linear_of_hex, luminance
from portrayal.engines.studio.types import Speed
from portrayal.engines.studio.wardrobe import data
from portrayal.engines.studio.wardrobe.frame import BustFrame
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.engines.studio.wardrobe.parts import PARTS
from portrayal.engines.studio.wardrobe.stage import Stage
from portrayal.imaging import F32

# The camera's curve is flat near white, where folds would be lost: light cloth falls in deeper ones.
_LIGHT: Final = 0.15


def render(outfit: Outfit, frame: BustFrame, skin: F32, speed: Speed = "balanced") -> Surface:
    """What somebody wears, with neck and chest where the garment leaves them bare.

    Args:
        outfit: what; parts that it does not name take the garment's own cloth.
        frame: where the bust stands; without yaw and roll it faces the camera.
        skin: (3,) albedo of bare skin, scene light.
        speed: "turbo" leaves out the finest detail.

    Returns:
        The surface on the frame's canvas. The same arguments give the same bytes.

    Raises:
        InvalidRequestError: for an unknown garment, fabric or pattern.
    """
    worn = data.completed(outfit)
    stage = Stage(frame, skin, worn.seed, speed)
    bright = float(luminance(linear_of_hex(worn.main.colour)[None])[0])
    stage.emphasis = 1 + _LIGHT * min(max((bright - 0.3) / 0.8, 0.0), 1.0)
    for entry in data.build(worn):
        PARTS[entry["part"]](stage, entry, worn)
    return stage.surface()
