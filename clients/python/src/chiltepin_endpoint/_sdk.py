"""What the Globus SDKs need to find the login of chiltepin, and clients of
theirs. Nothing here logs in: the tokens are where the SDKs look for them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .errors import InvalidError, UnsupportedError

if TYPE_CHECKING:
    from globus_compute_sdk import Client
    from globus_sdk import GlobusApp, TransferClient

_COMPUTE = "globus-compute-sdk"
_TRANSFER = "globus-sdk"
_ACADEMY = "academy-py"


def set_client(client_id: str) -> None:
    """Name the client that the tokens were issued to in the environment.

    Without it the SDKs would renew them as another client. A client that the
    environment names already is left; if it has a secret, the programs that
    look for it under other names find it too.
    """
    named = os.environ.get("GLOBUS_COMPUTE_CLIENT_ID")
    secret = os.environ.get("GLOBUS_COMPUTE_CLIENT_SECRET")
    if secret and not named:
        raise InvalidError(
            "$GLOBUS_COMPUTE_CLIENT_SECRET is set but $GLOBUS_COMPUTE_CLIENT_ID is not",
            next="set GLOBUS_COMPUTE_CLIENT_ID to the client id that belongs to the secret",
        )
    if secret and named:
        for program in ("GLOBUS_CLI", "ACADEMY_GLOBUS"):
            os.environ[f"{program}_CLIENT_ID"] = named
            os.environ[f"{program}_CLIENT_SECRET"] = secret
    os.environ.setdefault("GLOBUS_COMPUTE_CLIENT_ID", client_id)


def compute_app() -> GlobusApp:
    """Return the app of the Compute SDK, whose tokens the daemon shares."""
    try:
        from globus_compute_sdk.sdk.auth.auth_client import ComputeAuthClient
        from globus_compute_sdk.sdk.auth.globus_app import get_globus_app
    except ImportError:
        raise _missing("the compute app", _COMPUTE) from None
    app: GlobusApp = get_globus_app()
    scopes = ComputeAuthClient.scopes
    app.add_scope_requirements({scopes.resource_server: ComputeAuthClient.default_scope_requirements})
    return app


def transfer_app() -> GlobusApp:
    """Return the app whose tokens are for Globus Transfer."""
    try:
        from globus_sdk import ClientApp, UserApp
    except ImportError:
        raise _missing("the transfer app", _TRANSFER) from None
    client_id = os.environ["GLOBUS_COMPUTE_CLIENT_ID"]
    secret = os.environ.get("GLOBUS_COMPUTE_CLIENT_SECRET")
    if secret:
        return ClientApp("chiltepin", client_id=client_id, client_secret=secret)
    return UserApp("chiltepin", client_id=client_id)


def academy_app() -> GlobusApp:
    """Return the app whose tokens are for the Academy exchange."""
    try:
        from academy.exchange.cloud.login import get_globus_app
        from academy.exchange.cloud.scopes import AcademyExchangeScopes as scopes
    except ImportError:
        raise _missing("the academy app", _ACADEMY) from None
    app: GlobusApp = get_globus_app()
    app.add_scope_requirements({scopes.resource_server: [scopes.academy_exchange]})
    return app


def compute_client() -> Client:
    """Return a logged-in client of the Compute SDK."""
    app = compute_app()
    from globus_compute_sdk import Client

    return Client(app=app)


def transfer_client() -> TransferClient:
    """Return a logged-in client of Globus Transfer."""
    app = transfer_app()
    from globus_sdk import TransferClient

    return TransferClient(app=app)


class Clients(dict[str, Any]):
    """The clients that can be had; asked for another it says what to install."""

    def __init__(self) -> None:
        super().__init__()
        self._absent: dict[str, UnsupportedError] = {}
        for name, make in (("compute", compute_client), ("transfer", transfer_client)):
            try:
                self[name] = make()
            except UnsupportedError as e:
                self._absent[name] = e

    def __missing__(self, name: str) -> Any:
        raise self._absent.get(name) or KeyError(name)


def _missing(what: str, package: str) -> UnsupportedError:
    return UnsupportedError(
        f"{what} needs the package {package}, which is not installed",
        next=f"pip install {package}",
    )
