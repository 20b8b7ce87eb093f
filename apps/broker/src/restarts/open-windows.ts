import { Injectable } from '@nestjs/common';

import { Writer } from '../storage/writer.service.js';
import { RestartWindowsRepository, type RestartWindow } from './restart-windows.repository.js';

/** The restart windows in memory, equal to their rows: every wake asks for them. */
@Injectable()
export class OpenWindows {
  private byAgent = new Map<number, RestartWindow[]>();

  constructor(
    private readonly rows: RestartWindowsRepository,
    writer: Writer,
  ) {
    this.reload();
    writer.onRollback(() => this.reload());
  }

  /** Whether the agent is being restarted: nothing is granted to it, and its lease does not end. */
  has(agent: number): boolean {
    return this.byAgent.has(agent);
  }

  of(agent: number): readonly RestartWindow[] {
    return this.byAgent.get(agent) ?? [];
  }

  all(): RestartWindow[] {
    return [...this.byAgent.values()].flat();
  }

  /** Inside a request, after the rows changed. */
  reload(): void {
    this.byAgent = Map.groupBy(this.rows.all(), (window) => window.agent);
  }
}
