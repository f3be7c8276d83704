"""What goes wrong is an exception that says what to do, of the type that
Python Chiltepin raises for it. Nobody is logged in and no daemon runs.
"""

import os
import pathlib
import pickle
import stat
import tempfile
import unittest
from unittest import mock

import chiltepin_endpoint as endpoint
from chiltepin_endpoint import _binary

HOME = pathlib.Path(os.environ["HOME"])


class Errors(unittest.TestCase):
    def test_not_found(self):
        for call in (endpoint.start, endpoint.stop, endpoint.restart, endpoint.delete, endpoint.status, endpoint.logs):
            with self.subTest(call.__name__), self.assertRaises(endpoint.NotFoundError) as caught:
                call("nowhere")
            e = caught.exception
            self.assertIsInstance(e, RuntimeError)
            self.assertEqual(e.code, "not_found")
            self.assertEqual(e.message, f'no endpoint "nowhere" in {HOME}/.globus_compute')
            self.assertRegex(e.next, r"endpoint list|\.show\(\)")
            self.assertIn(e.message, str(e))
            self.assertIn(e.next.splitlines()[0], str(e))

    def test_words_of_the_original(self):
        for call, words in (
            (endpoint.start, "Failed to start endpoint 'nowhere'"),
            (endpoint.delete, "Error deleting endpoint"),
        ):
            with self.assertRaisesRegex(RuntimeError, f"^{words}"):
                call("nowhere")
        endpoint.configure("twice")
        self.addCleanup(endpoint.delete, "twice")
        with self.assertRaisesRegex(RuntimeError, "^Failed to configure endpoint 'twice'") as caught:
            endpoint.configure("twice")
        self.assertIsInstance(caught.exception, endpoint.AlreadyExistsError)
        self.assertEqual(caught.exception.code, "already_exists")
        # Not twice, once in its words and once in ours.
        there = f"{HOME}/.globus_compute/twice exists"
        self.assertEqual(str(caught.exception).splitlines()[0], f"Failed to configure endpoint 'twice': {there}")
        self.assertEqual(caught.exception.message, f'configuring endpoint "twice": {there}')

    def test_to_another_process(self):
        with self.assertRaises(endpoint.NotFoundError) as caught:
            endpoint.start("nowhere")
        e, there = caught.exception, pickle.loads(pickle.dumps(caught.exception))
        self.assertIs(type(there), endpoint.NotFoundError)
        for name in ("code", "message", "next", "next_steps", "data", "args"):
            self.assertEqual(getattr(there, name), getattr(e, name))

    def test_invalid(self):
        for arguments in (
            {"name": "a/b"},
            {"name": ".."},
            {"name": ""},
            {"name": 5},
            {"name": "x", "timeout": -1},
            {"name": "x", "timeout": float("nan")},
            {"name": "x", "email": "nobody"},
            {"name": "x", "config_dir": "/tmp/\udc80"},
            {"name": "x", "display_name": "\udc80"},
        ):
            with self.subTest(arguments), self.assertRaises(endpoint.InvalidError) as caught:
                endpoint.configure(**arguments)
            self.assertIsInstance(caught.exception, (RuntimeError, ValueError))
            self.assertEqual(caught.exception.code, "invalid")
        self.assertEqual(endpoint.show(), {})

    def test_delete_takes_nothing_else(self):
        victim = HOME / "victim"
        victim.mkdir()
        (victim / "config.yaml").write_text("display_name: mine\n")
        for name in ("../victim", str(victim), "", "."):
            with self.subTest(name), self.assertRaises(endpoint.EndpointError):
                endpoint.delete(name)
        self.assertTrue((victim / "config.yaml").exists())

    def test_login_is_required(self):
        self.assertTrue(endpoint.login_required())
        endpoint.configure("mesa")
        self.addCleanup(endpoint.delete, "mesa")
        with self.assertRaisesRegex(RuntimeError, "^Chiltepin login is required: ") as caught:
            endpoint.start("mesa")
        self.assertIsInstance(caught.exception, endpoint.NotLoggedInError)
        self.assertEqual(caught.exception.code, "not_logged_in")
        self.assertEqual(endpoint.show(), {"mesa": {"id": None, "status": "Initialized"}})
        endpoint.stop("mesa")  # needs no login

    def test_secret_without_id(self):
        with mock.patch.dict(os.environ, {"GLOBUS_COMPUTE_CLIENT_SECRET": "s3cret"}):
            os.environ.pop("GLOBUS_COMPUTE_CLIENT_ID", None)
            for call in (endpoint.login, endpoint.get_chiltepin_apps):
                with self.subTest(call.__name__), self.assertRaises(endpoint.InvalidError) as caught:
                    call()
                self.assertIn("GLOBUS_COMPUTE_CLIENT_ID", str(caught.exception))
                self.assertNotIn("s3cret", str(caught.exception))

    def test_files_of_others(self):
        secret = HOME / "closed"
        secret.write_text("")
        with self.assertRaises(endpoint.InvalidError) as caught:
            endpoint.show(secret)  # no directory
        self.assertIn(str(secret), str(caught.exception))

    def test_every_code_has_its_class(self):
        kinds = {
            endpoint.InvalidError: "invalid",
            endpoint.NotFoundError: "not_found",
            endpoint.AlreadyExistsError: "already_exists",
            endpoint.NotLoggedInError: "not_logged_in",
            endpoint.EndpointTimeoutError: "timeout",
            endpoint.UnavailableError: "unavailable",
            endpoint.UnsupportedError: "unsupported",
            endpoint.ConflictError: "conflict",
            endpoint.RefusedError: "refused",
            endpoint.FailedError: "failed",
            endpoint.CanceledError: "canceled",
        }
        from chiltepin_endpoint import errors

        for kind, code in kinds.items():
            self.assertIs(errors.of_code(code), kind)
            self.assertTrue(issubclass(kind, RuntimeError))
        self.assertIs(errors.of_code("something new"), endpoint.EndpointError)
        self.assertTrue(issubclass(endpoint.EndpointTimeoutError, TimeoutError))

    def test_relative_directory(self):
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            try:
                os.chdir(one)
                endpoint.configure("mesa", config_dir="gc")
                os.chdir(other)
                endpoint.configure("mesa", config_dir=pathlib.Path("gc"))
                self.assertTrue(endpoint.exists("mesa", "gc"))
            finally:
                os.chdir(before)
            for directory in (one, other):
                self.assertTrue(pathlib.Path(directory, "gc/mesa/config.yaml").exists())


