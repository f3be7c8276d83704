"""A person logs in with a browser, once, for the program, the SDKs and an
endpoint in a directory of its own.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request
import warnings

import chiltepin_endpoint as endpoint

HOME = pathlib.Path(os.environ["HOME"])


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def consent(url):
    """Be the person with the browser: open an address, agree, return the code."""
    try:
        urllib.request.build_opener(NoRedirect).open(url)
    except urllib.error.HTTPError as e:
        with e:
            query = urllib.parse.urlsplit(e.headers["Location"]).query
            return urllib.parse.parse_qs(query)["code"][0]
    raise AssertionError("the page sent nobody back")


def log_in_on_the_command_line():
    program = subprocess.Popen(
        [sys.executable, "-m", "chiltepin_endpoint", "login"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    )
    with program:
        for line in program.stdout:
            if found := re.search(r"https://auth\.globus\.org/\S*/authorize\S*", line):
                program.stdin.write(consent(found[0]) + "\n")
                program.stdin.flush()
    assert program.returncode == 0, program.returncode


def nobody(url):
    raise AssertionError("a person was asked again")


class Person(unittest.TestCase):
    """One story, told in the order of the names."""

    def setUp(self):
        warnings.simplefilter("ignore")  # the SDKs' own

    def test_a_nobody_is_logged_in(self):
        for name in ("GLOBUS_COMPUTE_CLIENT_ID", "GLOBUS_COMPUTE_CLIENT_SECRET"):
            del os.environ[name]
        self.assertTrue(endpoint.login_required())

    def test_b_login(self):
        import globus_sdk

        log_in_on_the_command_line()
        self.assertFalse(endpoint.login_required())
        for _ in range(2):
            clients = endpoint.login(ask=nobody)
        # Without it an Executor would renew the tokens as another client.
        self.assertEqual(os.environ["GLOBUS_COMPUTE_CLIENT_ID"], endpoint.CHILTEPIN_CLIENT_UUID)
        self.assertNotIn("GLOBUS_CLI_CLIENT_ID", os.environ)
        self.assertEqual(len(clients["compute"].get_endpoints()), 0)
        with self.assertRaises(globus_sdk.TransferAPIError) as caught:
            clients["transfer"].endpoint_search("mesa")
        # The stand-in has nothing to find, and says 401 to a token that is wrong.
        self.assertEqual(caught.exception.http_status, 404)

    def test_c_apps(self):
        from globus_sdk import UserApp

        apps = endpoint.get_chiltepin_apps()
        self.assertEqual([type(app) for app in apps], [UserApp] * 3)
        self.assertEqual([app.login_required() for app in apps], [False] * 3)

    def test_d_another_directory(self):
        """An endpoint elsewhere uses the login of the default directory."""
        with tempfile.TemporaryDirectory() as directory:
            endpoint.configure("bar", directory)
            endpoint.start("bar", directory, timeout=120)
            self.assertTrue(endpoint.is_running("bar", directory))
            self.assertEqual(pathlib.Path(directory, "storage.db").resolve(), HOME / ".globus_compute/storage.db")
            endpoint.stop("bar", directory, timeout=120)
            endpoint.delete("bar", directory)
            self.assertEqual(endpoint.show(directory), {})

    def test_e_logout(self):
        endpoint.logout()
        self.assertTrue(endpoint.login_required())
        self.assertEqual([app.login_required() for app in endpoint.get_chiltepin_apps()], [True] * 3)


if __name__ == "__main__":
    unittest.main()
