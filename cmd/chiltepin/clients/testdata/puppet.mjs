// A puppet does with a real client what the test says: commands come in, one
// JSON object a line, and each is answered with one line. What is done here
// is only what a program that uses the client would do.
import { createInterface } from "node:readline";

// run serves commands until the input ends. make(connection) connects and
// returns {version, tools, call, read, prompts, close}.
export async function run(make) {
  let client, person;
  const asked = [];
  const commands = {
    async connect({ command, args, env, era, asks }) {
      const elicit = asks && (async ({ params }) => {
        asked.push(params.message);
        return person;
      });
      client = await make({ command, args, env, era, elicit });
      return { version: client.version };
    },
    async tools() { return { tools: await client.tools() }; },
    async call({ tool, arguments: args, person: answers }) {
      asked.length = 0;
      person = answers;
      const progress = [];
      let answered = false;
      try {
        const result = await client.call(tool, args ?? {}, p => {
          if (answered) throw new Error("progress after the answer");
          progress.push(p.message);
        });
        answered = true;
        return { result, progress, asked: [...asked] };
      } catch (e) {
        return { failure: { code: e.code, message: e.message }, progress, asked: [...asked] };
      }
    },
    async read({ uri }) { return { contents: await client.read(uri) }; },
    async prompts() { return { prompts: await client.prompts() }; },
    async close() { await client.close(); return {}; },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const { op, ...rest } = JSON.parse(line);
    let answer;
    try {
      answer = await commands[op](rest);
    } catch (e) {
      answer = { puppet: String(e.stack ?? e) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}
