import { closeSync, constants, openSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import path from 'node:path';

import { SOCKET_PATH_BYTES } from '#libs/ipc';

/** Name of the socket in an agent's run folder (INTERFACES "State folder"). */
const SOCKET_NAME = 'gateway.sock';
/** Takes every right from others and execution from all: the file is made 0660. */
const UMASK = 0o117;

/**
 * Lets `server` listen on `gateway.sock` in `folder`, removing what a dead predecessor left. A path that is too long for
 * a socket address is reached through a descriptor of its folder. Resolves with what must be called after the server
 * has closed.
 */
export async function listenInFolder(server: Server, folder: string): Promise<() => void> {
  const real = path.join(folder, SOCKET_NAME);
  rmSync(real, { force: true });
  if (Buffer.byteLength(real) <= SOCKET_PATH_BYTES) {
    await listen(server, real);
    return () => {};
  }
  // Kept open while the server lives: on closing it unlinks the path it was given, descriptor number and all.
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await listen(server, `/proc/self/fd/${descriptor}/${SOCKET_NAME}`);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return () => closeSync(descriptor);
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The file is made inside this call, so no other file is made under this mask.
    const before = process.umask(UMASK);
    try {
      server.listen(address, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}
