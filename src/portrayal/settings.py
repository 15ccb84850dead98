"""Settings, each declared once; taken from environment variables ``PORTRAYAL_...``."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """All settings of the program. `docs/settings.md` shows each; a test keeps it complete."""

    model_config = SettingsConfigDict(env_prefix="PORTRAYAL_", frozen=True, extra="ignore")

    cache_dir: Path = Field(
        default_factory=lambda: user_cache_path("portrayal"),
        description="Folder where identity maps are kept. They hold a face descriptor: personal data that never "
        "leaves the machine.",
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("portrayal"),
        description="Folder where saved characters are kept, with their pictures, masks and notes, and the key that "
        "signs content credentials; readable by you alone.",
    )
    cache: bool = Field(default=True, description="Keep identity maps on disk: a reference is studied once.")
    metadata: bool = Field(
        default=True, description="Write the request, seed, version and identity score into each picture file."
    )
    credentials: bool = Field(
        default=True, description="Sign each picture file with content credentials (C2PA) that say how it was made."
    )
    signing_key: Path | None = Field(
        default=None,
        description="Private key that signs them, a PEM file: Ed25519, or ECDSA on P-256 or P-384. Without it one is "
        "made at first use.",
    )
    signing_certificate: Path | None = Field(
        default=None, description="Certificates of the signing key, a PEM file: its own first, then those above it."
    )
    signing_passphrase: SecretStr | None = Field(default=None, description="Passphrase of the signing key.")
