import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { parseAgentConfig } from '../agent-config/agent-config.parser.js';
import { C0reDatabase } from '../database/c0re.database.js';
import type { Agent } from './agent.entity.js';
import { AgentRepository } from './agent.repository.js';

let folder: string;
let database: C0reDatabase;
let agents: AgentRepository;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'c0re-agents-'));
  database = new C0reDatabase(path.join(folder, 'c0re.db'));
  agents = new AgentRepository(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const add = (name: string): Agent =>
  agents.insert({
    name,
    role: 'agent',
    config: parseAgentConfig({}).config,
    seed: { 'agent.yaml': '' },
    pinnedSha: null,
    container: 'process',
    slot: agents.freeSlot(),
    createdAt: 1,
  });

describe(verifies('P25') + 'rows of agents', () => {
  it('never give an id or a slot twice, destroyed or not', () => {
    const first = add('ada');
    agents.change(first.id, { destroyedAt: 2, state: 'destroyed' });
    const second = add('ada');
    expect(second.id).toBeGreaterThan(first.id);
    expect([first.slot, second.slot, add('bob').slot]).toEqual([1, 2, 3]);
    expect(agents.byName('ada')?.id).toBe(second.id);
    expect(agents.living().map(({ name }) => name)).toEqual(['ada', 'bob']);
  });

  it('have one name among those that live', () => {
    add('ada');
    expect(() => add('ada')).toThrow(/UNIQUE/);
  });
});

describe(verifies('P26') + 'the registry revision', () => {
  it('grows by one with each change that the broker has to see, and with no other', () => {
    const seen: [string, number][] = [];
    agents.onRegistryChange((agent, revision) => seen.push([agent.state, revision]));
    const { id } = add('ada');
    agents.change(id, { state: 'starting' });
    expect(seen).toEqual([]);
    agents.change(id, { tokenHash: 'ab' });
    agents.change(id, { state: 'running', handle: { pid: 1 } });
    agents.change(id, { wanted: 'stopped', handle: null });
    agents.change(id, { state: 'running' });
    agents.change(id, { instance: 4 });
    expect(seen).toEqual([
      ['starting', 1],
      ['running', 2],
      ['running', 3],
    ]);
    expect(agents.revision()).toBe(3);
    database.close();
    database = new C0reDatabase(path.join(folder, 'c0re.db'));
    expect(new AgentRepository(database).revision()).toBe(3);
  });
});
