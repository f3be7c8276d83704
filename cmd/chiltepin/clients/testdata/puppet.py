"""A puppet does with a real client what the test says.

Commands come in, one JSON object a line, and each is answered with one line;
puppet.mjs beside this file is the same thing in JavaScript. What is done here
is only what a program that uses the client would do.
"""

import json
import sys
import traceback

import anyio
import anyio.to_thread


def plain(model):
    """What a value of the SDK was on the wire."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


class Puppet:
    """Subclasses connect, and leave a session or a client in self.client."""

    error: type[Exception]

    def __init__(self):
        self.asked = []
        self.person = None

    async def call(self, tool, arguments, person):
        progress = []
        answered = False

        async def on_progress(_, __, message):
            assert not answered, "progress after the answer"
            progress.append(message)

        self.asked.clear()
        self.person = person
        try:
            result = await self.client.call_tool(tool, arguments, progress_callback=on_progress)
        except self.error as e:
            failure = {"code": e.error.code, "message": e.error.message}
            return {"failure": failure, "progress": progress, "asked": list(self.asked)}
        answered = True
        return {"result": plain(result), "progress": progress, "asked": list(self.asked)}

    async def do(self, op, command):
        if op == "tools":
            return {"tools": [plain(t) for t in (await self.client.list_tools()).tools]}
        if op == "call":
            return await self.call(command["tool"], command.get("arguments") or {}, command.get("person"))
        if op == "read":
            return {"contents": [plain(c) for c in (await self.read(command["uri"])).contents]}
        if op == "prompts":
            return {"prompts": [plain(p) for p in (await self.client.list_prompts()).prompts]}
        raise ValueError(op)

    async def connection(self, command):
        """Serves the commands between one connect and its close."""
        async with self.connect(command) as version:
            answer({"version": version})
            while (line := await anyio.to_thread.run_sync(sys.stdin.readline)):
                command = json.loads(line)
                if command["op"] == "close":
                    break
                try:
                    answer(await self.do(command["op"], command))
                except Exception:
                    answer({"puppet": traceback.format_exc()})
        answer({})

    async def run(self):
        while (line := await anyio.to_thread.run_sync(sys.stdin.readline)):
            try:
                await self.connection(json.loads(line))
            except Exception:
                answer({"puppet": traceback.format_exc()})


def answer(value):
    print(json.dumps(value), flush=True)
