"""The life of an endpoint with the real daemon and the real SDKs, logged in
by client credentials.
"""

import contextlib
import io
import os
import pathlib
import signal
import sys
import threading
import time
import unittest
import uuid
import warnings
from unittest import mock

import chiltepin_endpoint as endpoint

HOME = pathlib.Path(os.environ["HOME"])


class Life(unittest.TestCase):
    """One story, told in the order of the names."""

    def test_a_login(self):
        self.assertTrue(endpoint.login_required())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDKs' own
            clients = endpoint.login()
        self.assertFalse(endpoint.login_required())

        import globus_compute_sdk
        import globus_sdk

        self.assertEqual(sorted(clients), ["compute", "transfer"])
        self.assertIsInstance(clients["compute"], globus_compute_sdk.Client)
        self.assertIsInstance(clients["transfer"], globus_sdk.TransferClient)
        with self.assertRaises(KeyError):
            clients["academy"]
        # Others find the credentials under the names that they know.
        mine = os.environ["GLOBUS_COMPUTE_CLIENT_ID"]
        for program in ("GLOBUS_CLI", "ACADEMY_GLOBUS"):
            self.assertEqual(os.environ[f"{program}_CLIENT_ID"], mine)
            self.assertEqual(os.environ[f"{program}_CLIENT_SECRET"], os.environ["GLOBUS_COMPUTE_CLIENT_SECRET"])

    def test_b_configure(self):
        self.assertIs(endpoint.configure("mesa", display_name="Mesa, debug queue"), True)
        self.assertIn("Mesa, debug queue", (HOME / ".globus_compute/mesa/config.yaml").read_text())
        self.assertEqual(endpoint.show(), {"mesa": {"id": None, "status": "Initialized"}})
        self.assertTrue(endpoint.exists("mesa"))
        self.assertFalse(endpoint.is_running("mesa"))

    def test_c_no_daemon(self):
        nothing = {"PATH": "/nowhere", "CHILTEPIN_RUNTIME": ""}
        with mock.patch.dict(os.environ, nothing), self.assertRaises(ImportError) as caught:
            endpoint.start("mesa")
        e = caught.exception
        self.assertIsInstance(e, NotImplementedError)
        self.assertIsInstance(e, RuntimeError)
        self.assertEqual(e.code, "unsupported")
        self.assertRegex(e.next, r"chiltepin(_endpoint)? runtime install")

    def test_d_start_in_no_time(self):
        with self.assertRaisesRegex(TimeoutError, "^Failed to start endpoint 'mesa'") as caught:
            endpoint.start("mesa", timeout=0.05)
        self.assertIsInstance(caught.exception, endpoint.EndpointTimeoutError)
        self.assertEqual(caught.exception.code, "timeout")

    def test_e_start(self):
        told = []
        endpoint.start("mesa", timeout=900, progress=told.append)
        self.assertTrue(endpoint.is_running("mesa"))
        shown = endpoint.show()["mesa"]
        self.assertEqual(shown["status"], "Running")
        self.assertEqual(str(uuid.UUID(shown["id"])), shown["id"])
        self.assertGreaterEqual(len(told), 2)
        for progress in told:
            self.assertIsInstance(progress["message"], str)
        self.assertIsNone(endpoint.start("mesa"))  # it runs: nothing to do

        status = endpoint.status("mesa")
        self.assertEqual((status["name"], status["id"], status["status"]), ("mesa", shown["id"], "Running"))
        self.assertTrue(status["evidence"]["process"]["proven"])
        self.assertIn(status["service"]["status"], ("online", "offline"))  # it may not have heard of it yet
        page = endpoint.logs("mesa", tail=3)
        self.assertEqual(len(page["lines"]), 3)
        self.assertTrue(page["more"])
        self.assertEqual(endpoint.logs("mesa", grep="nowhere to be found")["lines"], [])

    def test_f_conflict(self):
        with self.assertRaises(endpoint.ConflictError) as caught:
            endpoint.delete("mesa")  # it runs
        self.assertEqual(caught.exception.code, "conflict")
        self.assertTrue(endpoint.is_running("mesa"))

    def test_g_the_service_is_the_sdks_too(self):
        """The tokens are where the SDK looks: nobody is asked again."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from globus_compute_sdk import Client

            client, mesa = Client(), endpoint.show()["mesa"]["id"]
            deadline = time.monotonic() + 900
            while client.get_endpoint_status(mesa)["status"] != "online" and time.monotonic() < deadline:
                time.sleep(0.2)
        self.assertEqual(client.get_endpoint_status(mesa)["status"], "online")
        self.assertEqual(endpoint.status("mesa")["service"], {"status": "online"})

    def test_h_restart_and_stop(self):
        before = endpoint.status("mesa", offline=True)["evidence"]["process"]["pid"]
        with mock.patch.dict(sys.modules, {"tqdm": None, "tqdm.auto": None}):
            with contextlib.redirect_stderr(io.StringIO()) as lines:
                endpoint.restart("mesa", timeout=900, progress=True)
        self.assertGreaterEqual(len(lines.getvalue().splitlines()), 2)
        self.assertNotEqual(endpoint.status("mesa", offline=True)["evidence"]["process"]["pid"], before)

        with contextlib.redirect_stderr(io.StringIO()) as bar:
            endpoint.stop("mesa", timeout=900, progress=True)
        self.assertIn("\r", bar.getvalue())  # tqdm's
        self.assertEqual(endpoint.show()["mesa"]["status"], "Stopped")
        self.assertIsNone(endpoint.stop("mesa"))  # nothing to do

    def test_i_interrupted_start_goes_on(self):
        """Ctrl-C ends the call; calling again goes on from where things are."""
        pressed = threading.Event()

        def press(progress):
            if not pressed.is_set():
                pressed.set()
                signal.raise_signal(signal.SIGINT)

        with self.assertRaises(KeyboardInterrupt):
            endpoint.start("mesa", progress=press)
        endpoint.stop("mesa", now=True)
        self.assertFalse(endpoint.is_running("mesa"))

    def test_j_delete_and_logout(self):
        endpoint.delete("mesa", timeout=900)
        self.assertEqual(endpoint.show(), {})
        self.assertFalse((HOME / ".globus_compute/mesa").exists())
        endpoint.logout()
        self.assertTrue(endpoint.login_required())


if __name__ == "__main__":
    unittest.main()
