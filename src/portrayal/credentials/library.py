"""The C2PA library, loaded when it is needed, without network and without thumbnails."""

from __future__ import annotations

import importlib
from typing import Any, Final

MIME: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

_OFFLINE: Final[dict[str, Any]] = {
    "version": 1,
    "core": {"allowed_network_hosts": []},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": False},
    # The program itself saw what its assertions say; the default is "gathered", as if from hearsay.
    "builder": {"thumbnail": {"enabled": False}, "created_assertion_labels": ["c2pa.actions", "c2pa.ingredient"]},
}


def load() -> Any | None:
    """The module `c2pa`; None where it, or its native part, is missing."""
    try:
        return importlib.import_module("c2pa")
    except (ImportError, OSError, RuntimeError):
        return None


def context(c2pa: Any, trusted: str = "") -> Any:
    """A context for building and reading.

    Args:
        c2pa: the module.
        trusted: PEM of the authority whose certificates count as trusted; "" for none.
    """
    return c2pa.Context.from_dict(_OFFLINE | ({"trust": {"user_anchors": trusted}} if trusted else {}))
