import { DRIVERS, HiveError, ROLES, type HarnessConfig } from '#libs/protocol';

import { reasonOf } from '../logging/log.js';
import { fs } from '../platform/builtins.js';

/** Reads what c0re wrote for this agent. Throws `invalid_config` that names the file and every bad field. */
export function readAgentConfig(file: string): HarnessConfig {
  let parsed: unknown;
  try {
    parsed = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw new HiveError('invalid_config', `${file} cannot be read: ${reasonOf(error)}`);
  }
  const problems = problemsOf(parsed);
  if (problems.length > 0) {
    throw new HiveError('invalid_config', `${file}: ${problems.join('; ')}`);
  }
  return parsed as HarnessConfig;
}

function problemsOf(value: unknown): string[] {
  if (!isRecord(value)) return ['it is not a JSON object'];
  const problems: string[] = [];
  const check = (field: keyof HarnessConfig, isRight: (it: unknown) => boolean, what: string) => {
    if (!isRight(value[field])) problems.push(`${field} must be ${what}`);
  };
  check('name', isText, 'text');
  check('role', (it) => (ROLES as readonly unknown[]).includes(it), `one of ${ROLES.join(', ')}`);
  check(
    'driver',
    (it) => (DRIVERS as readonly unknown[]).includes(it),
    `one of ${DRIVERS.join(', ')}`,
  );
  check('command', isTexts, 'a list of texts');
  check('model', (it) => it === null || isText(it), 'text or null');
  check('system_prompt', isText, 'text');
  check('env', (it) => isRecord(it) && Object.values(it).every(isText), 'names with texts');
  check('mcp_servers', isRecord, 'an object');
  check('allowed_tools', isTexts, 'a list of texts');
  check('allowed_recipients', isTexts, 'a list of texts');
  check('auto_compact_watermark', (it) => isNumber(it) && it >= 0 && it <= 1, 'from 0 to 1');
  check('turn_seconds', (it) => isNumber(it) && it > 0, 'a positive number');
  return problems;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function isText(value: unknown): value is string {
  return typeof value === 'string';
}
function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}
function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
