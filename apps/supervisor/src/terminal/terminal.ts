import { LineOutput } from '#libs/service';

/** What the operator reads: plain lines, also when they go into a file. */
export interface Terminal {
  line(text: string): void;
  problem(text: string): void;
}

const lossOf = (count: number) => `(${count} lines could not be written here)`;
// Not process.stdout: a full disk behind it, or a reader that is gone, would end the hive.
const stdout = new LineOutput(1, lossOf);
const stderr = new LineOutput(2, lossOf);

export const processTerminal: Terminal = {
  line: (text) => stdout.write(`${text}\n`),
  problem: (text) => stderr.write(`${text}\n`),
};

/** Seconds with one decimal: `3.4 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
