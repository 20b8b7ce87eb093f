/** The settings by variable, with the words of `--help`. */
export const SETTINGS: Readonly<Record<string, string>> = {
  HIVE_HOME: 'folder of all state (./.hive)',
  HIVE_REDIS_URL: 'redis://, rediss:// or unix://; without it a private Redis is started',
  HIVE_DASHBOARD_HOST: 'address of the dashboard (127.0.0.1)',
  HIVE_DASHBOARD_PORT: 'port of the dashboard (7000)',
  HIVE_GATEWAY_HOST: 'address of the MCP gateway (127.0.0.1)',
  HIVE_GATEWAY_PORT: 'port of the MCP gateway (7001)',
  HIVE_OPERATOR_TOKEN: "bearer token of the operator's scripts (made once, in secrets/)",
  HIVE_CONTAINER_DRIVER: 'how agents are kept (the best one that works here)',
  HIVE_REACHABLE: 'paths below closed folders that agents must reach, separated by ":"',
  HIVE_MESSAGE_DAYS: 'days that read messages are kept (30)',
  HIVE_TURN_DAYS: 'days that the figures of turns are kept (400)',
  HIVE_EVENT_DAYS: 'days that the live output of turns is kept (14)',
  HIVE_LOG_LEVEL: 'trace, debug, info, warn, error or fatal (info)',
};

/** What stood after `npm start --`. */
export interface StartOptions {
  /** Settings by their variable. */
  values: Record<string, string>;
  demo: boolean;
  help: boolean;
  /** What is wrong with it, one line each. */
  problems: string[];
}

/** `HIVE_DASHBOARD_PORT` as an option: `--dashboard-port`. */
export function optionName(variable: string): string {
  return `--${variable
    .replace(/^HIVE_/, '')
    .toLowerCase()
    .replaceAll('_', '-')}`;
}

/** Reads `--name value`, `--name=value`, `--demo` and `--help`; a name may be written as its variable too. */
export function parseOptions(args: readonly string[]): StartOptions {
  const options: StartOptions = { values: {}, demo: false, help: false, problems: [] };
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--demo') options.demo = true;
    else if (word === '--help' || word === '-h') options.help = true;
    else takeSetting(word, rest, options);
  }
  return options;
}

function takeSetting(word: string, rest: string[], { values, problems }: StartOptions): void {
  const [name, inline] = splitOnce(word, '=');
  const variable = variableOf(name);
  if (variable === undefined) {
    const known = [...Object.keys(SETTINGS).map(optionName), '--demo', '--help'].join(', ');
    problems.push(`${JSON.stringify(word)}: there is no such option; allowed are ${known}`);
    // Its value would only be reported as a second unknown option.
    if (word.startsWith('--') && inline === undefined && rest[0]?.startsWith('-') === false)
      rest.shift();
    return;
  }
  const value = inline ?? (rest[0]?.startsWith('--') === true ? undefined : rest.shift());
  if (value === undefined || value === '') {
    problems.push(`${name}: a value must follow (${SETTINGS[variable]})`);
  } else {
    values[variable] = value;
  }
}

function variableOf(option: string): string | undefined {
  if (!option.startsWith('--')) return undefined;
  const plain = option.slice(2).toUpperCase().replaceAll('-', '_');
  const variable = plain.startsWith('HIVE_') ? plain : `HIVE_${plain}`;
  return Object.hasOwn(SETTINGS, variable) ? variable : undefined;
}

function splitOnce(text: string, by: string): [string, string | undefined] {
  const at = text.indexOf(by);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The text of `npm start -- --help`. */
export function helpText(): string {
  const lines = Object.entries(SETTINGS).map(
    ([variable, words]) => `  ${optionName(variable).padEnd(20)} ${variable.padEnd(22)} ${words}`,
  );
  return [
    'npm start [-- options]    starts the hive; Ctrl-C stops it',
    '',
    '  option               variable               meaning (default)',
    ...lines,
    '  --demo                                      with a small swarm of scripted agents',
    '',
  ].join('\n');
}
