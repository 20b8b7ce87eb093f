import 'reflect-metadata';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import Database from 'better-sqlite3';

import { ROOT } from './child-process.js';
import { FULL_EXTENT, LARGEST_ROWS, QUICK_EXTENT } from './extent.js';
import { isMet, toTable, type ResultRow } from './report.js';
import { measureFanOut } from './targets/fan-out.target.js';
import { measureIdleHive } from './targets/idle-hive.target.js';
import { measureLarge } from './targets/large.target.js';
import { measureMass } from './targets/mass.target.js';
import { measureMemory } from './targets/memory.target.js';
import { measureScale } from './targets/scale.target.js';
import { measureSpeed } from './targets/speed.target.js';
import { measureTime } from './targets/time.target.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(
    `npm run bench [-- --quick | --full] [--only speed|large|scale|memory|time|mass|events|hive]\n`,
  );
  process.exit(0);
}

const usual = values.quick ? QUICK_EXTENT : FULL_EXTENT;
const extent = values.full ? { ...usual, scaleRows: [...usual.scaleRows, LARGEST_ROWS] } : usual;
const tell = (text: string) => process.stderr.write(`${text}\n`);
const parts: Record<string, () => Promise<ResultRow[]>> = {
  speed: () => measureSpeed(extent, tell),
  large: () => measureLarge(extent, tell),
  scale: () => measureScale(extent, tell),
  memory: () => measureMemory(extent),
  time: () => measureTime(extent, tell),
  mass: () => measureMass(tell),
  events: () => measureFanOut(tell),
  hive: () => measureIdleHive(extent, tell),
};
const chosen = values.only ?? Object.keys(parts);
const unknown = chosen.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  tell(`--only takes ${Object.keys(parts).join(', ')}, not ${unknown.join(', ')}`);
  process.exit(2);
}

const started = Date.now();
const rows: ResultRow[] = [];
for (const name of chosen) rows.push(...((await parts[name]?.()) ?? []));

const results = path.join(ROOT, 'bench', 'results');
mkdirSync(results, { recursive: true });
const report = {
  at: new Date(started).toISOString(),
  seconds: Math.round((Date.now() - started) / 1000),
  quick: values.quick,
  machine: {
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    memory_mib: Math.round(totalmem() / 1024 / 1024),
    node: process.version,
    sqlite: new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get(),
  },
  results: rows.map((row) => ({ ...row, met: isMet(row) })),
};
writeFileSync(path.join(results, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`);
process.stdout.write(`${toTable(rows)}\n\n${report.seconds} s; bench/results/latest.json\n`);
process.exit(0);
