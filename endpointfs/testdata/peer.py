"""The daemon's own code, asked questions by the tests of endpointfs.

Reads one JSON document from standard input, {question: [argument, ...]}, and
writes {question: [answer, ...]}. An answer that is {"error": text} is the
exception that the daemon's code raised.
"""

import json
import os
import pathlib
import pwd
import sys

import jinja2
import jinja2.sandbox
import yaml
from globus_compute_endpoint.endpoint.config import utils
from globus_compute_endpoint.endpoint.endpoint import Endpoint
from globus_compute_endpoint.endpoint.identity_mapper import MappedPosixIdentity

NOBODY = MappedPosixIdentity(pwd.getpwuid(os.getuid()), [], None)


def plain(value):
    """Makes what YAML can hold and JSON cannot into text."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return repr(value)


def render(arg):
    """Our template, or that of Python Chiltepin where arg names none."""
    path = pathlib.Path(arg.get("template") or "none")
    if arg.get("template"):
        text = utils.load_user_config_template(path)
    else:
        import chiltepin.endpoint

        text = chiltepin.endpoint.endpoint_template
    schema = utils.load_user_config_schema(pathlib.Path(arg.get("schema") or "none"))
    made = utils.render_config_user_template(
        parent_config=None,
        user_config_template=text,
        user_config_template_path=path,
        mapped_identity=NOBODY,
        user_config_schema=schema,
        user_opts=arg["options"],
        user_runtime={},
    )
    if arg.get("load"):
        utils.load_config_yaml(made).engine.shutdown()
    return plain(yaml.safe_load(made))


def pool(text):
    """What Python Chiltepin sends for one entry of a configuration."""
    import chiltepin.configure

    sent = {}

    def executor(**kwargs):
        sent.update(kwargs["user_endpoint_config"])

    chiltepin.configure.Executor = executor
    chiltepin.configure.GlobusComputeExecutor = lambda **_: None
    chiltepin.configure.create_executor("pool", yaml.safe_load(text))
    return sent


def config(text):
    return type(utils.load_config_yaml(text)).__name__


def template(text):
    jinja2.sandbox.SandboxedEnvironment().parse(text)
    return True


def name(text):
    Endpoint.validate_endpoint_name(text)
    return True


def load(text):
    return plain(yaml.safe_load(text))


def identity(path):
    return Endpoint.get_endpoint_id(pathlib.Path(path))


ANSWERS = {f.__name__: f for f in (render, pool, config, template, name, load, identity)}


def answer(question, arg):
    try:
        return ANSWERS[question](arg)
    except BaseException as e:  # SystemExit too
        return {"error": f"{type(e).__name__}: {e}"}


# Answers only: whatever else prints, prints to standard error.
out, sys.stdout = sys.stdout, sys.stderr
questions = json.load(sys.stdin)
json.dump({q: [answer(q, a) for a in args] for q, args in questions.items()}, out)
