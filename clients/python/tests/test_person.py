"""A person logs in with a browser, once, for the program, the SDKs and an
endpoint in a directory of its own.
"""

import contextlib
import io
import os
import pathlib
import re
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request
import warnings
from unittest import mock

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

        with self.assertRaises(endpoint.NotLoggedInError) as caught:
            with mock.patch("builtins.input", side_effect=EOFError), contextlib.redirect_stdout(io.StringIO()):
                endpoint.login()
        self.assertIn("python -m chiltepin_endpoint login", caught.exception.next)
        self.assertTrue(endpoint.login_required())

        # Two visits: Academy has an application of its own.
        visits = []
        endpoint.login(ask=lambda url: visits.append(url) or consent(url))
        self.assertEqual(len(visits), 2)
        endpoint.logout()

        # Without ask the address is printed, and the code read.
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            with mock.patch("builtins.input", side_effect=lambda _: consent(re.findall(r"https://\S+", shown.getvalue())[-1])):
                endpoint.login()
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
            endpoint.start("bar", directory, timeout=900)
            self.assertTrue(endpoint.is_running("bar", directory))
            self.assertEqual(pathlib.Path(directory, "storage.db").resolve(), HOME / ".globus_compute/storage.db")
            endpoint.stop("bar", directory, timeout=900)
            endpoint.delete("bar", directory)
            self.assertEqual(endpoint.show(directory), {})

    def test_e_logout(self):
        endpoint.logout()
        self.assertTrue(endpoint.login_required())
        self.assertEqual([app.login_required() for app in endpoint.get_chiltepin_apps()], [True] * 3)


if __name__ == "__main__":
    unittest.main()
