import type { HarnessCommand } from '#libs/protocol';

/** Most remembered command ids: repeats come within the next calls. */
const REMEMBERED = 200;

/** Commands from the hive: each is carried out once and confirmed until the hive has heard it (P18). */
export class CommandInbox {
  private readonly seen = new Set<string>();
  private unconfirmed: string[] = [];

  /** Those of `commands` that are new; all of them are confirmed from now on. */
  take(commands: readonly HarnessCommand[]): HarnessCommand[] {
    const fresh = commands.filter((command) => !this.seen.has(command.id));
    for (const { id } of fresh) {
      this.seen.add(id);
      this.unconfirmed.push(id);
    }
    for (const id of this.seen) {
      if (this.seen.size <= REMEMBERED) break;
      this.seen.delete(id);
    }
    return fresh;
  }

  /** Ids to confirm with the next call. */
  toConfirm(): string[] {
    return [...this.unconfirmed];
  }

  /** The call that carried `ids` was answered. */
  confirmed(ids: readonly string[]): void {
    this.unconfirmed = this.unconfirmed.filter((id) => !ids.includes(id));
  }
}
