import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';

/** Thrown at start when the environment holds bad values; the message lists every one. */
export class BadConfigurationError extends Error {
  override readonly name = 'BadConfigurationError';
  constructor(readonly problems: string[]) {
    super(`the configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/**
 * The environment as one frozen, validated object of a class whose properties carry the variables' names. Nobody else
 * reads `process.env`. Properties need an explicit type: it decides how text is converted. Throws a BadConfigurationError that names every bad key, its value and what is allowed.
 */
export function loadEnv<T extends object>(
  dto: new () => T,
  env: Record<string, string | undefined>,
): Readonly<T> {
  const known = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const instance = plainToInstance(dto, known, {
    enableImplicitConversion: true,
    exposeDefaultValues: true,
  });
  const problems = validateSync(instance, { stopAtFirstError: true }).map((problem) => {
    const allowed = Object.values(problem.constraints ?? {}).join(', ');
    return `${problem.property}=${shown(problem.property, env[problem.property])}: ${allowed}`;
  });
  if (problems.length > 0) throw new BadConfigurationError(problems);
  return Object.freeze(instance);
}

/** A value as a message may show it: tokens not at all, URLs without their password. */
function shown(key: string, value: string | undefined): string {
  if (value === undefined) return '(not set)';
  if (/TOKEN|PASSWORD|SECRET/.test(key)) return '(hidden)';
  return JSON.stringify(value.replace(/\/\/[^/@]*@/, '//(hidden)@'));
}
