"""In an environment with nothing but this module."""

import os
import pathlib
import subprocess
import sys
import unittest

import chiltepin.endpoint as endpoint
import chiltepin_endpoint


class Bare(unittest.TestCase):
    def test_one_module_under_two_names(self):
        self.assertIs(endpoint, chiltepin_endpoint)
        with self.assertRaises(ModuleNotFoundError):
            import chiltepin.cli  # noqa: F401

    def test_the_last_on_the_path(self):
        """What comes later finds nothing in its way."""
        self.assertEqual(pathlib.Path(sys.path[-1]), pathlib.Path(endpoint.__file__).parent / "in_place")
        self.assertEqual([f.name for f in pathlib.Path(sys.path[-1]).iterdir()], ["chiltepin"])

    def test_a_package_of_that_name_comes_first(self):
        """As one that is installed with -e, or on PYTHONPATH."""
        source = pathlib.Path(os.environ["HOME"], "src")
        (source / "chiltepin").mkdir(parents=True)
        (source / "chiltepin/__init__.py").write_text("")
        (source / "chiltepin/endpoint.py").write_text("mine = True\n")
        for where in ("first", "last"):
            with self.subTest(where):
                code = f"import sys; sys.path.{'insert(0, ' if where == 'first' else 'append('}{str(source)!r})\n"
                code += "import chiltepin.endpoint as e, chiltepin_endpoint; assert e.mine and e is not chiltepin_endpoint"
                subprocess.run([sys.executable, "-c", code], check=True)

    def test_a_folder_of_that_name_is_no_package(self):
        """As a clone of chiltepin in the working directory."""
        (pathlib.Path(os.environ["HOME"]) / "chiltepin").mkdir()
        code = "import chiltepin.endpoint as e, chiltepin_endpoint; assert e is chiltepin_endpoint"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=os.environ["HOME"])

    def test_login_says_what_to_install(self):
        clients = endpoint.login()
        self.assertFalse(endpoint.login_required())
        self.assertEqual(list(clients), [])
        self.assertIsNone(clients.get("compute"))
        for client, package in (("compute", "globus-compute-sdk"), ("transfer", "globus-sdk")):
            with self.subTest(client), self.assertRaises(ImportError) as caught:
                clients[client]
            self.assertIsInstance(caught.exception, endpoint.UnsupportedError)
            self.assertEqual(caught.exception.next, f"pip install {package}")
        with self.assertRaises(ImportError) as caught:
            endpoint.get_chiltepin_apps()
        self.assertEqual(caught.exception.next, "pip install globus-compute-sdk")
        endpoint.logout()
        self.assertTrue(endpoint.login_required())

    def test_command(self):
        for arguments, status in ((["--version"], 0), (["endpoint", "list"], 0), (["endpoint", "status", "nowhere"], 3)):
            with self.subTest(arguments):
                ended = subprocess.run([sys.executable, "-m", "chiltepin_endpoint", *arguments], capture_output=True)
                self.assertEqual(ended.returncode, status, ended.stderr)

    def test_command_without_a_program(self):
        ended = subprocess.run(
            [sys.executable, "-m", "chiltepin_endpoint", "--version"],
            env={**os.environ, "CHILTEPIN_BIN": "/nowhere"},
            capture_output=True,
            text=True,
        )
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(
            ended.stderr,
            "chiltepin_endpoint: CHILTEPIN_BIN is '/nowhere', which is no program that can be run\n"
            "next: set it to the path of chiltepin, or unset it\n",
        )


if __name__ == "__main__":
    unittest.main()
