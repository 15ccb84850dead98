"""Shared by all tests: the sample portrait, and a cache folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from portrayal import assets
from portrayal.settings import Settings


@pytest.fixture(scope="session")
def sample() -> bytes:
    """Bytes of the sample portrait."""
    return assets.path("sample/astronaut.png").read_bytes()


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose cache lives for this test run only."""
    return Settings(cache_dir=tmp_path_factory.mktemp("cache"), data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def portraits() -> list[Path]:
    """Public-domain portraits beside the repository, for measuring only; skipped where they are not."""
    folder = Path(__file__).parents[2] / "shared" / "portraits"
    found = sorted(folder.glob("*.jpg"))
    if not found:
        pytest.skip("no ../shared/portraits beside the repository")
    return found
