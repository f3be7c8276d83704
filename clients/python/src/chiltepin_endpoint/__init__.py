"""Manage the Globus Compute endpoints of this machine.

The functions of ``chiltepin.endpoint``, with the same names, arguments and
results, done by the program ``chiltepin``:

    import chiltepin_endpoint as endpoint

    endpoint.login()
    endpoint.configure("my-endpoint")
    endpoint.start("my-endpoint")

What goes wrong is an EndpointError, with a ``code`` for programs, a
``message`` for people and ``next``, the calls that help.

The module may be used from any number of threads, and in a process that forks.
It runs one ``chiltepin rpc`` in the background, from the first call to the end
of the interpreter.
"""

from __future__ import annotations

import math
import os
import platform
import sys
from typing import TYPE_CHECKING, Any, cast

from ._client import Client
from .errors import (
    AlreadyExistsError,
    CanceledError,
    ConflictError,
    EndpointError,
    EndpointTimeoutError,
    FailedError,
    InvalidError,
    NotFoundError,
    NotLoggedInError,
    RefusedError,
    ServerEndedError,
    UnavailableError,
    UnsupportedError,
)
from ._progress import watching
from ._server import TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from globus_sdk import GlobusApp

    from .types import Clients, Endpoint, EndpointStatus, LogPage, Progress

    Directory = str | os.PathLike[str] | None
    Watcher = Callable[[Progress], object] | bool | None

__all__ = [
    "AlreadyExistsError",
    "CanceledError",
    "ConflictError",
    "EndpointError",
    "EndpointTimeoutError",
    "FailedError",
    "InvalidError",
    "NotFoundError",
    "NotLoggedInError",
    "RefusedError",
    "ServerEndedError",
    "UnavailableError",
    "UnsupportedError",
    "configure",
    "delete",
    "exists",
    "get_chiltepin_apps",
    "is_running",
    "login",
    "login_required",
    "logout",
    "logs",
    "restart",
    "show",
    "start",
    "status",
    "stop",
]

CHILTEPIN_CLIENT_UUID = "7d8b6bed-4a3d-4bf7-93c5-9fc58569e4e5"
"""The client id of Chiltepin at Globus Auth."""

ENDPOINT_MANAGEMENT_AVAILABLE = sys.platform == "linux"
"""Whether endpoints can be managed on this machine."""

_client = Client()


def login(*, ask: Callable[[str], str] | None = None) -> Clients:
    """Log in to Globus Compute, Globus Transfer and the Academy exchange.

    A person is needed unless GLOBUS_COMPUTE_CLIENT_ID and
    GLOBUS_COMPUTE_CLIENT_SECRET are set, or the login was made before. ask gets
    the address that the person opens, and returns the code that the page gives;
    if None, the address is printed and the code read from standard input.

    Returns the clients of the Globus SDKs as "compute" and "transfer", which
    use this login. One whose SDK is not installed is absent, and asking for it
    says what to install.
    """
    arguments: dict[str, Any] = {"method": "paste"}  # as a program can be asked
    while True:
        account = _call("login", arguments, changes=True)
        if account.get("outcome") != "pending":
            break
        pending = account["pending"]
        code = (ask or _ask)(pending["url"])
        arguments = {"flow": pending["flow"], "code": code.strip()}
    from . import _sdk

    _sdk.set_client(_client_id(account))
    return cast("Clients", _sdk.Clients())


def login_required() -> bool:
    """Tell whether login() has to be called before endpoints can be started.

    Looks at the stored tokens only and does not use the network.
    """
    try:
        account = _call("whoami", {}, changes=False)
    except NotLoggedInError:
        return True
    return not account["logged_in"]


def logout(*, force: bool = False) -> None:
    """Log out: revoke every token and remove it.

    With force also while endpoints run that need the login.
    """
    _call("logout", {"force": True, "confirm": "logout"} if force else {}, changes=True)


def get_chiltepin_apps() -> tuple[GlobusApp, GlobusApp, GlobusApp]:
    """Return the apps of the Globus SDK for Compute, Transfer and Academy.

    They use the login that login() makes. Needs the packages
    globus-compute-sdk and academy-py.
    """
    from . import _sdk

    _sdk.set_client(CHILTEPIN_CLIENT_UUID)
    return _sdk.compute_app(), _sdk.transfer_app(), _sdk.academy_app()


