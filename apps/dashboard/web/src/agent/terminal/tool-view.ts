import { lineDiff, type DiffLine } from './line-diff.js';

/** How a tool call is shown: its short name, what it is about on one line, and what can be folded out. */
export interface ToolView {
  name: string;
  about: string;
  body?: { kind: 'text'; text: string } | { kind: 'diff'; lines: DiffLine[] };
  /** The body is the point of the call and stands open: a message that is sent. */
  open?: boolean;
}

type Input = Record<string, unknown>;

function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function lines(value: string): number {
  return value === '' ? 0 : value.split('\n').length;
}

function fileEdit(name: string, input: Input): ToolView {
  const edits = Array.isArray(input.edits) ? (input.edits as Input[]) : [input];
  const diff = edits.flatMap((edit) => lineDiff(text(edit.old_string), text(edit.new_string)));
  const added = diff.filter(({ sign }) => sign === '+').length;
  const removed = diff.filter(({ sign }) => sign === '-').length;
  return {
    name,
    about: `${text(input.file_path)}  +${added} −${removed}`,
    body: { kind: 'diff', lines: diff },
  };
}

function todos(input: Input): ToolView {
  const items = Array.isArray(input.todos) ? (input.todos as Input[]) : [];
  const done = items.filter(({ status }) => status === 'completed').length;
  const marks: Record<string, string> = { completed: '✓', in_progress: '▸' };
  return {
    name: 'Todos',
    about: `${done} of ${items.length} done`,
    body: {
      kind: 'text',
      text: items
        .map(({ status, content }) => `${marks[text(status)] ?? '·'} ${text(content)}`)
        .join('\n'),
    },
  };
}

const withBody = (name: string, about: string, body: unknown, open = false): ToolView => ({
  name,
  about,
  ...(text(body) ? { body: { kind: 'text' as const, text: text(body) }, open } : {}),
});

const BUILT_IN: Record<string, (input: Input) => ToolView> = {
  Bash: (input) => {
    const command = text(input.command);
    const [first = ''] = command.split('\n');
    return lines(command) > 1 ? withBody('$', `${first} …`, command) : { name: '$', about: first };
  },
  Read: (input) => {
    const from = Number(input.offset ?? 0);
    const range = input.limit ? `:${from}-${from + Number(input.limit)}` : from ? `:${from}` : '';
    return { name: 'Read', about: text(input.file_path) + range };
  },
  Write: (input) => {
    const content = text(input.content);
    return withBody('Write', `${text(input.file_path)}  +${lines(content)}`, content);
  },
  Edit: (input) => fileEdit('Edit', input),
  MultiEdit: (input) => fileEdit('Edit', input),
  NotebookEdit: (input) =>
    withBody('NotebookEdit', text(input.notebook_path), text(input.new_source)),
  Glob: (input) => ({ name: 'Glob', about: inFolder(text(input.pattern), input.path) }),
  Grep: (input) => ({
    name: 'Grep',
    about: inFolder(`/${text(input.pattern)}/`, input.path ?? input.glob),
  }),
  WebFetch: (input) => withBody('WebFetch', text(input.url), input.prompt),
  WebSearch: (input) => ({ name: 'WebSearch', about: text(input.query) }),
  Task: (input) => withBody('Task', text(input.description), input.prompt),
  TodoWrite: todos,
};

function inFolder(pattern: string, folder: unknown): string {
  return folder ? `${pattern} in ${text(folder)}` : pattern;
}

const HIVE: Record<string, (input: Input) => ToolView> = {
  send: (input) =>
    withBody(
      'send',
      `→ ${text(input.to)}${input.in_reply_to ? `  ↳ ${text(input.in_reply_to)}` : ''}`,
      input.body,
      true,
    ),
  recv: (input) => ({
    name: 'recv',
    about: input.wait_seconds ? `waits ${text(input.wait_seconds)}s` : '',
  }),
  recv_batch: (input) => ({ name: 'recv_batch', about: `up to ${text(input.max)}` }),
  get_thread: (input) => ({ name: 'get_thread', about: text(input.id) }),
  set_status: (input) => ({ name: 'set_status', about: text(input.text) }),
  ack: (input) => ({ name: 'ack', about: Array.isArray(input.ids) ? input.ids.join(', ') : '' }),
};

/** Presents a tool call; a tool that is not known here gets a compact `key: value` line. */
export function toolView(tool: string, rawInput: unknown): ToolView {
  const input = (typeof rawInput === 'object' && rawInput !== null ? rawInput : {}) as Input;
  const hive = /^mcp__hyperhive__(.+)$/.exec(tool)?.[1];
  const known = hive === undefined ? BUILT_IN[tool] : HIVE[hive];
  if (known) return known(input);
  const name = hive ?? tool.replace(/^mcp__(.+?)__/, '$1·');
  return { name, about: keyValues(input) };
}

const LONGEST_VALUE = 60;

/** `key: value` pairs on one line, long values cut. */
export function keyValues(input: Input): string {
  return Object.entries(input)
    .map(([key, value]) => {
      const shown = text(value).replaceAll(/\s+/g, ' ');
      return `${key}: ${shown.length > LONGEST_VALUE ? `${shown.slice(0, LONGEST_VALUE)}…` : shown}`;
    })
    .join('  ');
}

/** True for tools whose result is a message that the agent reads: it stands open. */
export function readsMessages(tool: string | undefined): boolean {
  return tool === 'mcp__hyperhive__recv' || tool === 'mcp__hyperhive__recv_batch';
}
