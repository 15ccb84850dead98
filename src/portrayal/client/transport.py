"""Calls of a server, and its problems as this package's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx2

from portrayal import errors
from portrayal.errors import InvalidRequestError, LimitError, PolicyError, PortrayalError

PREFIX: Final = "/api/v1"
_BY_STATUS: Final[dict[int, type[PortrayalError]]] = {
    401: errors.UnauthenticatedError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    413: errors.ImageTooLargeError,
    422: InvalidRequestError,
}


class ServerError(PortrayalError):
    """The server cannot be reached, failed, or is no Portrayal.

    Attributes:
        status: HTTP status; 0 when there was no answer.
    """

    exit_code = 3

    def __init__(self, message: str, *, status: int = 0, remedy: str = "") -> None:
        super().__init__(message, field="server", remedy=remedy)
        self.status = status


class Transport:
    """One server.

    Args:
        base: its address, e.g. ``http://127.0.0.1:8000``.
        key: an API key, where one is needed.
        timeout: seconds for one answer; calls that wait for a portrayal have their own.
        http: an `httpx2.Client` to use instead of an own one, e.g. with a proxy.
    """

    def __init__(self, base: str, key: str | None, timeout: float, http: httpx2.Client | None) -> None:
        self.base = base.rstrip("/")
        if not self.base.startswith(("http://", "https://")):
            raise InvalidRequestError(
                "is no http(s) address", field="server", remedy="Write e.g. http://127.0.0.1:8000."
            )
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._own = http is None
        self.http = http or httpx2.Client(timeout=timeout, follow_redirects=True)

    def close(self) -> None:
        """Close the connections, if they are our own."""
        if self._own:
            self.http.close()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer; None where it has none.

        Raises:
            PortrayalError: as the server says; ServerError.
        """
        answer = self._answer(method, path, options)
        if answer.status_code == 204 or not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise self._strange() from None

    def data(self, path: str, **options: Any) -> bytes:
        """The bytes of an answer."""
        return self._answer("GET", path, options).content

    def _answer(self, method: str, path: str, options: dict[str, Any]) -> httpx2.Response:
        headers = {**self._headers, **options.pop("headers", {})}
        with self._reached():
            answer = self.http.request(method, self.base + PREFIX + path, headers=headers, **options)
        if answer.status_code >= 400:
            raise problem_of(answer)
        return answer

    @contextmanager
    def stream(self, path: str, headers: dict[str, str], timeout: float) -> Iterator[httpx2.Response]:
        """An answer that comes bit by bit.

        Raises:
            PortrayalError: as the server says; ServerError.
        """
        url = self.base + PREFIX + path
        with (
            self._reached(),
            self.http.stream("GET", url, headers={**self._headers, **headers}, timeout=timeout) as answer,
        ):
            if answer.status_code >= 400:
                answer.read()
                raise problem_of(answer)
            yield answer

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx2.TimeoutException:
            raise ServerError(f"{self.base} does not answer in time", remedy="Try again.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ServerError(
                f"{self.base} cannot be reached ({type(error).__name__})", remedy="Is `portrayal serve` running there?"
            ) from None

    def _strange(self) -> ServerError:
        return ServerError(f"{self.base} does not answer as Portrayal does", remedy="Check the address.")


def problem_of(answer: httpx2.Response) -> PortrayalError:
    """The error that an answer is."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "detail" not in body:
        return ServerError(
            f"the server answers with status {answer.status_code}",
            status=answer.status_code,
            remedy="Is this the address of a Portrayal server?",
        )
    message, field, remedy = (str(body.get(name) or "") for name in ("detail", "field", "remedy"))
    if answer.status_code == 429:
        after = answer.headers.get("retry-after", "1")
        return LimitError(
            message,
            reason=str(body.get("reason") or ""),
            limit=int(body.get("limit") or 0),
            retry_after=int(after) if after.isdecimal() else 1,
            remedy=remedy,
        )
    if body.get("category"):
        return PolicyError(message, category=str(body["category"]), field=field, remedy=remedy)
    kind = getattr(errors, str(body.get("error") or ""), None)
    if not (isinstance(kind, type) and issubclass(kind, PortrayalError)) or kind in (LimitError, PolicyError):
        kind = _BY_STATUS.get(answer.status_code)
    if kind is None:
        return ServerError(message, status=answer.status_code, remedy=remedy or "The server's log says more.")
    return kind(message, field=field, remedy=remedy)
