"""The package as a whole: light to import, whole on disk, documented."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

import portrayal
from portrayal import assets
from portrayal.bench import reference_pages
from portrayal.settings import Settings

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "cv2", "scipy", "numba", "dlib", "PIL", "rich.progress")


@pytest.mark.parametrize("code", ["import portrayal", "import sys; sys.argv = ['portrayal', '--help']; run()"])
def test_import_and_help_load_nothing_heavy(code: str) -> None:
    program = (
        "import sys\n"
        "def run():\n"
        "    from portrayal.cli import main\n"
        "    try: main()\n"
        "    except SystemExit: pass\n"
        f"{code}\n"
        f"sys.stderr.write(' '.join(m for m in {HEAVY!r} if m in sys.modules))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr == ""


SUMS = [line.split(maxsplit=1) for line in (assets.DATA / "SHA256SUMS").read_text().splitlines()]


@pytest.mark.parametrize(("digest", "name"), SUMS)
def test_shipped_file_is_as_it_was(digest: str, name: str) -> None:
    assert hashlib.sha256(assets.path(name).read_bytes()).hexdigest() == digest


def test_every_model_panorama_and_sample_has_a_sum_and_a_notice() -> None:
    listed = {name for _, name in SUMS}
    folders = ("models", "environments", "sample", "fonts")
    shipped = {str(p.relative_to(assets.DATA)) for f in folders for p in (assets.DATA / f).iterdir()}
    assert shipped == listed
    notice = (ROOT / "NOTICE").read_text()
    for folder in folders:
        assert f"data/{folder}/" in notice


@pytest.mark.parametrize("name", reference_pages.PAGES)
def test_generated_page_is_fresh(name: str) -> None:
    page = ROOT / "docs" / name
    assert page.read_text(encoding="utf-8") == reference_pages.PAGES[name](), "run `make docs`"


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"PORTRAYAL_{name.upper()}" in page
        assert field.description


def test_the_version_is_the_one_of_the_changelog() -> None:
    assert f"## {portrayal.__version__}" in (ROOT / "CHANGELOG.md").read_text()
