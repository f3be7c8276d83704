// The TypeScript client, v1 line.
import { createRequire } from "node:module";
import { run } from "./puppet.mjs";

const require = createRequire(process.argv[2] + "/");
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { ElicitRequestSchema } = require("@modelcontextprotocol/sdk/types.js");

await run(async ({ command, args, env, elicit }) => {
  const client = new Client({ name: "puppet", version: "1" }, { capabilities: elicit ? { elicitation: { form: {} } } : {} });
  if (elicit) client.setRequestHandler(ElicitRequestSchema, elicit);
  const transport = new StdioClientTransport({ command, args, env });
  let version;
  transport.setProtocolVersion = v => { version = v; };
  await client.connect(transport);
  return {
    version,
    tools: async () => (await client.listTools()).tools,
    call: (name, args, onprogress) => client.callTool({ name, arguments: args }, undefined, { onprogress, timeout: 900_000 }),
    read: async uri => (await client.readResource({ uri })).contents,
    prompts: async () => (await client.listPrompts()).prompts,
    close: () => client.close(),
  };
});
