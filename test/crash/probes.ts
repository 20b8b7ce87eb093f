import { NotesTail } from './notes.js';
import type { Operator } from './operator.js';
import { pause } from './time.js';

/** How often a probed agent's notes are looked at, in milliseconds. */
const LOOK_MS = 25;
/** A probe that is not shown within this time is given up, in milliseconds. */
const PATIENCE_MS = 120_000;

/**
 * Measures how long messages take from end to end: the operator writes to an agent, until the agent's program notes that
 * it was shown. One probe at a time is on its way to an agent; it serves all who asked before it was sent.
 */
export class Probes {
  /** Running probes by agent: the next one starts when it ended. */
  private readonly running = new Map<string, Promise<unknown>>();
  private readonly next = new Map<string, Promise<number | undefined>>();

  constructor(
    private readonly operator: Operator,
    private readonly notesOf: (agent: string) => string,
  ) {}

  /** When (milliseconds since 1970) a message was shown that was sent after this call; undefined when none was. */
  shown(agent: string): Promise<number | undefined> {
    const planned = this.next.get(agent);
    if (planned) return planned;
    const before = this.running.get(agent) ?? Promise.resolve();
    const probe = before.then(() => {
      this.next.delete(agent);
      const run = this.probe(agent);
      this.running.set(agent, run);
      return run;
    });
    this.next.set(agent, probe);
    return probe;
  }

  private async probe(agent: string): Promise<number | undefined> {
    const tail = new NotesTail(this.notesOf(agent));
    const end = Date.now() + PATIENCE_MS;
    const number = await this.operator.probe(agent);
    if (number === undefined) return undefined;
    while (Date.now() < end) {
      for (const note of tail.more()) {
        if (note.event === 'shown' && note.probe === number) return note.at;
      }
      await pause(LOOK_MS);
    }
    return undefined;
  }
}
