import {
  agentNameProblem,
  HiveError,
  MANAGER,
  parseDeliveryId,
  parseId,
  quoted,
} from '#libs/protocol';

/** The agent's name in a path, or `invalid_name`. Checked here so that it can stand in a path to c0re. */
export function agentName(name: string): string {
  const problem = agentNameProblem(name, name === MANAGER ? 'manager' : 'agent');
  if (problem) throw new HiveError('invalid_name', problem);
  return name;
}

/** What an id names, by its letter, and how one looks. */
const KINDS = {
  m: ['a message', 'm12'],
  t: ['a turn', 't7'],
  q: ['a question', 'q3'],
  r: ['a reminder', 'r5'],
  a: ['an approval', 'a4'],
} as const;

/** The id of this kind in a path or query, or `invalid_request`. Checked here so that no odd text goes any further. */
function idOf(kind: keyof typeof KINDS, id: string): string {
  const [what, example] = KINDS[kind];
  if (parseId(kind, id) === undefined) throw notAnId(id, what, example);
  return id;
}

export function messageId(id: string): string {
  return idOf('m', id);
}
export function turnId(id: string): string {
  return idOf('t', id);
}
export function questionId(id: string): string {
  return idOf('q', id);
}
export function reminderId(id: string): string {
  return idOf('r', id);
}

export function approvalId(id: string): string {
  return idOf('a', id);
}

/** The delivery id in a path or query, or `invalid_request`. */
export function deliveryId(id: string): string {
  if (parseDeliveryId(id) === undefined) throw notAnId(id, 'a delivery', 'm12.3');
  return id;
}

const ID_CHARS_SHOWN = 40;

function notAnId(id: string, what: string, example: string): HiveError {
  return new HiveError(
    'invalid_request',
    `${quoted(id, ID_CHARS_SHOWN)} is not the id of ${what}; ids look like ${example}`,
  );
}
