import { DashboardClient } from '../hive/dashboard.client.js';
import { hiveHome, operatorToken, runningHive, type Surroundings } from '../hive/hive-home.js';

/** Where a command writes to and reads from. */
export interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
  /** Everything that stands on the standard input. */
  readInput: () => Promise<string>;
}

/** What every command works with. */
export interface Context {
  surroundings: Surroundings;
  terminal: Terminal;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** The API of the hive that runs; throws with exit code 3 when none does. */
export function connect({ surroundings }: Context): DashboardClient {
  const home = hiveHome(surroundings);
  const { dashboard_url } = runningHive(home);
  return new DashboardClient(dashboard_url, operatorToken(home, surroundings.env));
}

/** Writes an answer: as JSON for programs, or in words. */
export function show(context: Context, json: boolean, answer: unknown, words: () => string): void {
  const text = json ? JSON.stringify(answer, null, 2) : words();
  if (text !== '') context.terminal.out(text);
}

/** A text from the command line; "-" is what stands on the standard input. */
export async function givenText({ terminal }: Context, text: string): Promise<string> {
  // A program's output ends with a line break that is not meant.
  return text === '-' ? (await terminal.readInput()).replace(/\r?\n$/, '') : text;
}
