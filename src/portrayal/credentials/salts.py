"""Make a signed file the same for the same request.

The library salts each assertion with 16 random bytes, which its settings cannot change. Here the salts become ones that
only the holder of the key can compute (their purpose: nobody can guess what was redacted), the hashes over them are
computed again, and the claim is signed again. No byte moves: lengths and places stay, so that the hash over the
picture, which leaves the manifest out, still holds. Boxes as in ISO 19566-5 (JUMBF) and C2PA 2.4, section 8 and 11.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from portrayal import packets, png
from portrayal.credentials.keys import Key
from portrayal.errors import CredentialsError
from portrayal.request import OutputFormat

_SALT: Final = b"c2sh"
_CLAIM: Final = "c2pa.claim.v2"
_STORE: Final = "c2pa.assertions"
# An ingredient's hash stands in the actions, theirs and all others in the claim: in this order nothing is hashed early.
_FIRST: Final = "c2pa.ingredient"
_APP11: Final = 0xEB
_JUMBF_HEAD: Final = 8  # bytes of an APP11 segment before its part of the box: "JP", instance, number


@dataclass(frozen=True)
class _Box:
    kind: bytes
    start: int
    end: int
    label: str = ""
    body: int = 0  # where what is inside of a superbox begins, behind its description


def settle(data: bytes, kind: OutputFormat, manifest: bytes, signed: tuple[bytes, bytes], key: Key) -> bytes:
    """The file with salts, hashes and signature that are the same each time.

    Args:
        data: the signed file.
        kind: its format.
        manifest: the manifest store that is in it.
        signed: what the library had signed, and the signature.
        key: the signing key.

    Raises:
        CredentialsError: the library lays out its manifests in a way that is not known here.
    """
    new = bytearray(manifest)
    store = next(_boxes(manifest, 0, len(manifest)))
    active = list(_boxes(manifest, *_inside(store)))[-1]  # the last one; those before are of the ingredients
    parts = {box.label: box for box in _boxes(manifest, *_inside(active))}
    if _STORE not in parts or _CLAIM not in parts:
        raise _unknown()
    assertions = list(_boxes(manifest, *_inside(parts[_STORE])))
    for box in sorted(assertions, key=lambda b: not b.label.startswith(_FIRST)):
        old = hashlib.sha256(manifest[box.start + 8 : box.end]).digest()
        at = new.find(_SALT, box.start, box.body) + 4
        if at < 4:
            raise _unknown()
        new[at : at + 16] = key.secret(active.label, box.label, "salt")[:16]
        _exchange(new, old, hashlib.sha256(new[box.start + 8 : box.end]).digest(), active)
    claim = parts[_CLAIM]
    at = claim.body + 8  # behind the head of the CBOR box
    message, signature = signed
    before = manifest[at : claim.end]
    if message.count(before) != 1:
        raise _unknown()
    again = key.sign(message.replace(before, bytes(new[at : claim.end])))
    _exchange(new, signature, again, active)
    return _put(data, kind, manifest, bytes(new))


def _unknown() -> CredentialsError:
    return CredentialsError(
        "the manifest of the c2pa library has a form that is not known",
        field="credentials",
        remedy="Install c2pa-python 0.38, or set PORTRAYAL_CREDENTIALS=false.",
    )


def _exchange(store: bytearray, old: bytes, new: bytes, box: _Box) -> None:
    """Put `new` in all places of `old` within a box; both of one length."""
    at = store.find(old, box.start, box.end)
    if at < 0 or len(old) != len(new):
        raise _unknown()
    while at >= 0:
        store[at : at + len(new)] = new
        at = store.find(old, at + len(new), box.end)


def _boxes(store: bytes, start: int, end: int) -> Iterator[_Box]:
    at = start
    while at + 8 <= end:
        length, kind = int.from_bytes(store[at : at + 4], "big"), store[at + 4 : at + 8]
        if length < 8 or at + length > end:
            raise _unknown()
        if kind == b"jumb":  # its first box describes it: type (16 bytes), toggles, label, perhaps a private box
            described = int.from_bytes(store[at + 8 : at + 12], "big")
            label = store[at + 33 : at + 8 + described].split(b"\0", 1)[0].decode("utf-8", "replace")
            yield _Box(kind, at, at + length, label, at + 8 + described)
        else:
            yield _Box(kind, at, at + length)
        at += length


def _inside(box: _Box) -> tuple[int, int]:
    return box.body, box.end


def _put(data: bytes, kind: OutputFormat, old: bytes, new: bytes) -> bytes:
    """Exchange the manifest store inside of a file."""
    out = bytearray(data)
    if kind == "jpeg":
        _put_jpeg(out, data, old, new)
        return bytes(out)
    at = data.find(old)
    if at < 0:
        raise _unknown()
    out[at : at + len(new)] = new
    if kind == "png":
        start, end = next((a, b) for _, a, b in png.chunks(data) if a < at < b)
        out[end - 4 : end] = zlib.crc32(out[start + 4 : end - 4]).to_bytes(4, "big")
    return bytes(out)


def _put_jpeg(out: bytearray, data: bytes, old: bytes, new: bytes) -> None:
    """A store longer than a segment goes on in the next one, which begins with the head of the box once more."""
    done = 0
    for marker, start, end in packets.segments(data):
        if marker != _APP11 or data[start + 4 : start + 6] != b"JP":
            continue
        at = start + 4 + _JUMBF_HEAD + (8 if done else 0)
        if data[at:end] != old[done : done + end - at]:
            raise _unknown()
        out[at:end] = new[done : done + end - at]
        done += end - at
    if done != len(old):
        raise _unknown()
