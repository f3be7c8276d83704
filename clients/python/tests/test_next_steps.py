"""What to do next is said in calls of this module, and kept as data."""

import json
import os
import pathlib
import stat
import sys
import tempfile
import unittest
from unittest import mock

import chiltepin_endpoint as endpoint
from chiltepin_endpoint._next_steps import describe

# Answers every call with the error in the variable ANSWER.
SERVER = f"""#!{sys.executable}
import json, os, sys
for line in sys.stdin:
    call = json.loads(line)
    if call.get("method") == "initialize":
        answer = {{"result": {{}}}}
    else:
        answer = {{"error": {{"code": 3, "message": "no such endpoint", "data": json.loads(os.environ["ANSWER"])}}}}
    print(json.dumps({{"jsonrpc": "2.0", "id": call["id"], **answer}}), flush=True)
"""


class Words(unittest.TestCase):
    def check(self, step, want, **given):
        self.assertEqual(describe([step], given), want)

    def test_calls(self):
        def step(method, why="", /, **params):
            return {"method": method, "params": params, **({"why": why} if why else {})}

        self.check(step("endpoint/start", "wait for it", name="mesa"), 'chiltepin_endpoint.start("mesa")  # wait for it')
        self.check(
            step("endpoint/start", name="mesa", timeout="1m30s"), 'chiltepin_endpoint.start("mesa", timeout=90)'
        )
        self.check(
            step("endpoint/logs", user_endpoint="1", tail=20, name="mesa"),
            'chiltepin_endpoint.logs("mesa", tail=20, user_endpoint="1")',
        )
        self.check(step("endpoint/status", offline=True, name="a'b"), "chiltepin_endpoint.status(\"a'b\", offline=True)")
        self.check(step("endpoint/list", "see which there are"), "chiltepin_endpoint.show()  # see which there are")
        self.check(step("login", method="paste"), "chiltepin_endpoint.login()")
        self.check(step("logout"), "chiltepin_endpoint.logout()")

    def test_directory_of_the_call(self):
        mesa = {"method": "endpoint/start", "params": {"name": "mesa"}}
        self.check(mesa, 'chiltepin_endpoint.start("mesa", config_dir="/gc")', config_dir="/gc")
        there = {"method": "endpoint/start", "params": {"name": "mesa", "config_dir": "/there"}}
        self.check(there, 'chiltepin_endpoint.start("mesa", config_dir="/there")', config_dir="/gc")
        self.check({"method": "login", "params": {}}, "chiltepin_endpoint.login()", config_dir="/gc")

    def test_commands_where_there_is_no_function(self):
        command = "python -m chiltepin_endpoint "
        self.check({"method": "runtime/install", "why": "install it"}, command + "runtime install  # install it")
        self.check(
            {"method": "endpoint/list", "params": {"remote": True}},
            command + "endpoint list -c '/my dir' --remote",
            config_dir="/my dir",
        )
        self.check({"method": "pool/check", "params": {"file": "-p.yaml"}}, command + "pool check -- -p.yaml")
        self.check({"method": "login", "params": {"services": ["compute", "academy"]}}, command + "login --services compute,academy")

    def test_where_and_who(self):
        stop = {"method": "endpoint/stop", "params": {"name": "mesa"}, "host": "login2", "user": "root", "why": "end it"}
        self.check(stop, 'chiltepin_endpoint.stop("mesa")  # on login2 as root: end it')
        self.check({"do": "make room on the disk"}, "make room on the disk")
        self.check({"do": "make room", "host": "login2"}, "on login2: make room")

    def test_module_of_the_program(self):
        with mock.patch.dict(sys.modules, {"chiltepin.endpoint": endpoint}):
            self.check({"method": "endpoint/stop", "params": {"name": "mesa"}}, 'chiltepin.endpoint.stop("mesa")')

    def test_nothing(self):
        self.assertIsNone(describe([], {}))
        self.assertIsNone(describe([{}], {}))


class Exceptions(unittest.TestCase):
    def fail(self, answer):
        with tempfile.TemporaryDirectory() as directory:
            program = pathlib.Path(directory, "chiltepin")
            program.write_text(SERVER)
            program.chmod(stat.S_IRWXU)
            environment = {"CHILTEPIN_BIN": str(program), "ANSWER": json.dumps({"code": "not_found", **answer})}
            with mock.patch.dict(os.environ, environment), self.assertRaises(endpoint.NotFoundError) as caught:
                endpoint.stop("mesa", "/gc")
            endpoint._client.close()
        return caught.exception

    def test_list(self):
        steps = [{"method": "endpoint/list", "why": "see which there are"}, {"do": "or look elsewhere"}]
        e = self.fail({"next": steps})
        self.assertEqual(
            e.next, 'chiltepin_endpoint.show(config_dir="/gc")  # see which there are\nor look elsewhere'
        )
        self.assertEqual(
            str(e),
            "no such endpoint\n"
            'next: chiltepin_endpoint.show(config_dir="/gc")  # see which there are\n'
            "      or look elsewhere",
        )
        self.assertEqual(e.next_steps, steps)
        self.assertEqual(e.data, {})

    def test_text_of_an_older_server(self):
        e = self.fail({"next": "chiltepin endpoint list", "host": "login1"})
        self.assertEqual((e.next, list(e.next_steps), e.data), ("chiltepin endpoint list", [], {"host": "login1"}))

    def test_none(self):
        e = self.fail({})
        self.assertEqual((e.next, str(e), list(e.next_steps)), (None, "no such endpoint", []))


if __name__ == "__main__":
    unittest.main()
