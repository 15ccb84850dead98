"""Settings, each declared once; taken from environment variables ``PORTRAYAL_...``."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path, user_data_path
from pydantic import Field
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
        description="Folder where saved characters are kept: their pictures, masks and notes, readable by you alone.",
    )
    cache: bool = Field(default=True, description="Keep identity maps on disk: a reference is studied once.")
    metadata: bool = Field(
        default=True, description="Write the request, seed, version and identity score into each picture file."
    )
