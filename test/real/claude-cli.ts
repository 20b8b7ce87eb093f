import { existsSync } from 'node:fs';
import path from 'node:path';

/** A cold start of the CLI takes up to 13 s, and the machine may be busy. */
export const CLI_START_MS = 60_000;

/**
 * Path of the pinned Claude Code binary. Throws when it is not installed: these tests prove nothing without it, so they
 * fail instead of passing over it.
 */
export function claudePath(): string {
  const platform = `${process.platform}-${process.arch}`;
  const file = path.join(
    import.meta.dirname,
    `node_modules/@anthropic-ai/claude-code-${platform}/claude`,
  );
  if (!existsSync(file)) {
    throw new Error(`${file} is missing; install it with: npm ci --prefix test/real`);
  }
  return file;
}
