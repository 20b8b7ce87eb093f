import { parentPort, workerData } from 'node:worker_threads';

import { SearchLoop } from './search-loop.js';
import type { ToSearch } from './search-messages.js';

const port = parentPort;
if (!port) throw new Error('this file is the program of a thread');

const { dbDir } = workerData as { dbDir: string };
const loop = new SearchLoop(
  dbDir,
  (message) => port.postMessage(message),
  (error) => {
    // Thrown outside of everything: it ends the thread, and the broker hears of it.
    setImmediate(() => {
      throw error;
    });
  },
);

port.on('message', (message: ToSearch) => {
  loop.handle(message);
  if (message.kind === 'close') port.close();
});
