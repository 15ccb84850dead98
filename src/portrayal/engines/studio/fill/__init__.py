"""Painting what is not there: the ground under a removed thing, and the world beyond the border of a picture."""

from portrayal.engines.studio.fill.outpaint import reframe
from portrayal.engines.studio.fill.removal import fill

__all__ = ["fill", "reframe"]
