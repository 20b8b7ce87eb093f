import { Inject, Injectable } from '@nestjs/common';

import type { AgentSign, BrokerC0reApi } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { AgentRepository } from '../agents/agent.repository.js';
import { C0reDatabase } from '../database/c0re.database.js';
import { AgentRunner } from '../lifecycle/agent-runner.service.js';
import { ManagerNews } from '../manager/manager-news.repository.js';
import { RegistryPush } from '../registry/registry-push.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CLOCK, LOGGER } from '../settings/tokens.js';

type Signs = BrokerC0reApi['agent_signs'][1];

/**
 * Watches what only the broker hears of: a harness whose loop gives no sign of life is ended and started again, though its
 * process lives (PRODUCT 4.8); the manager is told whose login is missing, and of harnesses of an older hive (4.10).
 */
@Injectable()
export class HarnessWatch {
  private cancel = () => {};
  private isClosed = false;

  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly runner: AgentRunner,
    private readonly registry: RegistryPush,
    private readonly news: ManagerNews,
    private readonly database: C0reDatabase,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  start(): void {
    const { watchMs } = this.settings.timings;
    this.cancel = this.clock.after(watchMs, () => {
      void this.look()
        .catch((error: unknown) => this.logger.debug({ err: error }, 'the broker tells no signs'))
        .finally(() => {
          if (!this.isClosed) this.start();
        });
    });
  }

  close(): void {
    this.isClosed = true;
    this.cancel();
  }

  /** The broker's signs now; undefined while it is away. */
  async signs(): Promise<Signs | undefined> {
    return this.registry.isConnected ? this.registry.ask('agent_signs', {}) : undefined;
  }

  private async look(): Promise<void> {
    const signs = await this.signs();
    if (!signs) return;
    for (const sign of signs.agents) {
      try {
        this.tellLogin(sign);
        this.tellUpdate(sign);
        await this.checkLoop(sign, signs.watched_ms);
      } catch (error) {
        this.logger.error({ err: error, agent_id: sign.agent_id }, 'an agent could not be watched');
      }
    }
  }

  /** Only a gateway that was there all the time could have heard it. */
  private async checkLoop(sign: AgentSign, watchedMs: number): Promise<void> {
    const { silentMs } = this.settings.timings;
    const id = Number(sign.agent_id);
    const runsMs = this.runner.runsFor(id);
    if (sign.is_heard || watchedMs < silentMs || runsMs === undefined || runsMs < silentMs) return;
    await this.runner.endSilent(id, `its loop gave no sign of life for ${silentMs / 1000} s`);
  }

  private tellLogin({ agent_id: id, turn_state }: AgentSign): void {
    const needs = turn_state === 'needs_login';
    const key = `needs_login ${id}`;
    if (needs === (this.noted(key) !== undefined)) return;
    const { name } = this.agents.get(Number(id));
    this.database.together(() => {
      this.note(key, needs ? 'yes' : undefined);
      if (needs) {
        this.news.add(
          'needs_login',
          `${name} needs a login: it waits until the operator gives it one`,
        );
      } else {
        this.news.add('logged_in', `${name} is logged in and goes on`);
      }
    });
  }

  private tellUpdate({ agent_id: id, hyperhive_rev: rev }: AgentSign): void {
    const key = `needs_update ${id}`;
    if (rev === null || rev === this.settings.rev) {
      if (this.noted(key) !== undefined) this.note(key, undefined);
      return;
    }
    if (this.noted(key) === this.settings.rev) return;
    const { name } = this.agents.get(Number(id));
    this.database.together(() => {
      this.note(key, this.settings.rev);
      this.news.add('needs_update', `${name} runs an older hive's harness; a rebuild updates it`);
    });
  }

  private noted(key: string): string | undefined {
    const select = this.database.db.prepare('SELECT value FROM meta WHERE key = ?').pluck();
    return select.get(key) as string | undefined;
  }

  private note(key: string, value: string | undefined): void {
    const { db } = this.database;
    if (value === undefined) db.prepare('DELETE FROM meta WHERE key = ?').run(key);
    else db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(key, value);
  }
}
