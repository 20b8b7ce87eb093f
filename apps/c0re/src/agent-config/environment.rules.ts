import { SECRET_NAME } from '#libs/protocol';

/** How a value says that it comes from the operator's secrets. */
const SECRET_PREFIX = 'secret:';
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const VALUE_CHARS = 32_768;

/** Why an environment variable of that name cannot be set for a CLI (P31); undefined when it can. */
export function environmentNameProblem(name: string): string | undefined {
  if (!NAME.test(name)) return 'is not the name of an environment variable';
  if (/^(HIVE_|LD_)/.test(name) || name === 'NODE_OPTIONS' || name === 'PATH') {
    return 'is reserved: HIVE_*, LD_*, NODE_OPTIONS and PATH cannot be set';
  }
  return undefined;
}

/** Why a variable cannot have that value (P31); undefined when it can. The value itself is never repeated. */
export function environmentValueProblem(value: string): string | undefined {
  if (/[\0\r\n]/.test(value) || !value.isWellFormed()) {
    return 'must be one line of well-formed text without NUL';
  }
  if (value.length > VALUE_CHARS) return `must be at most ${VALUE_CHARS} characters`;
  const secret = secretName(value);
  if (secret !== undefined && !SECRET_NAME.test(secret)) {
    return 'must name a secret as secret:NAME, NAME of capital letters, digits and _';
  }
  return undefined;
}

/** NAME of a `secret:NAME` value; undefined for every other value. */
export function secretName(value: string): string | undefined {
  return value.startsWith(SECRET_PREFIX) ? value.slice(SECRET_PREFIX.length) : undefined;
}
