"""One ``chiltepin rpc`` and the conversation with it.

JSON-RPC 2.0, one object a line. Any number of threads may call at once; each
gets its own answer, and the progress of its own call in its own thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from ._next_steps import describe
from .errors import EndpointError, InvalidError, of_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Message = dict[str, Any]
    Watch = Callable[[Mapping[str, Any]], None]

# How long an answer is waited for after a call was canceled: the server ends
# what is under way in order, and says how far it came.
_GRACE = 30.0


class NotSent(Exception):
    """The server ended before the call reached it, so nothing was done."""


class Ended(Exception):
    """The server ended before it answered; what was done is not known."""


class TimedOut(Exception):
    """The server did not answer in time, and the call was canceled."""


class Server:
    """A running ``chiltepin rpc``. Use as many threads as you like."""

    def __init__(self, program: str, environ: dict[str, str]) -> None:
        """Start the server.

        Raises OSError when the program cannot be run.
        """
        self.program = program
        self.environ = environ
        # A session of its own: ctrl-C is for this process, which then cancels
        # what is under way. Without buffers, so that nothing is held or locked
        # when this process forks.
        self._process = subprocess.Popen(
            # Whoever calls this module is the person: any directory is theirs to
            # name.
            [program, "rpc", "--config-root", "/"],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._state = threading.Lock()  # guards the four below
        self._waiting: dict[int, SimpleQueue[Message | None]] = {}
        self._number = 0
        self._retired = False  # takes no more calls
        self._ended = False  # answers no more
        self._writing = threading.Lock()  # held while a line is written
        self.answered = False
        self.garbage = ""
        self._reader = threading.Thread(target=self._read, name="chiltepin rpc", daemon=True)
        self._reader.start()
        # Who begins with this has its calls run at the same time, and a server
        # that ends when this process does. The answer tells nothing more.
        hello = {"processId": os.getpid(), "clientInfo": {"name": "chiltepin_endpoint"}, "capabilities": {}}
        try:
            self._send(_line({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}))
        except OSError:
            pass  # It has ended already, which the first call will find.

    @property
    def alive(self) -> bool:
        """Whether it still takes calls."""
        return not self._ended and not self._retired and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def call(
        self,
        method: str,
        params: Message,
        watch: Watch | None = None,
        timeout: float | None = None,
    ) -> Message:
        """Call a method and return its result.

        The server's refusal is an EndpointError. After timeout seconds the call
        is canceled and, unless the server answered after all, TimedOut raised.
        What watch or a signal handler raises cancels the call too, and is
        raised again once the server has ended what was under way.
        """
        inbox: SimpleQueue[Message | None] = SimpleQueue()
        with self._state:
            if self._ended or self._retired:
                raise NotSent
            self._number += 1
            number = self._number
            self._waiting[number] = inbox
        try:
            if watch is not None:
                params = {**params, "workDoneToken": number}
            line = _line({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            try:
                self._send(line)
            except (OSError, ValueError):
                raise NotSent from None
            try:
                answer = self._await(inbox, watch, timeout)
            except Ended:
                raise
            except BaseException as e:
                late = self._cancel(number, inbox)
                if isinstance(e, TimedOut) and late is not None and not _canceled(late):
                    return _result(late, params)
                raise
            return _result(answer, params)
        finally:
            with self._state:
                self._waiting.pop(number, None)
            self._end_if_idle()

    def retire(self) -> None:
        """Take no more calls; the server ends when it has answered all."""
        with self._state:
            self._retired = True
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        with self._state:
            idle = self._retired and not self._waiting
        if idle:
            self._close_stdin()

    def _close_stdin(self) -> None:
        with self._writing:
            self._stdin.close()

    def close(self) -> None:
        """Cancel all calls and end the server; wait until it is gone."""
        with self._state:
            self._retired = True
            numbers = list(self._waiting)
        for number in numbers:
            self._notify_canceled(number)
        self._close_stdin()
        for end in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(5)
                return
            except subprocess.TimeoutExpired:
                end()
        self._process.wait()

    def forget(self) -> None:
        """Let go of it in a child that was forked: it is the parent's."""
        self._ended = True
        # No lock is taken: the threads that may hold one are not here.
        self._stdin.close()
        self._stdout.close()
        # Not a child of this process, so never to be waited for.
        self._process.returncode = 0

    def how_it_ended(self) -> str:
        """Say in a few words how the process ended, once its output is read."""
        self._reader.join(1)
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        return f"killed by signal {-status}" if status < 0 else f"exit status {status}"

    def _await(
        self, inbox: SimpleQueue[Message | None], watch: Watch | None, timeout: float | None
    ) -> Message:
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - monotonic())
            try:
                message = inbox.get(timeout=left)
            except Empty:
                raise TimedOut from None
            if message is None:
                raise Ended
            if "method" not in message:
                return message
            if watch is not None:
                watch(message["params"]["value"])

    def _cancel(self, number: int, inbox: SimpleQueue[Message | None]) -> Message | None:
        """Cancel a call and return its late answer, if one comes."""
        with self._state:
            pending = number in self._waiting
        if pending:
            self._notify_canceled(number)
        try:
            # Of one that was answered already the answer may be lost: it was
            # taken just when the exception came.
            return self._await(inbox, None, _GRACE if pending else 0)
        except (TimedOut, Ended):
            return None

    def _notify_canceled(self, number: int) -> None:
        try:
            self._send(_line({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": number}}))
        except (OSError, ValueError):
            pass  # It has ended, and with it the call.

    def _send(self, line: bytes) -> None:
        with self._writing:
            rest = memoryview(line)
            try:
                while rest:
                    rest = rest[self._stdin.write(rest) :]
            except BaseException:
                if 0 < len(rest) < len(line):
                    # Half a line: whatever followed would be taken as its rest.
                    self._retired = True
                    self._stdin.close()
                raise

    def _read(self) -> None:
        """Hand out what the server says, until it ends; runs in the reader."""
        part = b""
        try:
            while chunk := os.read(self._stdout.fileno(), 1 << 16):
                *lines, part = (part + chunk).split(b"\n")
                for line in lines:
                    self._take(line)
        except (OSError, ValueError):
            pass
        finally:
            with self._state:
                self._ended = True
                waiting = list(self._waiting.values())
            for inbox in waiting:
                inbox.put(None)
            self._stdout.close()
            self._process.wait()

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            number = _number(message)
        except (ValueError, TypeError, KeyError, AttributeError):
            self.garbage = self.garbage or line[:200].decode(errors="replace")
            return
        with self._state:
            inbox = self._waiting.get(number)
            if "method" not in message:
                self._waiting.pop(number, None)
        self.answered = True
        if inbox is not None:
            inbox.put(message)


def _line(message: Message) -> bytes:
    try:
        return json.dumps(message, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        # A path with bytes that are no UTF-8: JSON has no way to say it.
        raise InvalidError(
            "a text has bytes that are no UTF-8",
            next="use a name and a directory in UTF-8",
        ) from None


def _number(message: Message) -> int:
    """Return the number of the call that a message belongs to, or 0."""
    if message.get("method") == "$/progress":
        number = message["params"]["token"]
        message["params"]["value"]  # it has one
    else:
        number = 0 if "method" in message else message["id"]
    return number if isinstance(number, int) else 0


def _canceled(answer: Message) -> bool:
    return bool(answer.get("error", {}).get("code") == -32800)


def _result(answer: Message, params: Message) -> Message:
    """Return the result of a call with those parameters, or raise its error."""
    error = answer.get("error")
    if error is None:
        result: Message = answer["result"]
        return result
    data = error.get("data") or {}
    kind = of_code(data.get("code", ""))
    said = data.get("next")
    steps = said if isinstance(said, list) else []
    # A server of an earlier release says what to do as a text.
    words = said if isinstance(said, str) else describe(steps, params)
    raise kind(
        str(error.get("message", "")) or "the server gave no reason",
        code=data.get("code") or EndpointError.code,
        next=words or None,
        next_steps=steps,
        data={k: v for k, v in data.items() if k not in ("code", "next")},
    )
