"""The exceptions of this module.

Each has a ``code``, one word for programs that means the same on the command
line, in MCP and in JSON-RPC; a ``message``, one sentence for people; and
``next``, what to do about it, where there is something: a text that names calls
of this module, one step a line. All are RuntimeErrors,
as most of Python Chiltepin's are, and beside that of the type that Python
Chiltepin raises for the same thing: TimeoutError, NotImplementedError,
ImportError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self


class EndpointError(RuntimeError):
    """Something could not be done. The base class of all exceptions here."""

    code = "internal"
    """The kind of failure, for programs."""
    message: str
    """What happened, one sentence for people."""
    next: str | None
    """What to do about it, one step a line, as calls of this module."""
    next_steps: Sequence[Mapping[str, Any]]
    """The same as data: each with ``method``, ``params`` and ``why``, or ``do``."""
    data: Mapping[str, Any]
    """More about it, such as the ``lines`` of the log that show the cause."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        next: str | None = None,
        next_steps: Sequence[Mapping[str, Any]] = (),
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(_text(message, next))
        if code is not None:
            self.code = code
        self.message = message
        self.next = next
        self.next_steps = next_steps
        self.data = data or {}

    def begun(self, words: str, instead: str = "") -> Self:
        """Return it with a text that begins with words, instead of others if
        the message has those. The message itself stays.
        """
        if words:
            text = f"{words}: {self.message.removeprefix(instead)}"
            self.args = (_text(text, self.next),)
        return self


def _text(message: str, next: str | None) -> str:
    return message + "\nnext: " + next.replace("\n", "\n      ") if next else message


class InvalidError(EndpointError, ValueError):
    """An argument or a file is wrong."""

    code = "invalid"


class NotFoundError(EndpointError):
    """There is no such endpoint."""

    code = "not_found"


class AlreadyExistsError(EndpointError):
    """There is such an endpoint already."""

    code = "already_exists"


class NotLoggedInError(EndpointError):
    """A login is needed."""

    code = "not_logged_in"


class EndpointTimeoutError(EndpointError, TimeoutError):
    """Time ran out. The message says what is known."""

    code = "timeout"


class UnavailableError(EndpointError):
    """Globus could not be reached, or could not answer."""

    code = "unavailable"


class UnsupportedError(EndpointError, NotImplementedError, ImportError):
    """It is not possible here: not Linux, or a program is not installed."""

    code = "unsupported"


class ConflictError(EndpointError):
    """It runs elsewhere, it is locked, or it still runs."""

    code = "conflict"


class RefusedError(EndpointError):
    """The service refused, or the operating system did."""

    code = "refused"


class FailedError(EndpointError):
    """The daemon ended. ``data`` has its exit status, the cause, log lines."""

    code = "failed"


class CanceledError(EndpointError):
    """It was interrupted."""

    code = "canceled"


class ServerEndedError(EndpointError, ConnectionError):
    """``chiltepin rpc`` ended in the middle of a call that changes something.

    Whether it took effect is not known, so it was not tried again.
    """


def of_code(code: str) -> type[EndpointError]:
    """Return the class for a code; EndpointError for one that is not known."""
    for kind in (
        InvalidError,
        NotFoundError,
        AlreadyExistsError,
        NotLoggedInError,
        EndpointTimeoutError,
        UnavailableError,
        UnsupportedError,
        ConflictError,
        RefusedError,
        FailedError,
        CanceledError,
    ):
        if kind.code == code:
            return kind
    return EndpointError
