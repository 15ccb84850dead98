"""A finished picture in a look of the prompt."""

from __future__ import annotations

import numpy as np

from portrayal.engines.studio.light.finish import apply_look, looks
from portrayal.imaging import U8
from portrayal.prompting.plan import ScenePlan


def looked(image: U8, plan: ScenePlan) -> U8:
    """The picture in the look that the prompt names, if any."""
    if plan.look is None or plan.look == "photo" or plan.look not in looks():
        return image
    codes = image.reshape(-1, 3).astype(np.float32) / np.float32(255)
    return (apply_look(codes, looks()[plan.look]) * 255 + 0.5).astype(np.uint8).reshape(image.shape)
