"""The Python client, 2.x line."""

import contextlib

import anyio
import mcp
import mcp.types

import puppet


class Python2(puppet.Puppet):
    error = mcp.MCPError

    @contextlib.asynccontextmanager
    async def connect(self, command):
        async def elicit(_, params):
            self.asked.append(params.message)
            return mcp.types.ElicitResult(**self.person)

        server = mcp.StdioServerParameters(command=command["command"], args=command["args"], env=command["env"])
        async with mcp.Client(server, mode=command["era"], elicitation_callback=elicit if command["asks"] else None) as self.client:
            yield self.client.protocol_version

    def read(self, uri):
        return self.client.read_resource(uri)


anyio.run(Python2().run)
