"""Content credentials (C2PA 2.4) in picture files: who made them, how, and from what; `docs/decisions/0005`."""

from portrayal.credentials.manifest import prepare, sign, source_type
from portrayal.credentials.reading import Credentials, read

__all__ = ["Credentials", "prepare", "read", "sign", "source_type"]
