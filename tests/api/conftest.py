"""An application in this process with a fake maker, and one without keys beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from portrayal.api.app import create_app
from portrayal.api.dialects import NOTIFIERS
from portrayal.service.service import Service
from portrayal.settings import Settings
from tests.fake import maker

BASE = "http://testserver"


def picture(width: int = 256, height: int = 256, colour: str = "teal", kind: str = "PNG", mode: str = "RGB") -> bytes:
    """A small picture file."""
    out = io.BytesIO()
    Image.new(mode, (width, height), colour).save(out, kind)
    return out.getvalue()


def mask(width: int = 256, height: int = 256, *, inside: int = 0, outside: int = 255) -> bytes:
    """A mask with a square in its middle; black inside is what Ideogram repaints."""
    image = Image.new("L", (width, height), outside)
    image.paste(inside, (width // 4, height // 4, 3 * width // 4, 3 * height // 4))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def uri(data: bytes, kind: str = "image/png") -> str:
    """A data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with a data folder of the module's own. Override it in a module that needs others."""
    folder: Path = tmp_path_factory.mktemp("server")
    return Settings(data_dir=folder / "data", cache_dir=folder / "cache", slots=2, shutdown_grace=1.0)


@pytest.fixture(scope="module")
def keys_needed() -> bool:
    """Whether the application of this module wants keys."""
    return False


@pytest.fixture(scope="module")
def client(settings_here: Settings, keys_needed: bool) -> Iterator[TestClient]:
    """A client of the application."""

    def make() -> Service:
        return Service(settings_here, maker=maker, notifiers=NOTIFIERS, keys_needed=keys_needed)

    with TestClient(create_app(make), base_url=BASE) as client:
        yield client


@pytest.fixture(scope="module")
def service(client: TestClient) -> Service:
    """The service inside."""
    found = client.app.state.service  # type: ignore[attr-defined]
    assert isinstance(found, Service)
    return found
