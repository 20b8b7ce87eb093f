import { clip, LIMITS, type TurnEvent } from '#libs/protocol';

/** A live event before it has its place in the turn. */
export type NewEvent = Omit<TurnEvent, 'n' | 'at'>;

/** Room for the fields around text and input in an event's JSON, in bytes. */
const FRAME_BYTES = 1024;
/** Characters of a tool's name. */
const MOST_NAME = 200;
const CUT = '… (cut)';

/** The event cut to the size that the hive stores, by shortening its text and then its input. */
export function fitEvent(event: TurnEvent): TurnEvent {
  const fitted = { ...event };
  if (fitted.tool !== undefined) fitted.tool = clip(fitted.tool, MOST_NAME);
  if (jsonBytes(fitted) <= LIMITS.turn_event_bytes) return fitted;
  const room = LIMITS.turn_event_bytes - FRAME_BYTES;
  if (fitted.input !== undefined && jsonBytes(fitted.input) > room / 2) {
    fitted.input = { cut: cutToJsonBytes(JSON.stringify(fitted.input), room / 2) };
  }
  if (fitted.text !== undefined) {
    const rest = room - (fitted.input === undefined ? 0 : jsonBytes(fitted.input));
    fitted.text = cutToJsonBytes(fitted.text, rest);
  }
  return fitted;
}

/** `text` cut so that its JSON form has at most `most` bytes. */
export function cutToJsonBytes(text: string, most: number): string {
  if (jsonBytes(text) <= most) return text;
  // One UTF-16 unit needs at most 6 bytes of JSON and at least 1: halve the excess until it fits.
  let length = Math.min(text.length, Math.floor(most));
  for (;;) {
    const cut = `${text.slice(0, length).toWellFormed()}${CUT}`;
    if (jsonBytes(cut) <= most || length === 0) return cut;
    length = Math.floor(length * 0.8);
  }
}

/** Replaces secrets in everything that an event shows. Values shorter than 8 characters are left alone: they are words. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const known = secrets.filter((secret) => secret.length >= 8);
  return (text) => known.reduce((result, secret) => result.replaceAll(secret, '[secret]'), text);
}

/**
 * The event with every text in it put through `redact`: its own, and those anywhere in its input. Not the input's JSON,
 * in which a secret with a quote or a backslash reads otherwise, and from which one can cut what closes a string.
 */
export function redacted(event: NewEvent, redact: (text: string) => string): NewEvent {
  return {
    ...event,
    ...(event.text === undefined ? {} : { text: redact(event.text) }),
    ...(event.input === undefined ? {} : { input: redactWithin(event.input, redact) }),
  };
}

function redactWithin(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactWithin(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redact(name), redactWithin(item, redact)]),
  );
}

/** Names of environment variables whose values are taken for secrets. */
const SECRET_NAME = /key|token|secret|password|credential/i;

/** Values of those variables whose names say that they are secret. */
export function secretValues(env: Record<string, string>): string[] {
  return Object.entries(env)
    .filter(([name]) => SECRET_NAME.test(name))
    .map(([, value]) => value);
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value), 'utf8');
}
