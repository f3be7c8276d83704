"""The code of Python Chiltepin, of the daemon and of parsl, asked questions by
the tests of globus/pool.

Reads one JSON document from standard input, {question: [argument, ...]}, and
writes {question: [answer, ...]}. An answer that is {"error": text} is the
exception that their code raised.
"""

import json
import os
import pathlib
import pwd
import re
import sys
import tempfile

import chiltepin.configure
import yaml
from globus_compute_endpoint.endpoint.config import utils
from globus_compute_endpoint.endpoint.identity_mapper import MappedPosixIdentity
from parsl.providers import LocalProvider, PBSProProvider, SlurmProvider
from parsl.providers.cluster_provider import ClusterProvider

NOBODY = MappedPosixIdentity(pwd.getpwuid(os.getuid()), [], None)


class Caught(Exception):
    pass


def sent(text):
    """What Python Chiltepin sends for each pool of a file that has an endpoint,
    and that it can make the others."""

    def executor(**kwargs):
        raise Caught(kwargs)

    chiltepin.configure.Executor = executor
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(text)
        f.flush()
        config = chiltepin.configure.parse_file(f.name)
    made = {}
    for name, entry in config.items():
        if isinstance(entry, list):
            continue
        try:
            chiltepin.configure.create_executor(name, entry)
            made[name] = None
        except Caught as e:
            made[name] = e.args[0]["user_endpoint_config"]
    return made


def render(arg):
    path = pathlib.Path(arg["template"])
    schema = utils.load_user_config_schema(pathlib.Path(arg["schema"])) if arg.get("schema") else None
    return utils.render_config_user_template(
        parent_config=None,
        user_config_template=utils.load_user_config_template(path),
        user_config_template_path=path,
        mapped_identity=NOBODY,
        user_config_schema=schema,
        user_opts=arg["options"],
        user_runtime=arg.get("runtime") or {},
    )


def script(config):
    """The script that the provider of a configuration submits."""
    given = yaml.safe_load(config)["engine"]["provider"]
    kind = {"SlurmProvider": SlurmProvider, "PBSProProvider": PBSProProvider, "LocalProvider": LocalProvider}[given.pop("type")]
    given.pop("launcher", None)
    given = {k: v for k, v in given.items() if not (k == "worker_init" and v is None)}
    ran = []

    def wait(*args):
        ran.append(args[-1] if isinstance(args[-1], str) else args[-2])
        if "sacct" in ran[-1]:
            return 1, "", ""
        return 0, "Submitted batch job 1\n", ""

    ClusterProvider.execute_wait = lambda self, cmd, timeout=None: wait(cmd)
    provider = kind(**given)
    provider.launcher = lambda command, tasks, nodes, *rest: "WORKERS"
    with tempfile.TemporaryDirectory() as work:
        provider.script_dir = work
        if kind is LocalProvider:
            import parsl.providers.local.local as local

            local.execute_wait = lambda cmd, timeout: (0, "PID:1\n", "")
        provider.submit("command", 1, "JOB")
        (file,) = pathlib.Path(work).iterdir()
        text = file.read_text()
        name = file.name.removesuffix(".sh")
        command = ran[-1] if ran else "bash " + str(file)
        for old, new in ((str(file), "SCRIPT"), (name, "JOB")):
            text, command = text.replace(old, new), command.replace(old, new)
    return {"header": text.split("WORKERS")[0], "submit": re.sub(" +", " ", command)}


def answer(ask, arg):
    try:
        return ask(arg)
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"}


questions = {"sent": sent, "render": render, "script": script}
real, sys.stdout = sys.stdout, sys.stderr
asked = json.load(sys.stdin)
json.dump({q: [answer(questions[q], arg) for arg in args] for q, args in asked.items()}, real)
