"""A process that makes what waits in a folder, with the fake maker, and ends when nothing waits any more."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import sqlalchemy as sa

from portrayal.service import service as module
from portrayal.service.envelope import FINAL
from portrayal.service.service import Service
from portrayal.service.tables import PortrayalRow
from portrayal.settings import Settings
from tests import fake


def settings(folder: Path) -> Settings:
    """Of the process, and of whoever looks at its folder."""
    return Settings(data_dir=folder / "data", cache_dir=folder / "cache", slots=2, policy=False)


def main() -> None:
    """Work until all jobs have ended."""
    module._warmed = lambda *_: None
    service = Service(settings(Path(sys.argv[1])), maker=fake.maker).open()
    unfinished = sa.select(PortrayalRow.id).where(PortrayalRow.state.not_in(FINAL)).limit(1)
    while True:
        with service.database.session() as session:
            if session.scalar(unfinished) is None:
                break
        time.sleep(0.05)
    service.close()


if __name__ == "__main__":
    main()
