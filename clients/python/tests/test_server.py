"""There is one server: for all threads, never for a fork, and not longer than
the program. When it is killed there is another.
"""

import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import chiltepin_endpoint as endpoint


def gone(pid, within=300.0):
    """Tell whether a process has ended, or does soon."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            # A process that has ended and that nobody waited for is gone, too.
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def server():
    """Return the process id of the server."""
    endpoint.show()
    return endpoint._client.pid


def pause(pid):
    """Stop the server, and return when it does nothing any more."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)


class Server(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = directory.name

    def test_threads_share_it(self):
        pids, failures = set(), []

        def work(number):
            try:
                for i in range(5):
                    name = f"e{number}-{i}"
                    endpoint.configure(name, self.dir)
                    status = endpoint.status(name, self.dir, offline=True)
                    assert status["name"] == name and status["status"] == "Initialized", status
                    assert endpoint.show(self.dir)[name] == {"id": None, "status": "Initialized"}
                    try:
                        endpoint.status(f"no-{name}", self.dir)
                    except endpoint.NotFoundError as e:
                        assert f'"no-{name}"' in e.message, e
                    endpoint.delete(name, self.dir)
                    assert not endpoint.exists(name, self.dir)
                    pids.add(endpoint._client.pid)
            except BaseException as e:
                failures.append(e)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(pids), 1)
        self.assertEqual(endpoint.show(self.dir), {})

    def test_killed_between_calls(self):
        before = server()
        os.kill(before, signal.SIGKILL)
        self.assertEqual(endpoint.show(self.dir), {})
        self.assertNotEqual(endpoint._client.pid, before)
        self.assertIsNotNone(endpoint._client.pid)

    def killed_during(self, call):
        """Call in another thread, kill the server before it answers, and return
        what became of the call.
        """
        pid = server()
        pause(pid)
        outcome = queue.SimpleQueue()

        def run():
            try:
                outcome.put(call())
            except endpoint.EndpointError as e:
                outcome.put(e)

        threading.Thread(target=run).start()
        sent = endpoint._client._server
        while not sent._waiting:
            time.sleep(0.01)
        time.sleep(0.1)  # Now it is in the pipe.
        os.kill(pid, signal.SIGKILL)
        return outcome.get(timeout=300)

    def test_killed_during_a_call_that_reads(self):
        self.assertEqual(self.killed_during(lambda: endpoint.show(self.dir)), {})

    def test_killed_during_a_call_that_changes(self):
        e = self.killed_during(lambda: endpoint.configure("mesa", self.dir))
        self.assertIsInstance(e, endpoint.ServerEndedError)
        self.assertIsInstance(e, ConnectionError)
        self.assertIn("killed by signal 9", e.message)
        self.assertIn("status()", e.next)
        self.assertFalse(endpoint.exists("mesa", self.dir))  # it was not tried again
        self.assertTrue(endpoint.configure("mesa", self.dir))

    def test_timeout(self):
        pid = server()
        pause(pid)
        threading.Timer(1, os.kill, (pid, signal.SIGCONT)).start()
        # The call is in the pipe when it is canceled, so that it may be done
        # before the cancellation is read; either is right, and is told.
        try:
            endpoint.configure("mesa", self.dir, timeout=0.2)
        except endpoint.EndpointTimeoutError as e:
            self.assertIsInstance(e, TimeoutError)
            self.assertEqual(e.code, "timeout")
            self.assertFalse(endpoint.exists("mesa", self.dir))
        else:
            self.assertTrue(endpoint.exists("mesa", self.dir))
        self.assertEqual(server(), pid)

    def test_what_the_environment_says_now(self):
        with tempfile.TemporaryDirectory() as home:
            with mock.patch.dict(os.environ, {"GLOBUS_COMPUTE_USER_DIR": home}):
                endpoint.configure("there")
                self.assertEqual(list(endpoint.show()), ["there"])
                self.assertTrue(os.path.exists(os.path.join(home, "there", "config.yaml")))
                pid = endpoint._client.pid
            self.assertNotIn("there", endpoint.show())
            self.assertTrue(gone(pid))

    def test_fork(self):
        pid = server()
        reader, writer = os.pipe()
        release, hold = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(hold)
                mine = server()
                endpoint.configure("of-the-child", self.dir)
                os.write(writer, str(mine).encode())
                os.read(release, 1)
                status = 0
            finally:
                os._exit(status)
        os.close(release)
        mine = int(os.read(reader, 20))
        self.assertNotEqual(mine, pid)
        self.assertEqual(server(), pid)  # the parent's was left alone
        self.assertEqual(list(endpoint.show(self.dir)), ["of-the-child"])
        # The child lives on, and keeps no end of the parent's open.
        endpoint._client.close()
        self.assertTrue(gone(pid))
        os.close(hold)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.assertTrue(gone(mine))

    def test_fork_while_another_thread_calls(self):
        stop = threading.Event()

        def call():
            while not stop.is_set():
                endpoint.show(self.dir)

        thread = threading.Thread(target=call)
        thread.start()
        try:
            for _ in range(10):
                child = os.fork()
                if child == 0:
                    ok = False
                    try:
                        ok = endpoint.show(self.dir) == {}
                    finally:
                        endpoint._client.close()
                        os._exit(0 if ok else 1)
                self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        finally:
            stop.set()
            thread.join()

    def test_interrupt(self):
        main = threading.main_thread().ident
        for name, press in (
            ("while it waits", lambda: signal.pthread_kill(main, signal.SIGINT)),
            # Python hears of it when the answer is there.
            ("as it is answered", lambda: signal.raise_signal(signal.SIGINT)),
        ):
            with self.subTest(name):
                pid = server()
                pause(pid)
                threading.Timer(0.2, press).start()
                threading.Timer(0.5, os.kill, (pid, signal.SIGCONT)).start()
                with self.assertRaises(KeyboardInterrupt):
                    endpoint.show(self.dir)
                self.assertEqual(server(), pid)  # ctrl-C is not the server's end

    def test_what_a_callback_raises(self):
        endpoint.configure("mesa", self.dir)

        class Stop(Exception):
            pass

        def stop(progress):
            raise Stop

        pid = server()
        with self.assertRaises(Stop):
            endpoint.stop("mesa", self.dir, progress=stop)
        self.assertEqual(server(), pid)

    def test_ends_with_the_interpreter(self):
        begin = "import chiltepin_endpoint as e, os, sys\ne.show()\nprint(e._client.pid, flush=True)\n"
        for how, status in (
            ("pass", 0),
            ("import atexit; atexit.register(e.show)", 0),
            ("sys.exit(3)", 3),
            ("raise ValueError", 1),
            ("os._exit(4)", 4),
            ("os.kill(os.getpid(), 9)", -9),
            ("import threading, time; threading.Thread(target=lambda: [time.sleep(.3), e.show()]).start()", 0),
            # Its thread stays where it is, and says nothing.
            ("import threading; threading.Thread(target=lambda: [e.show() for _ in iter(int, 1)], daemon=True).start()", 0),
            # A child that lives on, and knows nothing of this module.
            ("import time; os.fork() or os.close(1) or os.close(2) or time.sleep(25) or os._exit(0)", 0),
        ):
            with self.subTest(how):
                ended = subprocess.run(
                    [sys.executable, "-W", "error", "-c", begin + how], capture_output=True, text=True, timeout=900
                )
                self.assertEqual(ended.returncode, status, ended.stderr)
                self.assertTrue(gone(int(ended.stdout), within=20.0))
                if status in (0, 3):
                    self.assertEqual(ended.stderr, "")

    def test_quiet(self):
        """Nothing but what the program itself prints reaches its output."""
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-X", "dev", "-c", "import chiltepin_endpoint as e; e.show(); e.login_required()"],
            capture_output=True,
            text=True,
            timeout=900,
        )
        self.assertEqual((ended.stdout, ended.stderr, ended.returncode), ("", "", 0))


if __name__ == "__main__":
    unittest.main()
