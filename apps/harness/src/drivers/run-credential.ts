import path from 'node:path';

import { crypto, fs } from '../platform/builtins.js';

/** The token of one CLI process (P2) with the private folder for that process' files. */
export class RunCredential {
  readonly token = `run_${crypto.randomBytes(32).toString('base64url')}`;
  /** sha-256 of the token in hex: what the hive gets. */
  readonly hash = crypto.createHash('sha256').update(this.token).digest('hex');
  readonly folder: string;
  readonly tokenFile: string;

  constructor(runsDir: string) {
    this.folder = path.join(runsDir, this.hash.slice(0, 16));
    this.tokenFile = path.join(this.folder, 'token');
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    fs.writeFileSync(this.tokenFile, this.token, { mode: 0o600 });
  }

  /** Writes a file for the CLI beside the token and returns its path. */
  writeFile(name: string, text: string): string {
    const file = path.join(this.folder, name);
    fs.writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  /** Removes the token and all files of the run; the hive refuses it anyway once its turn is over. */
  discard(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
