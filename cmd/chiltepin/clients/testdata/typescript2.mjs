// The TypeScript client, v2 line.
import { createRequire } from "node:module";
import { run } from "./puppet.mjs";

const require = createRequire(process.argv[2] + "/");
const { Client } = require("@modelcontextprotocol/client");
const { StdioClientTransport } = require("@modelcontextprotocol/client/stdio");

await run(async ({ command, args, env, era, elicit }) => {
  const client = new Client({ name: "puppet", version: "1" }, {
    capabilities: elicit ? { elicitation: { form: {} } } : {},
    versionNegotiation: { mode: era },
  });
  if (elicit) client.setRequestHandler("elicitation/create", elicit);
  await client.connect(new StdioClientTransport({ command, args, env }));
  return {
    version: client.getNegotiatedProtocolVersion(),
    tools: async () => (await client.listTools()).tools,
    call: (name, args, onprogress) => client.callTool({ name, arguments: args }, { onprogress, timeout: 900_000 }),
    read: async uri => (await client.readResource({ uri })).contents,
    prompts: async () => (await client.listPrompts()).prompts,
    close: () => client.close(),
  };
});
