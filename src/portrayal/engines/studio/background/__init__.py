"""The people of a picture without their background, or before another one."""

from __future__ import annotations

from portrayal.engines.studio.background.before import replace_background
from portrayal.engines.studio.background.cut import CutPicture, cut_out, remove_background
from portrayal.engines.studio.background.plate import plate_for

__all__ = ["CutPicture", "cut_out", "plate_for", "remove_background", "replace_background"]
