import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { toText } from './report.js';
import { runCrashTest } from './run.js';

const USAGE = `npm run crash-test -- [options]
  --minutes M             how long faults happen (10)
  --agents N              agents that talk to each other (50)
  --seed S                of the faults and of what agents do; a new one otherwise
  --faults-per-minute F   (24)
  --messages-per-minute R messages of the operator, each of which causes about five more (N)
  --json FILE             writes the report there too
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    agents: { type: 'string', default: '50' },
    seed: { type: 'string' },
    'faults-per-minute': { type: 'string', default: '24' },
    'messages-per-minute': { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const agents = number('agents', values.agents, 2, 500);
const options = {
  minutes: number('minutes', values.minutes, 0.1, 24 * 60),
  agents: Math.round(agents),
  seed: Math.floor(
    number('seed', values.seed ?? String(Math.floor(Math.random() * 1e9)), 0, 0xffffffff),
  ),
  faultsPerMinute: number('faults-per-minute', values['faults-per-minute'], 0.1, 600),
  messagesPerMinute: number(
    'messages-per-minute',
    values['messages-per-minute'] ?? String(agents),
    1,
    6000,
  ),
};

// The first Ctrl-C ends the faults and drains; the second one ends everything at once.
const stopping = new AbortController();
process.once('SIGINT', () => {
  stopping.abort();
  process.once('SIGINT', () => process.exit(130));
});
process.once('SIGTERM', () => process.exit(143));

const report = await runCrashTest({
  ...options,
  signal: stopping.signal,
  tell: (text) => process.stderr.write(`${text}\n`),
});
process.stdout.write(`${toText(report)}\n`);
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
process.exit(report.passed ? 0 : 1);

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  process.stderr.write(
    `--${name} must be a number from ${least} to ${most}, not "${text}"\n${USAGE}`,
  );
  return process.exit(2);
}