class Binary(unittest.TestCase):
    """Finding the program."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)

    def program(self, folder, text="#!/bin/sh\necho hello\n", mode=0o755):
        (self.dir / folder).mkdir(exist_ok=True)
        path = self.dir / folder / "chiltepin"
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def test_order(self):
        named, first, second = self.program("named"), self.program("first"), self.program("second")
        script = self.program("script", "#!/usr/bin/python3\nimport sys\nfrom chiltepin.cli import main\n")
        unusable = self.program("unusable", mode=stat.S_IRUSR)
        path = os.pathsep.join(str(self.dir / d) for d in ("unusable", "script", "first", "second"))
        carried = os.path.join(os.path.dirname(_binary.__file__), "bin", "chiltepin")

        self.assertEqual(_binary.find({"CHILTEPIN_BIN": named, "PATH": path}), named)
        self.assertEqual(_binary.find({"CHILTEPIN_BIN": "", "PATH": path}), carried)
        with mock.patch.object(_binary, "__file__", str(self.dir / "elsewhere.py")):
            self.assertEqual(_binary.find({"PATH": path}), first)
            self.assertEqual(_binary.find({"PATH": str(self.dir / "second")}), second)
            with self.assertRaisesRegex(endpoint.UnsupportedError, "Python Chiltepin"):
                _binary.find({"PATH": str(self.dir / "script")})
            with self.assertRaisesRegex(endpoint.UnsupportedError, "was not found\nnext: install chiltepin on PATH"):
                _binary.find({"PATH": str(self.dir)})
        for wrong in (unusable, str(self.dir), "/nowhere/chiltepin", script):
            with self.subTest(wrong), self.assertRaisesRegex(endpoint.UnsupportedError, "CHILTEPIN_BIN"):
                _binary.find({"CHILTEPIN_BIN": wrong, "PATH": path})

    def test_another_program(self):
        for text, words in (
            ("#!/bin/sh\nexit 3\n", "exit status 3"),
            ("#!/bin/sh\necho hello\nexec cat >/dev/null\n", "printed 'hello'"),
            ("#!/bin/sh\necho '[1,2]'\n", "printed"),
            ("#!/bin/sh\necho '{}'\n", "printed"),
            ("no program at all", "cannot be run"),
        ):
            path = self.program("wrong", text)
            with self.subTest(text), mock.patch.dict(os.environ, {"CHILTEPIN_BIN": path}):
                with self.assertRaisesRegex(endpoint.EndpointError, words) as caught:
                    endpoint.show()
                self.assertIn("CHILTEPIN_BIN", caught.exception.next)
        self.assertEqual(endpoint.show(HOME / "none"), {})  # and again with the right one


if __name__ == "__main__":
    unittest.main()