def configure(
    name: str,
    config_dir: Directory = None,
    timeout: float | None = None,
    *,
    email: str | None = None,
    display_name: str | None = None,
) -> bool:
    """Write the directory of a new endpoint. Returns True.

    config_dir is the configuration directory, ~/.globus_compute if None, here
    and everywhere. timeout is in seconds; None waits as long as it takes. The
    daemon demands an email address when it runs as root; if None, root's is
    that of the variable EMAIL, where it is set. display_name is shown in the
    Globus web app; if None it is the name.
    """
    _linux()
    if email is None and os.geteuid() == 0:
        email = os.environ.get("EMAIL")
    arguments = _arguments(name, config_dir, email=email, display_name=display_name)
    _call("endpoint/configure", arguments, changes=True, timeout=timeout)
    return True


def show(config_dir: Directory = None) -> dict[str, Endpoint]:
    """Return the endpoints: for each name its "id" and its "status".

    The id is None for one that was never registered. The status is judged from
    the processes of this machine, and is one of Initialized, Starting,
    Stopping, Running, Stopped, Disconnected and Unknown.
    """
    _linux()
    found = _call("endpoint/list", _directory(config_dir), changes=False)
    return {e["name"]: {"id": e.get("id"), "status": e["status"]} for e in found["endpoints"]}


def exists(name: str, config_dir: Directory = None) -> bool:
    """Tell whether there is an endpoint of that name."""
    return name in show(config_dir)


def is_running(name: str, config_dir: Directory = None) -> bool:
    """Tell whether the endpoint runs, beyond doubt."""
    endpoint = show(config_dir).get(name)
    return endpoint is not None and endpoint["status"] == "Running"


def status(name: str, config_dir: Directory = None, *, offline: bool = False) -> EndpointStatus:
    """Return the status of an endpoint and the evidence for it.

    The Globus Compute service is asked too, unless offline is true or nobody
    is logged in.
    """
    _linux()
    arguments = _arguments(name, config_dir, offline=offline)
    return cast("EndpointStatus", _call("endpoint/status", arguments, changes=False))


def start(
    name: str,
    config_dir: Directory = None,
    timeout: float | None = None,
    *,
    progress: Watcher = None,
) -> None:
    """Start an endpoint and return once it is proven to run.

    It outlives this program. Starting one that runs does nothing. timeout is in
    seconds; None waits as long as it takes. progress is a function that is
    called with what happens on the way, or True to show it.
    """
    _linux()
    _link_token_store(config_dir)
    arguments = _arguments(name, config_dir, timeout=_span(timeout))
    _call("endpoint/start", arguments, changes=True, progress=progress)


def stop(
    name: str,
    config_dir: Directory = None,
    timeout: float | None = None,
    *,
    now: bool = False,
    progress: Watcher = None,
) -> None:
    """Stop an endpoint once its running tasks are done.

    If the time runs out before, nothing is stopped. With now it does not wait
    for tasks, which are lost. Stopping one that does not run does nothing.
    """
    _linux()
    arguments = _arguments(name, config_dir, timeout=_span(timeout))
    _call("endpoint/stop", _surely(arguments, now), changes=True, progress=progress)


def restart(
    name: str,
    config_dir: Directory = None,
    timeout: float | None = None,
    *,
    now: bool = False,
    progress: Watcher = None,
) -> None:
    """Stop an endpoint, as stop() does, and start it again."""
    _linux()
    _link_token_store(config_dir)
    arguments = _arguments(name, config_dir, timeout=_span(timeout))
    _call("endpoint/restart", _surely(arguments, now), changes=True, progress=progress)


def delete(
    name: str,
    config_dir: Directory = None,
    timeout: float | None = None,
    *,
    force: bool = False,
    local_only: bool = False,
    progress: Watcher = None,
) -> None:
    """End the registration of an endpoint and remove its files, for good.

    One that runs is refused unless force stops it first. When the service
    cannot be reached nothing is removed, unless local_only accepts that the
    registration stays.
    """
    _linux()
    _link_token_store(config_dir)
    # The author of a program that calls this has confirmed it with the name.
    arguments = _arguments(name, config_dir, force=force, local_only=local_only, confirm=name)
    _call("endpoint/delete", arguments, changes=True, timeout=timeout, progress=progress)


def logs(
    name: str,
    config_dir: Directory = None,
    *,
    tail: int | None = None,
    since: str | None = None,
    level: str | None = None,
    grep: str | None = None,
    cursor: str | None = None,
    user_endpoint: str | None = None,
) -> LogPage:
    """Return the last records of an endpoint's log.

    tail is how many at most. since is a span before now such as "10m", or a
    time; level the least grave to take, such as "WARNING"; grep a regular
    expression. cursor is the one of an earlier page, to go on from there.
    user_endpoint is the UUID of a user endpoint whose log is wanted instead.
    """
    _linux()
    arguments = _arguments(
        name,
        config_dir,
        tail=tail,
        since=since,
        level=level,
        grep=grep,
        cursor=cursor,
        user_endpoint=user_endpoint,
    )
    return cast("LogPage", _call("endpoint/logs", arguments, changes=False))


