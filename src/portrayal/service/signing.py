"""The secrets of one installation, what is signed with them, and keys for callers.

Three secrets: an Ed25519 key (RFC 8032) for the webhooks of Ideogram and fal, one secret for the URLs of results, one
for the webhooks of Replicate, ModelRunner and Kie.ai. They lie in one file that its owner alone may read, or, where
several machines share one database, as one line of text in it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
import string
import tempfile
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from portrayal.errors import PortrayalError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE: Final = "service.secrets"
"""Name of the file inside of its folder."""

_VERSION: Final = "portrayal-secrets-1"
_SIZE: Final = 32  # bytes of each secret
_WAIT: Final = 2.0  # seconds that another process may need for 160 bytes, on file systems without links
_LETTERS: Final = string.ascii_letters + string.digits
_KEY_LENGTH: Final = 43  # of 62 letters each: 256 bits
_SHOWN: Final = 6


class SecretsError(PortrayalError):
    """The secrets of the installation cannot be read, are damaged, or cannot be written."""


@dataclass(frozen=True, repr=False)
class Secrets:
    """The three secrets, 32 random bytes each.

    Attributes:
        ed25519: private key, as RFC 8032 calls it (the seed).
        url: key of the signatures in URLs.
        webhook: key of the signatures of webhooks with a shared secret.
    """

    ed25519: bytes
    url: bytes
    webhook: bytes

    @classmethod
    def new(cls) -> Secrets:
        """Fresh ones, from the operating system's random numbers."""
        return cls(*(secrets.token_bytes(_SIZE) for _ in range(3)))

    @classmethod
    def load(cls, folder: Path) -> Secrets:
        """Those of a folder; folder (mode 0700) and file (mode 0600) are made at first use.

        Processes that start at once get the same secrets: the first one's.

        Raises:
            SecretsError: the file is damaged, or the folder cannot be written or read.
        """
        file = folder / FILE
        try:
            if not file.exists():
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                _create(file, cls.new().to_text() + "\n")
            return cls._read(file)
        except OSError as error:
            raise SecretsError(
                f"the secrets of the service cannot be kept in {folder}: {error.strerror or 'no access'}",
                field="data_dir",
                remedy="Give this user access to the folder, or name another in PORTRAYAL_DATA_DIR.",
            ) from None

    @classmethod
    def _read(cls, file: Path) -> Secrets:
        until = time.monotonic() + _WAIT
        while True:
            text = file.read_text("ascii", "replace")
            # The line's end is written last: without it another process is still writing, or died doing so.
            if text.endswith("\n") or time.monotonic() > until:
                break
            time.sleep(0.02)
        try:
            return cls.from_text(text)
        except SecretsError as error:
            raise SecretsError(
                f"{file}: {error.message}",
                field="data_dir",
                remedy="Put the file back from a backup; or delete it, and new secrets end all old URLs and checks.",
            ) from None

    @classmethod
    def from_text(cls, text: str) -> Secrets:
        """Those that `to_text` wrote.

        Raises:
            SecretsError: the text is something else. It is not quoted.
        """
        version, *parts = text.strip().split(".")
        try:
            found = [base64.b64decode(part + "=", altchars=b"-_", validate=True) for part in parts]
        except (ValueError, binascii.Error):
            found = []
        if version != _VERSION or [len(part) for part in found] != [_SIZE] * 3:
            raise SecretsError("these are no secrets of this program, or they are damaged")
        return cls(*found)

    def to_text(self) -> str:
        """One line of ASCII, about 150 characters, without spaces. It is as secret as what it holds."""
        return ".".join((_VERSION, *(_base64url(part) for part in (self.ed25519, self.url, self.webhook))))

    def of(self, library: str) -> Secrets:
        """Those of one library: its keys may see their webhooks' secret, which says nothing about another library's."""
        webhook = hmac.digest(self.webhook, f"library\n{library}".encode("utf-8", "surrogatepass"), "sha256")
        return replace(self, webhook=webhook)

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.ed25519)

    @cached_property
    def _public(self) -> str:
        return _base64url(self._private.public_key().public_bytes_raw())

    @cached_property
    def key_id(self) -> str:
        """Name of the public key: its thumbprint (RFC 7638, RFC 8037)."""
        canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{self._public}"}}'
        return _base64url(hashlib.sha256(canonical.encode()).digest())

    def jwks(self) -> dict[str, Any]:
        """The public key as a set of keys (RFC 7517, RFC 8037), for ``/.well-known/jwks.json``."""
        key = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.key_id, "x": self._public}
        return {"keys": [key]}

    def ed25519_sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes."""
        return self._private.sign(message)

    def url_signature(self, path: str, expires: int) -> str:
        """Signature of a path that is good until `expires` (Unix time in s): HMAC-SHA256, 64 hex digits.

        The path is signed as it stands: give the same spelling to `url_valid`.
        """
        # The number comes first, so that no path can stand for another path and time.
        message = f"url\n{int(expires)}\n{path}".encode("utf-8", "surrogatepass")
        return hmac.new(self.url, message, hashlib.sha256).hexdigest()

    def url_valid(self, path: str, expires: int, signature: str, now: float) -> bool:
        """Whether a signature fits its path and time, and the time has not come. Takes as long for every wrong one."""
        given = signature.encode("utf-8", "surrogatepass")
        fits = hmac.compare_digest(self.url_signature(path, expires).encode(), given)
        return fits and now <= expires

    @property
    def webhook_secret(self) -> str:
        """The secret for those who check webhooks: ``whsec_`` and standard base64.

        That alphabet has no underscore; Replicate's Python client splits the text at each one.
        """
        return "whsec_" + base64.b64encode(self.webhook).decode()

    def ideogram_headers(self, generation_id: str, user_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """Headers of a webhook of Ideogram. `timestamp`: Unix time in s; `body`: the very bytes that are sent."""
        head = "X-Ideogram-Webhook-"
        return {
            head + "Generation-Id": generation_id,
            head + "User-Id": user_id,
            head + "Timestamp": str(int(timestamp)),
            head + "Key-Id": self.key_id,
            head + "Signature": self._four_lines(generation_id, user_id, timestamp, body),
        }

    def fal_headers(self, request_id: str, user_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """Headers of a webhook of fal. `timestamp`: Unix time in s; `body`: the very bytes that are sent."""
        head = "X-Fal-Webhook-"
        return {
            head + "Request-Id": request_id,
            head + "User-Id": user_id,
            head + "Timestamp": str(int(timestamp)),
            head + "Signature": self._four_lines(request_id, user_id, timestamp, body),
        }

    def _four_lines(self, name: str, user: str, timestamp: int, body: bytes) -> str:
        lines = (name, user, str(int(timestamp)), hashlib.sha256(body).hexdigest())
        return self.ed25519_sign("\n".join(lines).encode()).hex()

    def standard_webhook_headers(self, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """Headers of a webhook of Replicate and ModelRunner (Standard Webhooks 1.0, symmetric).

        `message_id` stays the same when the message is sent again; `timestamp` is the Unix time in s of this attempt.
        """
        content = f"{message_id}.{int(timestamp)}.".encode() + body
        mac = base64.b64encode(hmac.digest(self.webhook, content, "sha256")).decode()
        return {"webhook-id": message_id, "webhook-timestamp": str(int(timestamp)), "webhook-signature": f"v1,{mac}"}

    def kie_headers(self, task_id: str, timestamp: int) -> dict[str, str]:
        """Headers of a callback of Kie.ai. `timestamp`: Unix time in s.

        Its receivers use the key as the text that they were shown, so the key is all of `webhook_secret`.
        """
        content = f"{task_id}.{int(timestamp)}".encode()
        mac = base64.b64encode(hmac.digest(self.webhook_secret.encode(), content, "sha256")).decode()
        return {"X-Webhook-Timestamp": str(int(timestamp)), "X-Webhook-Signature": mac}


def new_api_key() -> str:
    """A key for a caller: ``pk_`` and 43 random letters and digits (256 bits).

    No colon, hyphen or further underscore: hosts' clients join or split keys at these (``Key id:secret``), and a double
    click marks the whole of it.
    """
    return "pk_" + "".join(secrets.choice(_LETTERS) for _ in range(_KEY_LENGTH))


def hash_key(key: str) -> str:
    """What is stored of a key: its SHA-256 in hex.

    A plain hash is right here, and a slow one (scrypt, Argon2) would buy nothing: those make guessing dear where a
    person chose the secret. 256 random bits cannot be guessed at any speed, and each request costs one hash.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def key_prefix(key: str) -> str:
    """The start of a key, by which people tell their keys apart; over 220 of its 256 bits stay unknown."""
    return key[: len("pk_") + _SHOWN]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _create(file: Path, text: str) -> None:
    """Write the file whole, unless it is there already."""
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=file.parent)  # mode 0600 by itself
    try:
        _write(handle, text)
        try:
            os.link(temporary, file)
        except FileExistsError:
            return
        except OSError:  # a file system without links; readers wait for the line's end
            with contextlib.suppress(FileExistsError):
                _write(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), text)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _write(handle: int, text: str) -> None:
    with os.fdopen(handle, "wb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())
