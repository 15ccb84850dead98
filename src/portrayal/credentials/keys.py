"""The key that signs content credentials: made at first use, or given by settings.

Only deterministic signatures are used (Ed25519, RFC 8032; ECDSA as in RFC 6979), so that equal requests give equal
bytes. Neither the key nor its passphrase gets into an error or a log.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from portrayal.errors import CredentialsError
from portrayal.settings import Settings

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_YEARS: Final = 20
_OTHER_USES: Final = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_FILE: Final = "signing.pem"
_CLAIM_SIGNING: Final = "1.3.6.1.4.1.62558.2.1"  # c2pa-kp-claimSigning
# On P-521 the library signs, but does not follow the certificates.
_CURVES: Final = {"secp256r1": ("ES256", 32), "secp384r1": ("ES384", 48)}
_HASHES: Final = {"ES256": "SHA256", "ES384": "SHA384"}


@dataclass(frozen=True, repr=False)
class Key:
    """A private key with its certificates.

    Attributes:
        algorithm: its name in C2PA: "ED25519", "ES256" or "ES384".
        chain: PEM certificates, the key's own first.
        top: PEM of the last of them, whose authority stands above the others.
        serial: number of the key's own certificate.
    """

    private: Ed25519PrivateKey | EllipticCurvePrivateKey
    algorithm: str
    chain: str
    top: str
    serial: int

    def sign(self, data: bytes) -> bytes:
        """The signature as COSE wants it (RFC 9053); the same data gives the same one."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        if not isinstance(self.private, EllipticCurvePrivateKey):
            return self.private.sign(data)
        digest = getattr(hashes, _HASHES[self.algorithm])()
        r, s = decode_dss_signature(self.private.sign(data, ECDSA(digest, deterministic_signing=True)))
        length = _CURVES[self.private.curve.name][1]
        return r.to_bytes(length, "big") + s.to_bytes(length, "big")

    def secret(self, *names: str) -> bytes:
        """32 bytes that only the holder of the key can compute, always the same for the same names."""
        return hashlib.sha256(self.sign("\0".join(("portrayal", *names)).encode())).digest()


def load(settings: Settings) -> Key:
    """The signing key of the settings, or of this installation; it is made when there is none yet.

    Raises:
        CredentialsError: the files that the settings name cannot be read, do not belong together, or hold a key of
            another kind; or the data folder cannot be written.
    """
    if (settings.signing_key is None) != (settings.signing_certificate is None):
        given, missing = ("signing_key", "signing_certificate")[:: 1 if settings.signing_key else -1]
        raise CredentialsError(f"only {given} is set", field=missing, remedy="Set both of them, or none.")
    if settings.signing_key is None or settings.signing_certificate is None:
        own = path(settings)
        if not own.is_file():
            _create(own)
        return _cached(own, own, None, _stamp(own))
    phrase = settings.signing_passphrase.get_secret_value() if settings.signing_passphrase else None
    stamp = _stamp(settings.signing_key) + _stamp(settings.signing_certificate)
    return _cached(settings.signing_key, settings.signing_certificate, phrase, stamp)


def path(settings: Settings) -> Path:
    """Where the key of this installation lies."""
    return settings.data_dir / "credentials" / _FILE


def _stamp(file: Path) -> tuple[int, ...]:
    """What changes when a file is replaced."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns)


@lru_cache(4)
def _cached(key: Path, certificate: Path, passphrase: str | None, stamp: tuple[int, ...]) -> Key:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = _read(key, "signing_key")
    try:
        private = load_pem_private_key(pem, passphrase.encode() if passphrase and b"ENCRYPTED" in pem else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CredentialsError(
            f"{key} holds no private key that can be opened",
            field="signing_key",
            remedy="Name a PEM file, and its passphrase when it has one.",
        ) from None
    try:
        chain = x509.load_pem_x509_certificates(_read(certificate, "signing_certificate"))
    except ValueError:
        raise CredentialsError(
            f"{certificate} holds no certificate", field="signing_certificate", remedy="Name a PEM file."
        ) from None
    return _joined(private, chain)


def _read(file: Path, field: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise CredentialsError(f"{file}: {reason}", field=field, remedy="Check the path.") from None


def _joined(private: object, chain: list[x509.Certificate]) -> Key:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding

    curve = private.curve.name if isinstance(private, EllipticCurvePrivateKey) else ""
    if not isinstance(private, Ed25519PrivateKey | EllipticCurvePrivateKey) or (curve and curve not in _CURVES):
        raise CredentialsError(
            "the signing key is of a kind that is not used",
            field="signing_key",
            remedy="Use Ed25519, or ECDSA on P-256 or P-384.",
        )
    if chain[0].public_key() != private.public_key():
        raise CredentialsError(
            "the first certificate is not the one of the signing key",
            field="signing_certificate",
            remedy="Put the key's own certificate first.",
        )
    pems = [certificate.public_bytes(Encoding.PEM).decode() for certificate in chain]
    return Key(private, _CURVES[curve][0] if curve else "ED25519", "".join(pems), pems[-1], chain[0].serial_number)


def _create(file: Path) -> None:
    """Make a key and its certificates; when two programs do so at once, the first one's stays."""
    pem = _made()
    try:
        file.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.parent.mkdir(exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=file.parent)  # mode 0600 by itself
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(pem)
                stream.flush()
                os.fsync(stream.fileno())
            with contextlib.suppress(FileExistsError):
                _link(temporary, file)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    except OSError as error:
        raise CredentialsError(
            f"the signing key cannot be written to {file.parent}: {error.strerror or 'no access'}",
            field="data_dir",
            remedy="Name another folder in PORTRAYAL_DATA_DIR, or set PORTRAYAL_CREDENTIALS=false.",
        ) from None


def _link(temporary: str, file: Path) -> None:
    """Give the file its name, unless that is taken."""
    try:
        os.link(temporary, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if not file.exists():
            os.rename(temporary, file)


def _made() -> bytes:
    """A new Ed25519 key, its certificate, and the one of the authority of its own that signed it; in PEM.

    The profile is that of the C2PA specification, 14.5: version 3, digital signature, an allowed extended usage
    (that of C2PA itself, and that for e-mail, which readers without a list of their own accept), not an authority. The
    authority's key is thrown away.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

    authority, own = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    public = own.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    short = hashlib.sha256(public).hexdigest()[:8]

    def name(common: str) -> x509.Name:
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Portrayal, self-signed")
        return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common)])

    start = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(days=1)
    above = name(f"Portrayal authority {short}")

    def certificate(subject: x509.Name, key: Ed25519PrivateKey, ca: bool) -> x509.Certificate:
        usage = dict.fromkeys(_OTHER_USES, False)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(above)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=366 * _YEARS))
            .add_extension(x509.BasicConstraints(ca, 0 if ca else None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, **usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        )
        if not ca:
            purposes = [ExtendedKeyUsageOID.EMAIL_PROTECTION, ObjectIdentifier(_CLAIM_SIGNING)]
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        return builder.sign(authority, None)

    private = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificates = (
        certificate(name(f"Portrayal installation {short}"), own, False),
        certificate(above, authority, True),
    )
    return private + b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)
