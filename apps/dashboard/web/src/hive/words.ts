import { OPERATOR } from '#libs/protocol';
import type {
  Delivery,
  DeliveryState,
  ResultKind,
  TurnState,
  WaitReason,
  WakeReason,
} from '#libs/protocol';

/** `12s`, `4m`, `3h`, `2d`: how long something took or is ago, in the largest whole unit. */
export function briefDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

/** `840ms`, `4.2s`, `3m 07s`, `1h 02m`: how long a turn took. */
export function exactDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}m ${two(Math.floor(ms / 1000) % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
}
function two(n: number): string {
  return String(n).padStart(2, '0');
}

/** `0:42`, `12:07`, `1:02:07`: a running clock. */
export function clockDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds < 3600 ? rest.replace(/^0(?=\d:)/, '') : `${Math.floor(seconds / 3600)}:${rest}`;
}

/** `980`, `12.4k`, `1.2M`. */
export function compactNumber(n: number): string {
  if (n < 1000) return String(Math.round(n));
  if (n < 1_000_000) return `${trim(n / 1000)}k`;
  return `${trim(n / 1_000_000)}M`;
}
function trim(n: number): string {
  return n >= 100 ? String(Math.round(n)) : n.toFixed(1).replace(/\.0$/, '');
}

/** Dollars with as many digits as the amount deserves. */
export function dollars(usd: number): string {
  if (usd === 0) return '$0';
  if (usd < 0.01) return `$${usd.toFixed(4)}`;
  return `$${usd < 100 ? usd.toFixed(2) : Math.round(usd).toString()}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** What the page calls somebody: the operator reads it, so the operator is `you`. */
export function called(name: string): string {
  return name === OPERATOR ? 'you' : name;
}

/** UTF-8 length in bytes: what the limit of a message counts. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Why a queued delivery is not yet a turn (PRODUCT 1.12). */
export const WAITS: Record<WaitReason, string> = {
  quiet_window: 'collecting what else arrives',
  stopped: 'agent is stopped',
  parked: 'agent is parked',
  rate_limited: 'provider limits the rate',
  needs_login: 'agent needs a login',
  budget: 'budget is used up',
  restarting: 'agent is being restarted',
  broadcast_rate: 'wakes of broadcasts are spread',
  held_cancelled: 'held since its turn was cancelled',
  back_off: 'pausing after a failed turn',
  busy: 'agent is in a turn',
  low_priority: 'low priority, read with the next turn',
  no_harness: 'agent is not connected',
  hive_limit: 'the hive runs as many turns as it may',
  unread: 'not read yet',
  ready: 'about to be taken',
};

/** The state of one delivery in words: `in a turn`, `waits: agent is stopped`. */
export function deliveryText(delivery: Delivery): string {
  switch (delivery.state) {
    case 'acked':
      return 'read';
    case 'leased':
      return 'in a turn';
    case 'queued':
      return delivery.waits_for ? WAITS[delivery.waits_for] : 'queued';
    case 'dead':
      return delivery.reason ? `given up: ${delivery.reason}` : 'given up';
    case 'cancelled':
      return delivery.reason ? `cancelled: ${delivery.reason}` : 'cancelled';
    default:
      return delivery.state;
  }
}

/** What a number of deliveries in a state is called: `3 waiting`. */
export const COUNTED_STATES: Record<DeliveryState, string> = {
  queued: 'waiting',
  leased: 'in a turn',
  acked: 'read',
  dead: 'given up',
  cancelled: 'cancelled',
};

/** Why the queued ones of many deliveries wait, most frequent first: `2 × agent is stopped, 1 × agent is in a turn`. */
export function waitsInWords(deliveries: readonly Delivery[]): string {
  const counts = new Map<WaitReason, number>();
  for (const { state, waits_for: reason } of deliveries) {
    if (state === 'queued' && reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => `${count} × ${WAITS[reason]}`)
    .join(', ');
}

export const TURN_STATE_WORDS: Record<TurnState, string> = {
  idle: 'idle',
  waiting: 'waiting',
  running: 'in a turn',
  compacting: 'compacting',
  rate_limited: 'rate limited',
  needs_login: 'needs login',
  held: 'held',
};

export const RESULT_WORDS: Record<ResultKind, string> = {
  ok: 'ok',
  cancelled: 'cancelled',
  failed: 'failed',
  compacted: 'compacted',
  rate_limited: 'rate limited',
  prompt_too_long: 'prompt too long',
  budget: 'budget reached',
  timed_out: 'timed out',
  auth_failed: 'login failed',
};

export const WAKE_WORDS: Record<WakeReason, string> = {
  message: 'message',
  reminder: 'reminder',
  operator: 'operator',
  continuation: 'own continuation',
  manual: 'manual wake',
  system: 'system event',
};
