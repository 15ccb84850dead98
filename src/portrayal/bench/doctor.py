"""Is this installation whole?"""

from __future__ import annotations

import hashlib
import platform
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from portrayal import assets
from portrayal._version import __version__
from portrayal.errors import MissingDataError
from portrayal.parallel import cores
from portrayal.settings import Settings

_LIBRARIES = ("opencv-python-headless", "numpy", "scipy", "numba", "dlib-bin", "pillow", "pydantic", "c2pa-python")


def examine() -> dict[str, Any]:
    """Check versions, shipped files by their SHA-256, the descriptor, the cores and the cache folder."""
    checks = [_check("portrayal", lambda: f"{__version__} on Python {platform.python_version()}, {sys.platform}")]
    checks += [_check(name, lambda name=name: version(name)) for name in _LIBRARIES]
    checks.append(_check("cores", lambda: str(cores())))
    checks.append(_check("models and panoramas", _verify))
    checks.append(_check("face descriptor", lambda: assets.dlib_descriptor().name))
    checks.append(_check("cache folder", _cache))
    return {"ok": all(c["ok"] for c in checks), "checks": checks}


def _check(name: str, look: Any) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "found": look()}
    except (OSError, MissingDataError, PackageNotFoundError, ValueError) as error:
        return {"name": name, "ok": False, "found": str(error)}


def _verify() -> str:
    lines = assets.path("SHA256SUMS").read_text().splitlines()
    for line in lines:
        digest, name = line.split(maxsplit=1)
        if hashlib.sha256(assets.path(name).read_bytes()).hexdigest() != digest:
            raise ValueError(f"{name} is damaged; install the package again")
    return f"{len(lines)} files, all as shipped"


def _cache() -> str:
    folder = Settings().cache_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder):
        return str(folder)
