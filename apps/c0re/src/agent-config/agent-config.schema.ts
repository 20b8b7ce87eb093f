import { z } from 'zod';

import {
  AGENT_NAME,
  BROADCAST,
  CONTAINERS,
  DRIVERS,
  LIMITS,
  MANAGER,
  OPERATOR,
  ROLES,
  type McpServerConfig,
} from '#libs/protocol';

import { environmentNameProblem, environmentValueProblem } from './environment.rules.js';

/** Longest single line of text: a model's name, a path, a host. */
const LINE_CHARS = 500;
const SYSTEM_PROMPT_CHARS = 65_536;
const DAY_SECONDS = 86_400;
/** Tools that an agent may use when its config names none. */
const DEFAULT_TOOLS = ['Bash', 'Edit', 'Read', 'Write', 'Glob', 'Grep'];

/** A value as it is named in a problem: short, on one line. */
function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value);
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
const must = (what: string) => ({
  error: (issue: { input?: unknown }) => `must be ${what}, not ${shown(issue.input)}`,
});

const line = (what: string) =>
  z
    .string(must(what))
    .min(1, must(what))
    .max(LINE_CHARS, { error: `must be at most ${LINE_CHARS} characters` })
    .refine((text) => !/[\0\r\n]/.test(text) && text.isWellFormed(), {
      error: 'must be one line of well-formed text',
    });
const whole = (least: number, most: number) => {
  const rule = must(`a whole number from ${least} to ${most}`);
  return z.int(rule).min(least, rule).max(most, rule);
};
const budget = () => {
  const rule = must('a number above 0, or null for no limit');
  return z.number(rule).positive(rule).nullable().default(null);
};
const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, must(`one of ${values.join(', ')}`));
const listOf = <T extends z.ZodType>(item: T, what: string, most: number) =>
  z
    .array(item, must(`a list of ${what}`))
    .max(most, { error: `must have at most ${most} entries` });

const textMap = (what: string) =>
  z.record(
    z.string(),
    z.string({ error: 'must be text; put quotes around numbers and true or false' }),
    must(what),
  );

const environment = () =>
  textMap('an object of texts by name').superRefine((env, context) => {
    for (const [name, value] of Object.entries(env)) {
      const problem = environmentNameProblem(name) ?? environmentValueProblem(value);
      if (problem) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  });

const headers = () =>
  textMap('an object of texts by header name').superRefine((fields, context) => {
    for (const [name, value] of Object.entries(fields)) {
      const problem = /^[A-Za-z0-9-]{1,64}$/.test(name)
        ? environmentValueProblem(value)
        : 'is not the name of an HTTP header';
      if (problem) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  });

const mcpProgram = z.strictObject(
  {
    command: line('the path of a program'),
    args: listOf(z.string(must('text')), 'texts', 64).optional(),
    env: environment().optional(),
  },
  must('an object with command, or with url'),
);
const mcpUrl = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
  headers: headers().optional(),
});

const mcpServers = z
  .record(z.string(), z.unknown(), must('an object of servers by name'))
  .superRefine((servers, context) => {
    for (const [name, server] of Object.entries(servers)) {
      const problem = /^[A-Za-z0-9_-]{1,64}$/.test(name)
        ? name === 'hyperhive'
          ? "is the hive's own server and cannot be replaced"
          : undefined
        : 'must be a name of letters, digits, _ and -, at most 64';
      if (problem) context.addIssue({ code: 'custom', path: [name], message: problem });
      // Checked by the shape that it wants to be, so that a problem names the key and not "no variant fits".
      const isUrl = typeof server === 'object' && server !== null && 'url' in server;
      const { error } = (isUrl ? mcpUrl : mcpProgram).safeParse(server);
      for (const issue of error?.issues ?? []) {
        context.addIssue({ ...issue, path: [name, ...issue.path] });
      }
    }
  })
  .transform((servers) => servers as Record<string, McpServerConfig>);

const recipient = z
  .string(must('a name'))
  .refine(
    (name) =>
      name !== BROADCAST && (AGENT_NAME.test(name) || name === OPERATOR || name === MANAGER),
    { error: "must be agents' names, operator or manager" },
  );

const limits = z.strictObject(
  {
    memory: z
      .string(must('text such as "2G"'))
      .regex(/^[1-9]\d{0,8}[KMGT]?$/, must('bytes, as 512M or 2G'))
      .default('2G'),
    cpu: z
      .number(must('a number of cores'))
      .min(0.01, must('a number of cores from 0.01 to 1024'))
      .max(1024, must('a number of cores from 0.01 to 1024'))
      .default(1),
    pids: whole(16, 65_536).default(512),
    turn_seconds: whole(1, DAY_SECONDS).default(3600),
    reminders_pending: whole(0, 10_000).default(50),
    reminders_per_hour: whole(0, 100_000).default(60),
    reminder_burst: whole(1, 10_000).default(10),
    sends_per_minute: whole(1, 100_000).default(60),
    send_burst: whole(1, 10_000).default(20),
    inbox: whole(1, 100_000).default(LIMITS.inbox),
    usd_per_turn: budget(),
    usd_per_day: budget(),
    tokens_per_day: budget(),
  },
  must('an object'),
);

/** Every key of agent.yaml with its default (INTERFACES "Agent configuration"); unknown keys are refused. */
export const agentConfigSchema = z.strictObject(
  {
    role: oneOf(ROLES).default('agent'),
    driver: oneOf(DRIVERS).default('claude'),
    command: listOf(
      z.string(must('text')).regex(/^[^\0]*$/, must('text without NUL')),
      'texts',
      256,
    ).default([]),
    model: line('the name of a model').nullable().default(null),
    system_prompt: z
      .string(must('text'))
      .max(SYSTEM_PROMPT_CHARS, { error: `must be at most ${SYSTEM_PROMPT_CHARS} characters` })
      .refine((text) => !text.includes('\0') && text.isWellFormed(), {
        error: 'must be well-formed text without NUL',
      })
      .default(''),
    env: environment().default({}),
    mcp_servers: mcpServers.default({}),
    allowed_tools: listOf(line("a tool's name"), "tools' names", 256).default(DEFAULT_TOOLS),
    allowed_recipients: listOf(recipient, 'names', 10_000).default([]),
    container: oneOf(CONTAINERS).nullable().default(null),
    network: oneOf(['none', 'model', 'full']).nullable().default(null),
    network_allow: listOf(line('a host'), 'hosts', 256).default([]),
    quiet_window_ms: whole(0, 60_000).default(LIMITS.quiet_window_ms),
    auto_compact: z
      .strictObject(
        {
          watermark: z
            .number(must('a number from 0.1 to 0.95'))
            .min(0.1, must('a number from 0.1 to 0.95'))
            .max(0.95, must('a number from 0.1 to 0.95'))
            .default(0.75),
        },
        must('an object'),
      )
      .prefault({}),
    limits: limits.prefault({}),
  },
  must('an object with the keys of agent.yaml'),
);
