import { Injectable } from '@nestjs/common';

import { HiveError, isoTime, type C0reAnswers } from '#libs/protocol';
import type { StateFileQuery } from '#libs/requests';

import { AgentRepository } from '../agents/agent.repository.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import type { C0reAnswer, C0reRequest, RequestHandlers } from '../sockets/request-handler.js';
import { listStateFolder, readStateFile } from './state-file.reader.js';
import { parseStatePath } from './state-path.js';

/** Reading of state files (PRODUCT 8.2). */
@Injectable()
export class StateFileHandlers {
  readonly byRoute: Pick<RequestHandlers, 'read_state_file' | 'list_state_files'> = {
    read_state_file: (request) => this.read(request),
    list_state_files: (request) => this.list(request),
  };

  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
  ) {}

  private read({ query }: C0reRequest): C0reAnswer {
    const { agent, path } = query as StateFileQuery;
    const { root, parts } = this.place(agent, path);
    const { content, modifiedAt } = readStateFile(root, parts);
    const text = textOf(content);
    const body: C0reAnswers['state_file'] = {
      agent,
      path,
      bytes: content.length,
      modified_at: isoTime(Math.floor(modifiedAt)),
      text,
      base64: text === null ? content.toString('base64') : null,
    };
    return { body, target: agent };
  }

  private list({ query }: C0reRequest): C0reAnswer {
    const { agent, path } = query as StateFileQuery;
    const { root, parts } = this.place(agent, path);
    const { entries, truncated } = listStateFolder(root, parts);
    const body: C0reAnswers['state_folder'] = {
      agent,
      path,
      entries: entries.map(({ name, kind, bytes, modifiedAt, readable }) => {
        return { name, kind, bytes, modified_at: isoTime(Math.floor(modifiedAt)), readable };
      }),
      ...(truncated ? { truncated } : {}),
    };
    return { body, target: agent };
  }

  private place(name: string, path: string): { root: string; parts: string[] } {
    const agent = this.agents.byName(name);
    if (!agent) throw new HiveError('not_found', `there is no agent named "${name}"`);
    const { root, parts } = parseStatePath(name, path);
    const { home } = this.settings;
    return { root: root === 'shared' ? home.shared : home.agent(agent.folder).state, parts };
  }
}

function textOf(content: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}
