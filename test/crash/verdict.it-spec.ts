import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';
import type { Note } from './notes.js';
import { judge, type Evidence } from './verdict.js';

/** The columns of threads.db that the judge reads. */
const TABLES = `
  CREATE TABLE agents (id INTEGER PRIMARY KEY, name TEXT);
  CREATE TABLE messages (id INTEGER PRIMARY KEY, from_name TEXT, kind TEXT, event TEXT, broadcast INTEGER DEFAULT 0,
    body TEXT, detail TEXT, sent_at INTEGER DEFAULT 0);
  CREATE TABLE deliveries (message INTEGER, recipient INTEGER, state TEXT, attempts INTEGER DEFAULT 0,
    hand_outs INTEGER DEFAULT 1, since INTEGER DEFAULT 2000, reason TEXT);
  CREATE TABLE reminder_messages (reminder INTEGER, message INTEGER, delivered_at INTEGER);
  CREATE TABLE questions (id INTEGER PRIMARY KEY);
  CREATE TABLE turns (id INTEGER PRIMARY KEY, result_kind TEXT);
`;
const DUE = 5000;
const REMINDER = {
  id: 'r1',
  occurrence: 1,
  due_at: new Date(DUE).toISOString(),
  missed: 0,
};

let folder: string;
let db: Database.Database;
let evidence: Evidence & { operator: { sent: Evidence['operator']['sent'][number][] } };
let ada: Note[];
let bob: Note[];

/** A run in which all went well: a send in each direction, a broadcast, a reminder, a question. */
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hive-verdict-'));
  const database = path.join(folder, 'threads.db');
  db = new Database(database);
  db.exec(TABLES);
  db.exec(`INSERT INTO agents VALUES (1, 'ada'), (2, 'bob'), (3, 'probe')`);
  message(1, 'operator', { n: 1 }, [1]);
  message(2, 'ada', { n: 1 }, [2]);
  message(3, 'ada', { n: 2 }, [2, 3], { broadcast: 1 });
  message(4, 'system', { n: 3 }, [1], { kind: 'reminder', detail: { reminder: REMINDER } });
  db.exec(`INSERT INTO reminder_messages VALUES (1, 4, ${DUE + 10})`);
  db.exec('INSERT INTO questions VALUES (1)');
  message(5, 'system', {}, [1], { event: 'question_answered', detail: { question: { id: 'q1' } } });
  ada = [
    shown('m1', 'operator'),
    did('send', 1, 'm2'),
    did('send', 2, 'm3'),
    { ...did('remind', 3, 'r1'), due_at: REMINDER.due_at } as Note,
    did('ask', 4, 'q1'),
    { ...shown('m4', 'system'), at: DUE + 20, reminder: REMINDER } as Note,
    shown('m5', 'system'),
  ];
  bob = [shown('m2', 'ada'), shown('m3', 'ada')];
  evidence = {
    database,
    notes: new Map([
      ['ada', ada],
      ['bob', bob],
      ['probe', [shown('m3', 'ada')]],
    ]),
    operator: { sent: [{ number: 1, to: 'ada', id: 'm1' }], refused: [] },
    from: 0,
    to: 10_000,
  };
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

function message(
  id: number,
  from: string,
  body: object,
  to: number[],
  more: { kind?: string; event?: string; broadcast?: number; detail?: object } = {},
): void {
  db.prepare(
    'INSERT INTO messages (id, from_name, kind, event, broadcast, body, detail) VALUES (?, ?, ?, ?, ?, ?, ?)',
  ).run(
    id,
    from,
    more.kind ?? (more.event ? 'system' : 'message'),
    more.event ?? null,
    more.broadcast ?? 0,
    JSON.stringify(body),
    more.detail ? JSON.stringify(more.detail) : null,
  );
  for (const recipient of to) {
    db.prepare(`INSERT INTO deliveries (message, recipient, state) VALUES (?, ?, 'acked')`).run(
      id,
      recipient,
    );
  }
}

function shown(id: string, from: string, more: object = {}): Note {
  return {
    at: 1000,
    turn: 't1',
    event: 'shown',
    id,
    from,
    kind: 'message',
    redelivered: false,
    attempt: 1,
    priority: 'normal',
    broadcast: false,
    by: 'prompt',
    ...more,
  };
}

function did(tool: string, number: number, id: string): Note {
  return { at: 1000, turn: 't1', event: 'did', number, tool, id };
}

/** What is found, without what is 0. */
function found(): Record<string, number> {
  const { checks } = judge(evidence);
  return Object.fromEntries(
    checks.filter(({ count }) => count > 0).map(({ what, count }) => [what, count]),
  );
}

const UNMARKED = 'consumed twice without the redelivered mark';

describe(verifies('1.1', 'I1') + 'the judge of the crash test', () => {
  it('finds nothing where all went well', () => {
    expect(found()).toEqual({});
  });

  const bad: [what: string, harm: () => void, finds: Record<string, number>][] = [
    [
      'a delivery that waits for ever',
      () => db.exec(`UPDATE deliveries SET state = 'queued' WHERE message = 2`),
      { lost: 1 },
    ],
    [
      'a delivery given up before its attempts were used',
      () => db.exec(`UPDATE deliveries SET state = 'dead', attempts = 1 WHERE message = 2`),
      { lost: 1 },
    ],
    [
      'a send that was answered and is not there',
      () => ada.push(did('send', 9, 'm9')),
      { lost: 1 },
    ],
    [
      'a send of the operator that became another message',
      () => evidence.operator.sent.push({ number: 2, to: 'ada', id: 'm1' }),
      { lost: 1 },
    ],
    ['a question that is not there', () => ada.push(did('ask', 9, 'q9')), { lost: 1 }],
    ['an acked message that nobody saw', () => void bob.shift(), { lost: 1 }],
    ['a second showing without the mark', () => bob.push(shown('m3', 'ada')), { [UNMARKED]: 1 }],
    ['one with the mark is right', () => bob.push(shown('m3', 'ada', { redelivered: true })), {}],
    ['a send done twice', () => message(6, 'ada', { n: 1 }, []), { 'sent twice': 1 }],
    ['messages in the wrong order', () => bob.reverse(), { 'shown out of order': 1 }],
    [
      'a broadcast that left one out',
      () => db.exec('DELETE FROM deliveries WHERE message = 3 AND recipient = 3'),
      { 'broadcast recipients left out': 1 },
    ],
    ['a reminder that never came', () => ada.push(did('remind', 9, 'r9')), { 'reminders lost': 1 }],
    [
      'a reminder before its time',
      () => db.exec(`UPDATE reminder_messages SET delivered_at = ${DUE - 1}`),
      { 'reminders early': 1 },
    ],
    [
      'a reminder twice',
      () =>
        message(6, 'system', { n: 3 }, [], { kind: 'reminder', detail: { reminder: REMINDER } }),
      { 'reminders twice': 1 },
    ],
    [
      'the outcome of a question twice',
      () =>
        message(6, 'system', {}, [], {
          event: 'question_answered',
          detail: { question: { id: 'q1' } },
        }),
      { 'question outcomes twice': 1 },
    ],
    [
      'a call that was refused',
      () =>
        ada.push({
          at: 1,
          turn: 't1',
          event: 'refused',
          number: 9,
          tool: 'send',
          code: 'invalid_input',
          message: 'no',
        }),
      { refused: 1 },
    ],
  ];
  it.each(bad)('tells %s', (_what, harm, finds) => {
    harm();
    expect(found()).toEqual(finds);
  });
});
