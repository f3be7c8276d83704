"""The shapes of what the functions return, for type checkers.

Nothing here is needed to run a program. A result may have more members than
are named here: later releases add some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from globus_compute_sdk import Client
    from globus_sdk import TransferClient

    class Clients(TypedDict):
        """What login() returns: clients of the Globus SDKs, logged in."""

        compute: Client
        transfer: TransferClient


class Endpoint(TypedDict):
    """One endpoint in what show() returns."""

    id: str | None
    """UUID of its registration; None when it was never registered."""
    status: str
    """Initialized, Starting, Stopping, Running, Stopped, Disconnected or Unknown."""


class _EndpointStatus(TypedDict):
    name: str
    status: str
    reason: str
    path: str
    evidence: dict[str, object]


class EndpointStatus(_EndpointStatus, total=False):
    """What status() returns: the status of an endpoint, and by what evidence."""

    id: str
    service: dict[str, str]
    user_endpoints: list[dict[str, object]]


class _LogLine(TypedDict):
    text: str


class LogLine(_LogLine, total=False):
    """One record of a log. Its text is written by others."""

    time: str
    level: str


class _LogPage(TypedDict):
    file: str
    lines: list[LogLine]
    more: bool


class LogPage(_LogPage, total=False):
    """What logs() returns: records, oldest first."""

    cursor: str
    """Give it to logs() to go on after the last record."""
    older: str
    """Give it to logs() as cursor to go on before the first record."""
    gap: bool


class _Progress(TypedDict):
    message: str


class Progress(_Progress, total=False):
    """What a callback is given: one thing that happened on the way."""

    percentage: int
    """How much is done, of 100; absent where that is not known."""