# How Python Chiltepin's exceptions begin, and how the server says the same.
_BEGINNINGS = {
    "endpoint/configure": ("Failed to configure endpoint", "configuring endpoint"),
    "endpoint/start": ("Failed to start endpoint", "starting endpoint"),
    "endpoint/delete": ("Error deleting endpoint", "deleting endpoint"),
}


def _call(
    method: str,
    arguments: dict[str, Any],
    *,
    changes: bool,
    timeout: float | None = None,
    progress: Watcher = None,
) -> dict[str, Any]:
    """Call the server. What goes wrong begins with the words that Python
    Chiltepin has for it, where it has some.
    """
    if timeout is not None:
        _span(timeout)
    name = arguments.get("name", "")
    doing, said = _BEGINNINGS.get(method, ("", ""))
    doing = doing and f"{doing} {name!r}"
    try:
        with watching(progress) as watch:
            return _client.call(method, arguments, changes=changes, watch=watch, timeout=timeout)
    except NotLoggedInError as e:
        raise e.begun("Chiltepin login is required") from None
    except EndpointError as e:
        if not doing:
            raise
        raise e.begun(doing, f'{said} "{name}": ') from None
    except TimedOut:
        raise EndpointTimeoutError(
            f"{method} was not done after {timeout} seconds",
            next="call it again, with a longer timeout if necessary: it continues from there",
        ).begun(doing) from None


def _arguments(name: str, config_dir: Directory, **more: Any) -> dict[str, Any]:
    """Return the arguments of an operation on an endpoint, without those that
    were not given.
    """
    given = {k: v for k, v in more.items() if v is not None and v is not False}
    return {"name": name, **_directory(config_dir), **given}


def _directory(config_dir: Directory) -> dict[str, Any]:
    # Relative to where this program is now, which the server does not know.
    return {"config_dir": os.path.abspath(config_dir)} if config_dir else {}


def _surely(arguments: dict[str, Any], now: bool) -> dict[str, Any]:
    """Add that tasks may be lost, as the author of the program has said."""
    return {**arguments, "now": True, "confirm": arguments["name"]} if now else arguments


def _span(timeout: float | None) -> str:
    """Return a timeout in seconds as the server writes it."""
    if timeout is None or timeout == math.inf:
        return "87600h"  # ten years: as long as it takes
    if not timeout >= 0:
        raise InvalidError(f"timeout: want a number of seconds or None, got {timeout!r}")
    return f"{max(1, round(timeout * 1000))}ms"  # 0 would be no timeout at all


def _link_token_store(config_dir: Directory) -> None:
    """Let an endpoint in another directory use the login of the default one.

    The daemon looks for tokens beside its endpoints, and login() keeps them in
    the default directory. A directory with tokens of its own is left alone.
    """
    if not config_dir:
        return
    default = os.environ.get("GLOBUS_COMPUTE_USER_DIR") or os.path.expanduser("~/.globus_compute")
    store = os.path.join(os.path.abspath(default), "storage.db")
    link = os.path.join(os.path.abspath(config_dir), "storage.db")
    if link == store or os.path.lexists(link) or not os.path.exists(store):
        return
    try:
        os.symlink(store, link)
    except (FileExistsError, FileNotFoundError):
        pass  # Another one was faster, or the call is about to be refused.


def _client_id(account: dict[str, Any]) -> str:
    """Return the client that the tokens for Compute belong to."""
    for service in account.get("services", ()):
        if service["service"] == "compute" and service.get("client_id"):
            return str(service["client_id"])
    return CHILTEPIN_CLIENT_UUID


def _ask(url: str) -> str:
    print("Please open this address in a browser, log in and consent:\n\n" + url + "\n")
    try:
        return input("Paste the code that the page shows: ")
    except EOFError:
        raise NotLoggedInError(
            "a person has to log in, and standard input is closed",
            next="run `python -m chiltepin_endpoint login` in a terminal, or set GLOBUS_COMPUTE_CLIENT_ID and GLOBUS_COMPUTE_CLIENT_SECRET",
        ) from None


def _linux() -> None:
    if platform.system() != "Linux":
        raise UnsupportedError(
            "Endpoint management is only supported on Linux",
            next="log in to the machine where the endpoints are, and run it there",
        )
