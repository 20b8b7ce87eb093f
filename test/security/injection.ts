/** Port on which a Node that got SIGUSR1 lets itself be debugged. */
const PORT = 9229;
const TRIES = 100;
const PAUSE_MS = 100;

interface Evaluated {
  id?: number;
  result?: { result: { value?: unknown; description?: string }; exceptionDetails?: unknown };
}

/**
 * Runs code in a Node process that is not ours, as an attacker would who found a hole in it: the process is made to listen
 * for a debugger, and the code is evaluated inside. `source`: an async function's body; its JSON value is answered.
 */
export async function runInside<T>(pid: number, source: string): Promise<T> {
  process.kill(pid, 'SIGUSR1');
  const socket = new WebSocket(await debuggerUrl());
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  try {
    const { promise, resolve } = Promise.withResolvers<Evaluated>();
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Evaluated;
      if (message.id === 1) resolve(message);
    });
    const expression = `(async () => { if (process.pid !== ${pid}) throw new Error('another process has the port'); ${source} })().then((value) => JSON.stringify(value))`;
    const params = { expression, awaitPromise: true, returnByValue: true };
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }));
    const { result } = await promise;
    if (!result || result.exceptionDetails) {
      throw new Error(`the code broke: ${JSON.stringify(result)}`);
    }
    return JSON.parse(String(result.result.value)) as T;
  } finally {
    socket.close();
  }
}

async function debuggerUrl(): Promise<string> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const targets = await fetch(`http://127.0.0.1:${PORT}/json/list`).then(
      (answer) => answer.json() as Promise<{ webSocketDebuggerUrl: string }[]>,
      () => [],
    );
    const url = targets[0]?.webSocketDebuggerUrl;
    if (url !== undefined) return url;
    await new Promise((resolve) => {
      setTimeout(resolve, PAUSE_MS);
    });
  }
  throw new Error(`the process does not listen for a debugger on ${PORT}`);
}
