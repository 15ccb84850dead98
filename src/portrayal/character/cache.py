"""Identity maps on disk, so that a reference is studied only once.

One file per digest, pictures in it as PNG. It holds a face descriptor, which is personal data: the folder is for its
owner only (mode 0700), and `forget` and `clear_cache` delete.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from platformdirs import user_cache_path

from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import Array
from portrayal.parallel import together
from portrayal.perception.types import Expression, Face, FaceReading, HeadPose

# Raise it whenever study() would answer differently, or the file's form changes.
VERSION: Final = 4
KEPT: Final = 200  # the least recently used maps beyond this number are deleted


def folder(base: Path | None = None) -> Path:
    """Where the maps lie; `base` is the program's cache folder, by default that of the user."""
    return (base or user_cache_path("portrayal")) / "characters"


def load(digest: str, base: Path | None = None) -> IdentityMap | None:
    """The map of a digest, or None when it is not there, damaged, or of another version."""
    file = _file(digest, base)
    try:
        data = file.read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            found = _unpacked({name: archive[name] for name in archive.files})
        os.utime(file)
    except FileNotFoundError:
        return None
    except Exception:  # damaged in whatever way: study again
        with contextlib.suppress(OSError):
            file.unlink()
        return None
    return found if found.digest == digest else None


def store(character: IdentityMap, base: Path | None = None) -> bool:
    """Keep a map; whole or not at all. False when the folder cannot be written: a cache is not worth an error."""
    file = _file(character.digest, base)
    temporary: str | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.parent.chmod(0o700)
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=file.parent)
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, allow_pickle=False, **_packed(character))
        os.replace(temporary, file)
        _prune(file.parent)
    except OSError:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        return False
    return True


def forget(digest: str, base: Path | None = None) -> bool:
    """Delete what is kept of one reference; whether there was anything."""
    files = list(folder(base).glob(f"{_safe(digest)}.v*.npz"))
    for file in files:
        file.unlink(missing_ok=True)
    return bool(files)


def clear_cache(base: Path | None = None) -> int:
    """Delete all maps; returns how many there were."""
    files = list(folder(base).glob("*.npz"))
    for file in [*files, *folder(base).glob(".*.part")]:
        file.unlink(missing_ok=True)
    return len(files)


def _safe(digest: str) -> str:
    if not digest or not set(digest) <= set("0123456789abcdef"):
        raise ValueError("a digest is written in hexadecimal digits")
    return digest


def _file(digest: str, base: Path | None) -> Path:
    return folder(base) / f"{_safe(digest)}.v{VERSION}.npz"


def _prune(place: Path) -> None:
    files = sorted(place.glob("*.npz"), key=lambda f: f.stat().st_mtime)
    for file in files[:-KEPT]:
        with contextlib.suppress(OSError):
            file.unlink()


def _png(picture: Array) -> Array:
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise OSError("a picture could not be encoded")
    return np.asarray(data, np.uint8)


def _packed(character: IdentityMap) -> dict[str, Array]:
    values: dict[str, Any] = {
        "digest": character.digest,
        "kind": character.kind,
        "palette": character.palette,
        "crown_is_skin": character.crown_is_skin,
        "advice": character.advice,
    }
    arrays: dict[str, Array] = {"appearance": character.appearance}
    if character.embedding is not None:
        arrays["embedding"] = character.embedding
    reading = character.reading
    if reading is not None:
        face, pose = reading.face, reading.pose
        values["face"] = {"box": face.box, "score": face.score}
        angles = ("yaw", "pitch", "roll", "raw_yaw", "raw_pitch", "scale")
        values["pose"] = {name: getattr(pose, name) for name in angles}
        values["expression"] = asdict(reading.expression)
        arrays |= {"points": reading.points, "keypoints": face.keypoints}
        arrays |= {"rotation": pose.rotation, "origin": pose.origin}
    image, foreground = together(lambda: _png(character.image), lambda: _png(character.foreground))
    arrays |= {"image": image, "foreground": foreground}
    arrays["alpha"] = _png(np.round(character.alpha * 65535).astype(np.uint16))
    arrays |= {"regions": _png(character.regions), "mask": _png(character.mask)}
    arrays["values"] = np.frombuffer(json.dumps(values).encode(), np.uint8)
    return arrays


def _unpacked(arrays: dict[str, Array]) -> IdentityMap:
    values = json.loads(arrays["values"].tobytes())

    def picture(name: str) -> Array:
        found = cv2.imdecode(arrays[name], cv2.IMREAD_UNCHANGED)
        if found is None:
            raise ValueError(f"{name} is damaged")
        return np.asarray(found)

    image, foreground = together(lambda: picture("image"), lambda: picture("foreground"))
    reading = None
    if "pose" in values:
        box = values["face"]["box"]
        face = Face((box[0], box[1], box[2], box[3]), values["face"]["score"], arrays["keypoints"])
        pose = HeadPose(**values["pose"], rotation=arrays["rotation"], origin=arrays["origin"])
        reading = FaceReading(face, arrays["points"], pose, Expression(**values["expression"]))
    return IdentityMap(
        digest=values["digest"],
        kind=values["kind"],
        image=image,
        alpha=picture("alpha").astype(np.float32) / np.float32(65535),
        foreground=foreground,
        regions=picture("regions"),
        mask=picture("mask"),
        reading=reading,
        embedding=arrays.get("embedding"),
        appearance=arrays["appearance"],
        palette=tuple(values["palette"]),
        crown_is_skin=values["crown_is_skin"],
        advice=tuple(values["advice"]),
    )
