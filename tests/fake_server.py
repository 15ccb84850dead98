"""The real command line with a fake maker in the place of the engine: `python -m tests.fake_server serve`."""

from __future__ import annotations

import functools
from typing import Any

from portrayal import cli, pipeline
from tests.fake import maker


def main() -> None:
    """Replace the pipeline, then do what the command line says."""
    replaced: Any = functools.wraps(pipeline.portray)(maker)
    pipeline.portray = replaced
    cli.main()


if __name__ == "__main__":
    main()
