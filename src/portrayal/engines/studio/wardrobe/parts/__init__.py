"""The parts of garments. Every module of this package registers its parts when it is imported."""

from __future__ import annotations

import importlib
import pkgutil

from portrayal.engines.studio.wardrobe.parts.registry import PARTS, Part, part

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

__all__ = ["PARTS", "Part", "part"]
