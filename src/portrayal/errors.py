"""What can go wrong, one class per cause that a user can act on.

Every error names the field that is wrong and says the remedy in one line. The command line prints that line
and ends with `exit_code`; nothing is left half-written.
"""

from __future__ import annotations


class PortrayalError(Exception):
    """Base of all errors of this package.

    Attributes:
        field: the request field or argument that is at fault, e.g. ``"reference"``; empty when there is none.
        remedy: what the user can do about it, one sentence.
    """

    exit_code = 2

    def __init__(self, message: str, *, field: str = "", remedy: str = "") -> None:
        self.message = message
        self.field = field
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        """One line: field, message, remedy."""
        head = f"{self.field}: {self.message}" if self.field else self.message
        return f"{head}. {self.remedy}" if self.remedy else head


class InvalidRequestError(PortrayalError):
    """A request field holds a value that is not allowed."""


class ImageReadError(PortrayalError):
    """A file is missing, is not a picture, or is damaged."""


class ImageTooLargeError(PortrayalError):
    """A picture has more pixels than are decoded (protection against decompression bombs)."""


class ImageTooSmallError(PortrayalError):
    """A picture is too small to know anybody by it."""


class NoSubjectError(PortrayalError):
    """Nobody and nothing stands out in the reference."""


class MaskMismatchError(PortrayalError):
    """A mask does not fit its picture."""


class OutputError(PortrayalError):
    """The result could not be written; nothing was left behind."""


class UnknownCharacterError(PortrayalError):
    """No character of that name is saved."""


class DamagedCharacterError(PortrayalError):
    """The files of a saved character were damaged or changed."""


class ArchiveError(PortrayalError):
    """A file is no archive of a character, or is damaged; nothing was taken from it."""


class CredentialsError(PortrayalError):
    """The key or the certificate for content credentials cannot be used."""


class MissingDataError(PortrayalError):
    """A file that ships with the package, or with a dependency, is missing or damaged."""

    exit_code = 3


class NotFoundError(PortrayalError):
    """There is no such job, picture, file, character or key; or it belongs to another library."""


class UnauthenticatedError(PortrayalError):
    """No key was given where one is needed, or it is wrong or revoked."""


class ForbiddenError(PortrayalError):
    """The key is known but may not do this."""


class LimitError(PortrayalError):
    """A limit of the key is reached.

    Attributes:
        reason: "inflight_limit" or "daily_limit".
        limit: the number.
        retry_after: seconds after which it is worth a try.
    """

    def __init__(self, message: str, *, reason: str, limit: int, retry_after: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason
        self.limit = limit
        self.retry_after = retry_after


class PolicyError(PortrayalError):
    """The rules of this installation do not allow such a picture of a person.

    Attributes:
        category: which rule, e.g. "sexual".
    """

    def __init__(self, message: str, *, category: str, field: str = "prompt", remedy: str = "") -> None:
        super().__init__(message, field=field, remedy=remedy)
        self.category = category


class ConflictError(PortrayalError):
    """The state of things does not allow it, e.g. an idempotency key that was used for another request."""
