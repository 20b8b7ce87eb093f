import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { EndRequest } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { createLog } from '../logging/log.js';
import { systemClock } from '../time/clock.js';
import { EndStore } from './end-store.js';

let folder: string;
let lines: string[];
let store: EndStore;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hive-ends-'));
  lines = [];
  store = new EndStore(
    folder,
    createLog({}, systemClock, 'info', (line) => lines.push(line)),
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const anEnd: EndRequest = {
  instance: 1,
  result_kind: 'ok',
  shown: null,
  note: '',
  telemetry: {
    started_at: '2026-11-22T10:00:00.000Z',
    ended_at: '2026-11-22T10:00:01.000Z',
    duration_ms: 1000,
    model: null,
    input_tokens: 0,
    output_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    context_tokens: null,
    cost_usd: null,
    tool_call_count: 0,
    tool_call_breakdown: {},
    bytes_streamed: 0,
  },
};

describe(verifies('P6', '5.1') + 'stored ends', () => {
  it('gives the oldest turn first and forgets an answered one', () => {
    for (const id of ['t10', 't9', 't2']) store.save(id, anEnd);
    store.remove('t2');
    expect(store.unanswered()).toEqual([
      { turn_id: 't9', end: anEnd },
      { turn_id: 't10', end: anEnd },
    ]);
  });

  it.each([
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[]'],
    ['no JSON', '{"turn_id": "t'],
    ['nothing', ''],
    ['no turn', JSON.stringify({ end: anEnd })],
    ['no id of a turn', JSON.stringify({ turn_id: 'x', end: anEnd })],
    ['another turn', JSON.stringify({ turn_id: 't5', end: anEnd })],
    ['no result', JSON.stringify({ turn_id: 'x', end: null })],
  ])('puts a file aside that holds %s, says so, and keeps the others', (_, text) => {
    store.save('t1', anEnd);
    writeFileSync(path.join(folder, 'x.json'), text);
    expect(store.unanswered()).toEqual([{ turn_id: 't1', end: anEnd }]);
    expect(readdirSync(folder).toSorted()).toEqual(['t1.json', 'x.json.bad']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(path.join(folder, 'x.json'));
    store.unanswered();
    expect(lines).toHaveLength(1);
  });

  it('puts a file of a turn aside whose result is none', () => {
    writeFileSync(path.join(folder, 't3.json'), '{"turn_id": "t3", "end": null}');
    expect(store.unanswered()).toEqual([]);
    expect(readdirSync(folder)).toEqual(['t3.json.bad']);
  });
});
