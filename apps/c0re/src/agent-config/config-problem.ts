import { HiveError } from '#libs/protocol';

/** One thing that is wrong in an agent.yaml. */
export interface ConfigProblem {
  /** Dotted key, empty for the whole. */
  key: string;
  message: string;
  /** Line of the text, from 1; absent when the config came as an object. */
  line?: number;
}

/** One refusal that lists every problem, in the order of the lines. */
export function invalidConfig(problems: readonly ConfigProblem[]): HiveError {
  const sorted = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const texts = sorted.map(({ key, message, line }) =>
    [line === undefined ? '' : `line ${line}`, key, message].filter(Boolean).join(': '),
  );
  return new HiveError(
    'invalid_config',
    `agent.yaml has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}; nothing was stored. ${texts.join('; ')}`,
    { problems: sorted },
  );
}
