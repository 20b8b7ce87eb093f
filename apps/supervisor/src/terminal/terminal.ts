/** What the operator reads: plain lines, also when they go into a file. */
export interface Terminal {
  line(text: string): void;
  problem(text: string): void;
}

export const processTerminal: Terminal = {
  line: (text) => void process.stdout.write(`${text}\n`),
  problem: (text) => void process.stderr.write(`${text}\n`),
};

/** Seconds with one decimal: `3.4 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
