"""Settings, each declared once; taken from environment variables ``PORTRAYAL_...``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

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

    host: str = Field(default="127.0.0.1", description="Address that `portrayal serve` listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that it listens on; 0 takes a free one.")
    tls_certificate: Path | None = Field(
        default=None, description="Certificates of the server, a PEM file: with it the server speaks https."
    )
    tls_key: Path | None = Field(
        default=None, description="Private key of the certificate, a PEM file; not needed when both are in one file."
    )
    public_url: str = Field(
        default="",
        description="Address under which others reach the server, such as https://pictures.example.org; links in "
        "answers begin with it. Empty: what the caller used.",
    )
    access: Literal["auto", "open", "keys"] = Field(
        default="auto",
        description="Who may call: `keys` wants a key, `open` wants none, `auto` wants one unless the server listens "
        "on a loopback address.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="postgresql://USER:PASSWORD@HOST/NAME for many workers on many machines. Without it: SQLite in the "
        "data folder.",
    )
    blobs_url: str = Field(
        default="",
        description="Where pictures are kept: empty for a folder in the data folder, another folder, or "
        "s3://BUCKET/PREFIX with the usual AWS_... variables.",
    )
    slots: int = Field(
        default=0, ge=0, le=64, description="Pictures that one worker makes at the same time; 0: half of the cores."
    )
    shutdown_grace: float = Field(
        default=20.0,
        ge=0,
        description="Seconds that a stopping server waits for running pictures; then it hands "
        "them back, and they are made after the next start or by another worker.",
    )
    worker_ttl: float = Field(
        default=10.0,
        ge=1,
        description="Seconds without a sign of life after which a worker is taken for dead and its pictures are made "
        "by another one.",
    )
    max_in_flight: int = Field(
        default=10, ge=1, description="Requests of one key that may be in flight at the Ideogram doors (429 above)."
    )
    max_queued: int = Field(
        default=1000, ge=1, description="Unfinished jobs that one key may have at all other doors (429 above)."
    )
    max_upload_bytes: int = Field(default=26_214_400, ge=1024, description="Largest picture file that is taken, bytes.")
    max_upload_pixels: int = Field(default=40_000_000, ge=4096, description="Largest picture that is taken, pixels.")
    fetch_private: str = Field(
        default="",
        description="Host names, addresses or networks (CIDR), with commas, that may be fetched from and called back "
        "although they are private.",
    )
    fetch_timeout: float = Field(default=20.0, gt=0, description="Seconds that fetching a picture may take.")
    link_seconds: int = Field(
        default=86_400, ge=60, description="How long the address of a result works. The pictures stay in the library."
    )
    keep_days: int = Field(
        default=0, ge=0, description="Days that results without a star are kept; 0: until somebody deletes them."
    )
    upload_days: int = Field(default=7, ge=1, description="Days that an uploaded file is kept when nothing uses it.")
    replicate_data_uris: bool = Field(
        default=False,
        description="Answer with the picture itself (a data URI) at the Replicate doors, so that its clients give a "
        "FileOutput also over plain http.",
    )
    magic_prompt_url: str = Field(
        default="",
        description="Server of a language model that makes prompts richer, in OpenAI's chat format, such as "
        "http://localhost:11434/v1. Empty: the built-in writer. It gets prompts and nothing else.",
    )
    magic_prompt_model: str = Field(default="", description="Name of the model at that server.")
    magic_prompt_key: SecretStr | None = Field(default=None, description="Key for that server.")
    magic_prompt_timeout: float = Field(
        default=10.0, gt=0, le=120, description="Seconds after which the built-in writer takes its place."
    )
    policy: bool = Field(default=True, description="Refuse degrading depictions of people; see docs/policy.md.")
    policy_file: Path | None = Field(default=None, description="Rules (TOML) in the place of those that are shipped.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="What the server writes to stderr: one JSON object a line, never a prompt, a picture or a key.",
    )
