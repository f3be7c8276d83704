"""What the Python programs make of the token stores, for interop_test.go.

programs.py check    prints which of them would ask for a login
programs.py use      does a request with each, renewing tokens where needed
programs.py login    logs in with Python Chiltepin, consenting by itself
programs.py logout   logs out with it
"""

import builtins
import json
import sys
import urllib.parse

import click
import requests
from chiltepin import endpoint as chiltepin
from globus_compute_sdk import Client
from globus_compute_sdk.sdk.auth.globus_app import get_globus_app
from globus_sdk import TransferClient
from globus_sdk.config import get_ssl_verify


def consent(*_args, **_kwargs):
    """Stands for the person: opens the page last printed, returns the code."""
    answer = requests.get(printed[-1], allow_redirects=False, verify=get_ssl_verify())
    return urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["Location"]).query)["code"][0]


COMPUTE_SCOPE = "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"
printed = []


def remember(text="", *args, **kwargs):
    printed.extend(word for word in str(text).split() if word.startswith("https://auth."))


def fresh_apps():
    compute, transfer, academy = chiltepin.get_chiltepin_apps()
    return {"compute": compute, "transfer": transfer, "academy": academy}


verb = sys.argv[1]
if verb == "check":
    apps, needed = fresh_apps(), {}
    apps["compute"].add_scope_requirements({"funcx_service": [COMPUTE_SCOPE]})
    apps["transfer"].add_scope_requirements({"transfer.api.globus.org": [TransferClient.scopes.all]})
    for name, app in apps.items():
        needed[name] = app.login_required()
    json.dump(needed, sys.stdout, sort_keys=True)
elif verb == "use":
    apps = fresh_apps()  # names the client in the environment, as Chiltepin's own tasks have it
    client = Client(app=get_globus_app())
    used = {"version": bool(client._compute_web_client.v2.get_version(service="all").data)}
    used["endpoints"] = client.get_endpoints()
    TransferClient(app=apps["transfer"])
    used["transfer"] = bool(apps["transfer"].get_authorizer("transfer.api.globus.org").get_authorization_header())
    json.dump(used, sys.stdout, sort_keys=True)
elif verb == "login":
    builtins.print, builtins.input = remember, consent
    click.echo, click.secho, click.prompt = remember, remember, consent
    chiltepin.login()
elif verb == "logout":
    chiltepin.logout()
