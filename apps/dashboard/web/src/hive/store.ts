import { create } from 'zustand';

import type { HiveEvent, StateSnapshot } from '#libs/protocol';

import { EventStream, type Connection } from './event-stream.js';
import { ApiError, callApi, errorText, onLoginNeeded } from './http.js';
import { applyEvent, bounded, fromSnapshot, NO_ROWS, type Rows } from './rows.js';
import { forgetSession, sessionSecret, takeSessionFromAddress } from './session.js';

/** What the whole page shows: its content, a way to log in, or why neither is possible. */
export type Phase =
  | { name: 'loading' }
  | { name: 'ready' }
  | { name: 'login_needed' }
  | { name: 'failed'; problem: string };

interface HiveStore {
  phase: Phase;
  connection: Connection;
  rows: Rows;
}

export const useHive = create<HiveStore>(() => ({
  phase: { name: 'loading' },
  connection: { status: 'connecting' },
  rows: NO_ROWS,
}));

/** Changes the rows with what an API call answered. */
export function mergeRows(change: (rows: Rows) => Rows): void {
  useHive.setState(({ rows }) => ({ rows: change(rows) }));
}

type EventListener = (event: HiveEvent, before: Rows) => void;
const listeners = new Set<EventListener>();
/** Calls `listener` with each live event, before its row is merged. Returns how to stop that. */
export function onHiveEvent(listener: EventListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let stream: EventStream | undefined;

/** Loads the one snapshot and lives from the events behind it (PRODUCT 7.1). */
export async function openHive(): Promise<void> {
  takeSessionFromAddress();
  addEventListener('online', reconnectNow);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') reconnectNow();
  });
  onLoginNeeded(() => {
    stream?.stop();
    useHive.setState({ phase: { name: 'login_needed' } });
  });
  if (!sessionSecret()) {
    useHive.setState({ phase: { name: 'login_needed' } });
    return;
  }
  await load();
}

async function load(): Promise<void> {
  stream?.stop();
  try {
    const snapshot = await callApi<StateSnapshot>('GET', '/api/state');
    useHive.setState(({ rows }) => ({
      phase: { name: 'ready' },
      rows: fromSnapshot(snapshot, rows),
    }));
    follow(snapshot.seq);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return;
    useHive.setState(({ phase }) =>
      // After a resync the page keeps what it shows and tries again.
      phase.name === 'ready'
        ? { connection: { status: 'waiting', retry_at: Date.now() + RELOAD_MS } }
        : { phase: { name: 'failed', problem: errorText(error) } },
    );
    if (useHive.getState().phase.name === 'ready') setTimeout(() => void load(), RELOAD_MS);
  }
}
const RELOAD_MS = 3000;

function follow(seq: string): void {
  stream = new EventStream({
    after: seq,
    ticket: async () => (await callApi<{ ticket: string }>('POST', '/api/ws-tickets')).ticket,
    open: (path) => new WebSocket(new URL(path, location.href.replace(/^http/, 'ws'))),
    onEvent: enqueue,
    onResync: () => void load(),
    onConnection: (connection) => useHive.setState({ connection }),
  });
  stream.start();
}

/** Ends the session at the hive and forgets its secret here. Throws when the hive cannot be told. */
export async function logOut(): Promise<void> {
  await callApi('POST', '/api/logout', {});
  stream?.stop();
  forgetSession();
  useHive.setState({ phase: { name: 'login_needed' }, rows: NO_ROWS });
}

/** Connects at once instead of at the end of the back-off. */
export function reconnectNow(): void {
  if (useHive.getState().connection.status === 'waiting') stream?.retryNow();
}
let queued: HiveEvent[] = [];

/** Events of the same moment become one change, so that a busy hive paints once per frame. */
function enqueue(event: HiveEvent): void {
  if (queued.length === 0) setTimeout(applyQueued, FRAME_MS);
  queued.push(event);
}
/** One frame at 60 Hz. A timer, because animation frames stop in background tabs and the title has to stay true. */
const FRAME_MS = 16;

function applyQueued(): void {
  const events = queued;
  queued = [];
  const before = useHive.getState().rows;
  let rows = before;
  for (const event of events) {
    for (const listener of listeners) listener(event, rows);
    rows = applyEvent(rows, event);
  }
  useHive.setState({ rows: bounded(rows) });
}
