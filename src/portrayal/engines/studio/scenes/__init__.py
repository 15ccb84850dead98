"""Scenes: the photographed surroundings of a portrait, and their light on the person."""

from __future__ import annotations

from portrayal.engines.studio.scenes.catalogue import Setting, settings
from portrayal.engines.studio.scenes.photograph import photograph

__all__ = ["Setting", "photograph", "settings"]
