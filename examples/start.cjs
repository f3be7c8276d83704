// Lists the endpoints and starts one, over JSON-RPC with Content-Length
// headers, as the extension of an editor does:
//
//   npm install vscode-jsonrpc && node start.cjs NAME
//
// Needs chiltepin on PATH.
const { spawn } = require('node:child_process');
const rpc = require('vscode-jsonrpc/node');

// What to do next is a call with its reason, or a sentence.
const words = ({ do: sentence, method, params, why }) =>
  sentence ?? `${method} ${JSON.stringify(params ?? {})}${why ? `  # ${why}` : ''}`;

async function main(name) {
  const server = spawn('chiltepin', ['rpc'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = rpc.createMessageConnection(
    new rpc.StreamMessageReader(server.stdout),
    new rpc.StreamMessageWriter(server.stdin));
  connection.listen();

  // The handshake of the Language Server Protocol: calls run at the same time
  // from here on, and the server ends with this process.
  await connection.sendRequest('initialize', { processId: process.pid, capabilities: {} });
  connection.sendNotification('initialized', {});

  connection.onNotification('endpoint/changed', ({ name, endpoint }) =>
    console.log(`${name} is now ${endpoint ? endpoint.status : 'gone'}`));
  const { endpoints } = await connection.sendRequest('endpoint/watch', {});
  for (const e of endpoints) console.log(`${e.name}\t${e.status}`);

  const token = 'start';
  connection.onProgress(new rpc.ProgressType(), token, ({ message }) => message && console.error(message));
  try {
    const started = await connection.sendRequest('endpoint/start', { name, workDoneToken: token });
    console.log(`${started.name} is ${started.status} as ${started.id}`);
  } catch (e) {
    console.error(`${e.data?.code}: ${e.message}`);
    for (const step of e.data?.next ?? []) console.error(`next: ${words(step)}`);
    process.exitCode = 1;
  }
  await connection.sendRequest('shutdown');
  await connection.sendNotification('exit');
  connection.dispose();
}

main(process.argv[2]);
