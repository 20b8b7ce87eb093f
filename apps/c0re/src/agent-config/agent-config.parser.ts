import { isAlias, isMap, isPair, isScalar, LineCounter, parseDocument, stringify } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';

import type { AgentConfig, Driver } from '#libs/protocol';

import { agentConfigSchema } from './agent-config.schema.js';
import { invalidConfig, type ConfigProblem } from './config-problem.js';
import { nearestKey } from './nearest-key.js';

type Path = readonly PropertyKey[];
type LineOf = (path: Path) => number | undefined;

/** A checked configuration with the text that stands for it in the config repository. */
export interface ParsedConfig {
  config: AgentConfig;
  yaml: string;
}

/** Drivers whose CLI talks to a model. */
const MODEL_DRIVERS: ReadonlySet<Driver> = new Set(['claude', 'codex', 'acp']);

/**
 * Reads the text of an agent.yaml. Throws `invalid_config` with every problem and its line.
 */
export function parseAgentYaml(yaml: string): ParsedConfig {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false, merge: false });
  const syntax = [...document.errors, ...document.warnings].map((error) => ({
    key: '',
    message: error.message,
    line: lines.linePos(error.pos[0]).line,
  }));
  if (syntax.length > 0) throw invalidConfig(syntax);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 32 }) ?? {};
  } catch (error) {
    throw invalidConfig([{ key: '', message: (error as Error).message }]);
  }
  return { config: check(value, (path) => lineIn(document, lines, path)), yaml };
}

/** Checks the object form of the same keys and writes the text for it. */
export function parseAgentConfig(value: Record<string, unknown>): ParsedConfig {
  return { config: check(value, () => undefined), yaml: stringify(value) };
}

function check(value: unknown, lineOf: LineOf): AgentConfig {
  const result = agentConfigSchema.safeParse(value);
  const problems = result.success
    ? acrossKeys(result.data, lineOf)
    : result.error.issues.flatMap((issue) => toProblems(issue, lineOf));
  if (problems.length > 0 || !result.success) throw invalidConfig(problems);
  const network = result.data.network ?? defaultNetwork(result.data.driver);
  return { ...result.data, network };
}

/** What one key alone cannot tell. */
function acrossKeys(config: z.infer<typeof agentConfigSchema>, lineOf: LineOf): ConfigProblem[] {
  const { driver, command } = config;
  const problem = (message: string) => [{ key: 'command', message, line: lineOf(['command']) }];
  if ((driver === 'command' || driver === 'acp') && !command[0]) {
    return problem(`must name the program to run: the driver is ${driver}`);
  }
  if ((driver === 'claude' || driver === 'codex') && command.length > 1) {
    return problem(`must be only the path of the CLI when the driver is ${driver}`);
  }
  if (driver === 'external' && command.length > 0) {
    return problem('has no meaning when the driver is external');
  }
  return [];
}

function defaultNetwork(driver: Driver): 'none' | 'model' {
  return MODEL_DRIVERS.has(driver) ? 'model' : 'none';
}

function toProblems(issue: z.core.$ZodIssue, lineOf: LineOf): ConfigProblem[] {
  if (issue.code !== 'unrecognized_keys') {
    return [{ key: issue.path.join('.'), message: issue.message, line: lineOf(issue.path) }];
  }
  const known = knownKeys(issue.path);
  return issue.keys.map((key) => {
    const meant = nearestKey(key, known);
    return {
      key: [...issue.path, key].join('.'),
      message: meant
        ? `unknown key; did you mean "${meant}"?`
        : `unknown key; known are ${known.join(', ')}`,
      line: lineOf([...issue.path, key]),
    };
  });
}

function knownKeys(path: Path): string[] {
  const { shape } = agentConfigSchema;
  if (path[0] === 'limits') return Object.keys(shape.limits.unwrap().shape);
  if (path[0] === 'auto_compact') return Object.keys(shape.auto_compact.unwrap().shape);
  if (path[0] === 'mcp_servers') return ['command', 'args', 'env', 'url', 'headers'];
  return Object.keys(shape);
}

/** Line of the key at `path`, or of the nearest key above it that the text has. */
function lineIn(document: Document.Parsed, lines: LineCounter, path: Path): number | undefined {
  let node: unknown = document.contents;
  let line: number | undefined;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (!pair || !isScalar(pair.key)) break;
      line = pair.key.range ? lines.linePos(pair.key.range[0]).line : line;
      node = pair.value;
    } else {
      break;
    }
  }
  return line;
}
