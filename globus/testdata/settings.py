"""Answers, with the Python programs' own code, what each environment on stdin
leads to: for settings_test.go. A case is {"env": {...}, "url": ...}."""

import json
import os
import sys

from globus_compute_sdk.sdk._environments import get_web_service_url
from globus_sdk.config import get_environment_name, get_http_timeout, get_service_url, get_ssl_verify
from requests.utils import resolve_proxies


class Request:
    def __init__(self, url):
        self.url = url


def attempt(function, *args):
    try:
        return function(*args)
    except ValueError:
        return "error"


def answer(case):
    os.environ.clear()
    os.environ.update(case["env"])
    url = case.get("url")
    if url:
        return {"proxy": resolve_proxies(Request(url), None).get(url.split(":")[0], "")}
    auth = attempt(get_service_url, "auth")
    return {
        "name": get_environment_name(),
        "auth": auth if auth == "error" else auth.rstrip("/"),
        "compute": get_web_service_url(),
        "verify": attempt(get_ssl_verify),
        "timeout": attempt(get_http_timeout),
    }


json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
