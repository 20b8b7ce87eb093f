#!/usr/bin/env node
// Plants one bug at a time in a copy of the sources and runs the model test of the protocol against it. Exits 1 when a bug
// is not found, or is found by another invariant than its own. Words name the invariants to try: run.mjs I4 I9
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

import { BUGS } from './bugs.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const wanted = process.argv.slice(2);
const copy = mkdtempSync(path.join(tmpdir(), 'hive-planted-'));
for (const part of [
  'apps',
  'libs',
  'bench',
  'test',
  'package.json',
  'vitest.config.ts',
  'tsconfig.base.json',
  'tsconfig.json',
]) {
  cpSync(path.join(root, part), path.join(copy, part), {
    recursive: true,
    filter: (file) => !file.includes('node_modules'),
  });
}
symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));

let missed = 0;
for (const { invariant, what, file, from, to } of BUGS) {
  if (wanted.length > 0 && !wanted.includes(invariant)) continue;
  const target = path.join(copy, file);
  const source = readFileSync(target, 'utf8');
  if (source.split(from).length !== 2)
    throw new Error(`${file} does not hold exactly once: ${from}`);
  writeFileSync(
    target,
    source.replace(from, () => to),
  );
  const run = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      'integration',
      'apps/broker/src/testing/model',
      '--reporter=default',
    ],
    { cwd: copy, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
  writeFileSync(target, source);
  const violation = /Violation: ([^\n]{0,200})/.exec(run.stdout + run.stderr)?.[1];
  const found =
    run.status !== 0 &&
    violation !== undefined &&
    violation.split(':')[0].split(' ').includes(invariant);
  if (!found) missed += 1;
  process.stdout.write(
    `${found ? 'found ' : 'MISSED'} ${invariant.padEnd(4)} ${what}\n       ${violation ?? `exit ${run.status}, no violation: ${run.stdout.slice(-600)}${run.stderr.slice(-600)}`}\n`,
  );
}
rmSync(copy, { recursive: true });
process.exit(missed === 0 ? 0 : 1);
