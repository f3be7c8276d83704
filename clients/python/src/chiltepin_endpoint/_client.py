"""The server behind this module: started on first use, ended with the
interpreter, started again when it was killed, and never shared with a fork.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any

from ._binary import find
from .errors import CanceledError, EndpointError, ServerEndedError, UnsupportedError
from ._server import Ended, NotSent, Server

if TYPE_CHECKING:
    from ._server import Watch

# These change by themselves and mean nothing to an endpoint.
_VOLATILE = ("COLUMNS", "LINES", "OLDPWD", "PWD", "PYTEST_CURRENT_TEST", "_")


class Client:
    """Keeps one server and calls it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._over = False
        # Registered when the module is imported, so that what a program
        # registers after that can still call.
        atexit.register(self._end)
        os.register_at_fork(after_in_child=self._forked)

    def call(
        self,
        method: str,
        params: dict[str, Any],
        *,
        changes: bool,
        watch: Watch | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Call a method of the server and return its result.

        A server that ended before the call reached it is started again. One
        that ends in the middle of a call is too, but only what changes nothing
        is tried again there, once: of the rest nobody knows what was done, and
        the caller is told so by a ServerEndedError.
        """
        again = not changes
        for _ in range(5):
            try:
                server = self._current()
                return server.call(method, params, watch, timeout)
            except NotSent:
                continue
            except CanceledError:
                self._stay_if_over()
                raise
            except Ended:
                self._stay_if_over()
                if not server.answered:
                    break
                if not again:
                    raise ServerEndedError(
                        f"chiltepin rpc ended ({server.how_it_ended()}) before it answered "
                        f"{method}; so it is unknown whether that took effect",
                        next="look at status(), and call again if necessary: the call continues from there",
                    ) from None
                again = False
        how = server.how_it_ended()  # and with it all that it has printed
        if server.garbage:
            raise EndpointError(
                f"{server.program} is not the chiltepin that this module needs: it printed {server.garbage!r}",
                next="set CHILTEPIN_BIN to the path of a chiltepin of the same release as this module",
            )
        raise EndpointError(
            f"{server.program} ended without an answer when it was run as `chiltepin rpc` ({how})",
            next="run it in a terminal to see why, or set CHILTEPIN_BIN to the path of another chiltepin",
        )

    def close(self) -> None:
        """End the server, if there is one. The next call starts another."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()

    def _end(self) -> None:
        self._over = True  # A new process cannot be started any more.
        self.close()

    @property
    def pid(self) -> int | None:
        """The process id of the server, if there is one."""
        server = self._server
        return server.pid if server is not None and server.alive else None

    def _current(self) -> Server:
        """Return a server that runs with the environment that there is now.

        The daemon gets the server's environment, and programs change theirs:
        what they set before a call counts for the call.
        """
        environ = {k: v for k, v in os.environ.items() if k not in _VOLATILE}
        self._stay_if_over()
        with self._lock:
            if self._over:
                raise CanceledError("the program is ending")
            server = self._server
            if server is not None and server.alive and server.environ == environ:
                return server
            program = find(environ)
            try:
                self._server = Server(program, environ)
            except OSError as e:
                self._server = None
                raise UnsupportedError(
                    f"{program} cannot be run: {e.strerror}",
                    next="set CHILTEPIN_BIN to the path of a chiltepin for this machine",
                ) from None
            finally:
                if server is not None:
                    server.retire()
            return self._server

    def _stay_if_over(self) -> None:
        """Keep a daemon thread here when the program is ending, as Python does
        with all of them a moment later: what it raised and printed now could
        break the end of the others.
        """
        if self._over and threading.current_thread().daemon:
            threading.Event().wait()

    def _forked(self) -> None:
        """Begin anew in a child: the locks may be held by threads that are not
        here, and the server is the parent's.
        """
        server, self._server, self._lock = self._server, None, threading.Lock()
        if server is not None:
            server.forget()
