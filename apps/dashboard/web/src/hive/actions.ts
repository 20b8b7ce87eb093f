import { create } from 'zustand';

import type { AgentRow, MessageRow, OperationRow, TombstoneRow } from '#libs/protocol';

import { callApi, errorText } from './http.js';
import { withMessages, withOperations, type Rows } from './rows.js';
import { mergeRows, useHive } from './store.js';

/**
 * Everything that the operator does and that takes a while. A button looks its action up by key: it shows progress
 * while the action is there, and the reason when it failed (PRODUCT 7.6). Success is the action's end, which comes
 * from the rows that the events bring.
 */
export type Action = { state: 'running' } | { state: 'failed'; error: string };

export const useActions = create<{ actions: Record<string, Action> }>(() => ({ actions: {} }));

export function useAction(key: string): Action | undefined {
  return useActions((store) => store.actions[key]);
}

function setAction(key: string, action: Action | undefined): void {
  useActions.setState(({ actions }) => {
    const { [key]: _old, ...others } = actions;
    return { actions: action ? { ...others, [key]: action } : others };
  });
}

export function dismissAction(key: string): void {
  setAction(key, undefined);
}

/** Thrown by `settled` when the rows say that what was asked for has failed. */
class Refused extends Error {}

/** How long the page waits for the event behind an answer before it says that none came. */
const SETTLE_MS = 120_000;

/**
 * Runs an action: the call, then the wait until `settled` is true of the rows. Resolves true when it is. At most one
 * of a key runs.
 */
export async function act<Answer>(
  key: string,
  call: () => Promise<Answer>,
  settled: (rows: Rows, answer: Answer) => boolean = () => true,
): Promise<boolean> {
  if (useActions.getState().actions[key]?.state === 'running') return false;
  setAction(key, { state: 'running' });
  try {
    const answer = await call();
    await untilRows((rows) => settled(rows, answer));
    setAction(key, undefined);
    return true;
  } catch (error) {
    setAction(key, { state: 'failed', error: errorText(error) });
    return false;
  }
}

function untilRows(condition: (rows: Rows) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = (rows: Rows): boolean => {
      try {
        if (!condition(rows)) return false;
        resolve();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
      return true;
    };
    if (check(useHive.getState().rows)) return;
    const timer = setTimeout(() => {
      stop();
      reject(new Error('The hive took it, but has not said that it is done.'));
    }, SETTLE_MS);
    const stop = useHive.subscribe(({ rows }) => {
      if (!check(rows)) return;
      clearTimeout(timer);
      stop();
    });
  });
}

interface OperationAnswer {
  operation: OperationRow;
}

/** True when the operation of the answer ended well; throws its error when it did not. */
function operationDone(rows: Rows, { operation }: OperationAnswer): boolean {
  const row = rows.operations[operation.id] ?? operation;
  if (row.state === 'failed') throw new Refused(row.error ?? 'It failed without a reason.');
  if (row.state === 'cancelled') throw new Refused(row.error ?? 'It was cancelled.');
  return row.state === 'done';
}

async function order(path: string, body: unknown = {}): Promise<OperationAnswer> {
  const answer = await callApi<OperationAnswer>('POST', path, body);
  mergeRows((rows) => withOperations(rows, [answer.operation]));
  return answer;
}

export const LIFECYCLE = ['start', 'stop', 'restart', 'rebuild', 'destroy'] as const;
export type Lifecycle = (typeof LIFECYCLE)[number];

/** The key of an agent's action. All actions of one agent share a place where their errors show. */
export function agentKey(name: string, verb: string): string {
  return `agent/${name}/${verb}`;
}
function agentPath(name: string, rest: string): string {
  return `/api/agents/${encodeURIComponent(name)}/${rest}`;
}
function agentIn(rows: Rows, name: string): AgentRow | undefined {
  return Object.values(rows.agents).find((agent) => agent.name === name);
}

export function changeAgent(name: string, verb: Lifecycle): Promise<boolean> {
  return act(agentKey(name, verb), () => order(agentPath(name, verb)), operationDone);
}

export function tombstoneKey(agentId: string, verb: string): string {
  return `tombstone/${agentId}/${verb}`;
}

/** Lets a destroyed agent live again, or removes for good what is kept of it. */
export function changeTombstone(
  { agent_id, name }: TombstoneRow,
  verb: 'revive' | 'purge',
): Promise<boolean> {
  const body = verb === 'purge' ? { agent_id, confirm: name } : { agent_id };
  return act(
    tombstoneKey(agent_id, verb),
    () => order(agentPath(name, verb), body),
    (rows, answer) => operationDone(rows, answer) && rows.tombstones[agent_id] === undefined,
  );
}

export function hiveKey(verb: string): string {
  return `hive/${verb}`;
}

/** What is done to every agent that runs, the manager first. */
export function changeAll(verb: 'restart-all' | 'update-all'): Promise<boolean> {
  return act(hiveKey(verb), () => order(`/api/${verb}`), operationDone);
}

/** Interrupts the live turn. `discard` closes what it held instead of holding it (P17). */
export function cancelTurn(name: string, discard = false): Promise<boolean> {
  const turn = agentIn(useHive.getState().rows, name)?.turn?.turn_id;
  return act(
    agentKey(name, 'cancel-turn'),
    () => callApi('POST', agentPath(name, 'cancel-turn'), discard ? { discard } : {}),
    (rows) => agentIn(rows, name)?.turn?.turn_id !== turn || turn === undefined,
  );
}

/** The operator's "go on" for an agent that is held (P17). */
export function goOn(name: string): Promise<boolean> {
  return act(
    agentKey(name, 'unpark'),
    () => callApi('POST', agentPath(name, 'unpark'), {}),
    (rows) => agentIn(rows, name)?.turn_state !== 'held' && !waitsForGoOn(rows, name),
  );
}

function waitsForGoOn(rows: Rows, name: string): boolean {
  return rows.needs_you.list.some(
    ({ kind, agent }) => agent === name && (kind === 'held_cancelled' || kind === 'hop_limit'),
  );
}

/** Commands that the harness carries out between turns; the answer says that they are queued for it. */
export function commandAgent(name: string, verb: 'compact' | 'new-session'): Promise<boolean> {
  return act(agentKey(name, verb), () => callApi('POST', agentPath(name, verb), {}));
}

export function changeModel(name: string, model: string): Promise<boolean> {
  return act(agentKey(name, 'model'), () => callApi('POST', agentPath(name, 'model'), { model }));
}

/** Creates an agent. Errors of its fields are thrown, so that the form can show them where they belong. */
export async function spawnAgent(name: string, yaml: string): Promise<void> {
  const answer = await order('/api/agents', { name, yaml });
  await untilRows((rows) => operationDone(rows, answer) && agentIn(rows, name) !== undefined);
}

export function readKey(id: string): string {
  return `message/${id}/read`;
}
export function markRead(id: string): Promise<boolean> {
  return act(
    readKey(id),
    async () => {
      const answer = await callApi<{ message?: MessageRow }>(
        'POST',
        `/api/messages/${encodeURIComponent(id)}/read`,
        {},
      );
      const { message } = answer;
      if (message) mergeRows((rows) => withMessages(rows, [message]));
    },
    (rows) =>
      !rows.messages[id]?.deliveries.some((d) => d.to === 'operator' && d.state === 'queued'),
  );
}
