import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';

import { HiveError } from '#libs/protocol';

import { rememberRules } from './remembered-rules.js';

rememberRules();

type Constructor<T> = new () => T;

/**
 * `input` as an instance of the DTO class, or a HiveError that lists every bad field and every unknown one.
 * Unknown fields are refused, not ignored (INTERFACES "Dashboard HTTP").
 */
export function validate<T extends object>(dto: Constructor<T>, input: unknown): T {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new HiveError(
      'invalid_request',
      `the request must be a JSON object, not ${describe(input)}`,
    );
  }
  const instance = plainToInstance(dto, input);
  const problems = validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
  });
  if (problems.length > 0) {
    const lines = problems.flatMap((problem) => flatten(problem, ''));
    const unknown = lines.every((line) => line.unknown);
    throw new HiveError(
      unknown ? 'unknown_field' : 'invalid_request',
      lines.map((line) => line.text).join('; '),
      {
        fields: lines.map((line) => line.field),
      },
    );
  }
  return instance;
}

interface Problem {
  field: string;
  text: string;
  unknown: boolean;
}

function flatten(problem: ValidationError, path: string): Problem[] {
  const field = path ? `${path}.${problem.property}` : problem.property;
  const own = Object.entries(problem.constraints ?? {}).map(([rule, text]) => {
    const unknown = rule === 'whitelistValidation';
    return {
      field,
      unknown,
      text: unknown ? `unknown field "${field}"` : path ? `${path}: ${text}` : text,
    };
  });
  return [...own, ...(problem.children ?? []).flatMap((child) => flatten(child, field))];
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
