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
    const value = env[problem.property];
    return `${problem.property}=${value === undefined ? '(not set)' : JSON.stringify(value)}: ${allowed}`;
  });
  if (problems.length > 0) throw new BadConfigurationError(problems);
  return Object.freeze(instance);
}
