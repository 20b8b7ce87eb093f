import { Injectable } from '@nestjs/common';

import { Writer } from '../storage/writer.service.js';

/** Recipients for whom this transaction may have made something possible: those who wait for it are looked at in its end. */
@Injectable()
export class WakeList {
  private ids = new Set<number>();

  constructor(writer: Writer) {
    writer.onRollback(() => this.ids.clear());
  }

  /** Inside a request. */
  add(recipient: number): void {
    this.ids.add(recipient);
  }

  /** Takes the list; it is empty afterwards. */
  take(): number[] {
    if (this.ids.size === 0) return [];
    const taken = [...this.ids];
    this.ids.clear();
    return taken;
  }
}
