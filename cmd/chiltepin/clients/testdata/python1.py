"""The Python client, 1.x line."""

import contextlib

import anyio
import mcp
import mcp.types
from mcp.client.stdio import stdio_client

import puppet


class Python1(puppet.Puppet):
    error = mcp.McpError

    @contextlib.asynccontextmanager
    async def connect(self, command):
        async def elicit(_, params):
            self.asked.append(params.message)
            return mcp.types.ElicitResult(**self.person)

        server = mcp.StdioServerParameters(command=command["command"], args=command["args"], env=command["env"])
        async with stdio_client(server) as (read, write):
            async with mcp.ClientSession(read, write, elicitation_callback=elicit if command["asks"] else None) as self.client:
                yield (await self.client.initialize()).protocolVersion

    def read(self, uri):
        return self.client.read_resource(uri)


anyio.run(Python1().run)
