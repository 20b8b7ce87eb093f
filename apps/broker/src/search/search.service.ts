import { Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  LIMITS,
  OPERATOR,
  parseId,
  type BrokerDashboardApi,
  type BrokerGatewayApi,
} from '#libs/protocol';

import type { MessageRecord } from '../messages/message.js';
import { MessagesRepository } from '../messages/messages.repository.js';
import { ThreadsService } from '../messages/threads.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { OPERATOR_ID } from '../registry/agent.js';
import { Credentials } from '../registry/credentials.service.js';
import { pageOf } from '../views/page.js';
import { RowVersion } from '../views/row-version.js';
import { RowViews } from '../views/row-views.js';
import { matchOf } from './query-words.js';
import { SearchEngine } from './search-engine.service.js';

/** Hits of an agent when it names no limit: an agent reads every word of them. */
const USUAL_HITS = 10;
/** Hits that are looked at for one answer to an agent: those that it was not handed yet do not count (P34). */
const CANDIDATES = 200;
const ROUNDS = 10;

type DashboardSearch = BrokerDashboardApi['search'];

/** Full-text search over messages (PRODUCT 1.9). */
@Injectable()
export class SearchService {
  constructor(
    private readonly engine: SearchEngine,
    private readonly credentials: Credentials,
    private readonly directory: AgentDirectory,
    private readonly messages: MessagesRepository,
    private readonly threads: ThreadsService,
    private readonly rows: RowViews,
    private readonly version: RowVersion,
  ) {}

  /** `search_messages`: of what the caller sent or was handed, newest first (P34). */
  async ofAgent(
    credential: string,
    query: string,
    limit: number = USUAL_HITS,
  ): Promise<BrokerGatewayApi['search_messages'][1]> {
    const { agent } = this.credentials.caller(credential);
    const match = matchOf(query);
    const records: MessageRecord[] = [];
    let before: number | undefined;
    for (let round = 0; round < ROUNDS && records.length < limit; round += 1) {
      const ids = await this.engine.find({ match, agent: agent.id, before, limit: CANDIDATES });
      for (const id of ids) {
        const record = this.messages.find(id);
        if (record && this.messages.isPartOf(record, agent.id)) records.push(record);
        if (records.length === limit) break;
      }
      before = ids.at(-1);
      if (ids.length < CANDIDATES) break;
    }
    // Its turn may have ended while it waited.
    this.credentials.caller(credential);
    return { messages: records.map((record) => this.threads.messageFor(record, agent)) };
  }

  /** `search` of the operator: of everything, or of one agent's messages. */
  async ofOperator({
    query,
    agent,
    before,
    limit = LIMITS.search_results,
  }: DashboardSearch[0]): Promise<DashboardSearch[1]> {
    const ids = await this.engine.find({
      match: matchOf(query),
      agent: agent === undefined ? undefined : this.idOf(agent),
      before: before === undefined ? undefined : parseId('m', before),
      limit: limit + 1,
    });
    const version = this.version.now();
    const { page, last } = pageOf(ids, limit);
    return {
      // What retention removed this moment is no row any more.
      messages: page.flatMap((id) => this.rows.message(id, version) ?? []),
      ...(last === undefined ? {} : { next: formatId('m', last) }),
    };
  }

  private idOf(name: string): number {
    if (name === OPERATOR) return OPERATOR_ID;
    const agent = this.directory.byLastName(name);
    if (!agent) throw new HiveError('not_found', `there is no agent "${name}"`);
    return agent.id;
  }
}
