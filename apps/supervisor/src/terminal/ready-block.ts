import { seconds } from './terminal.js';

export interface ReadyFacts {
  tookMs: number;
  loginUrl: string;
  gatewayUrl: string;
  home: string;
  driver: string;
  redis: string;
  /** Protections that are off here, one sentence each. */
  protectionsOff: readonly string[];
  demo: boolean;
}

/** The one block that `npm start` prints when everything works. */
export function readyBlock(facts: ReadyFacts): string {
  const rows: [string, string][] = [
    ['Dashboard', facts.loginUrl],
    ['', 'good once, for ten minutes; another one: npm run hive -- login-link'],
    ['Gateway', `${facts.gatewayUrl}/mcp`],
    ['State', facts.home],
    ['Driver', facts.driver],
    ['Redis', facts.redis],
    ...facts.protectionsOff.map((text, n): [string, string] => [
      n === 0 ? 'Not protected' : '',
      text,
    ]),
    ...(facts.demo
      ? [['Demo', 'a manager and scripted agents start to talk'] as [string, string]]
      : []),
    ['Stop', 'Ctrl-C'],
  ];
  const lines = rows.map(([name, text]) => `  ${name.padEnd(14)}${text}`);
  return ['', `Hyperhive is ready (${seconds(facts.tookMs)})`, '', ...lines, ''].join('\n');
}
