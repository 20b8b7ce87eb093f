/** What the form of a new agent holds. */
export interface SpawnForm {
  name: string;
  role: 'agent' | 'manager';
  driver: 'claude' | 'command' | 'external';
  model: string;
  command: string;
  yaml: string;
}

/** The other keys of agent.yaml, all commented out: what they are called and what they hold. */
export const COMMON_KEYS = `# system_prompt: |
#   You review pull requests.
# env: {ANTHROPIC_BASE_URL: "http://127.0.0.1:9999"}
# allowed_tools: ["Bash", "Edit", "Read", "Write", "Glob", "Grep"]
# allowed_recipients: []        # empty: everyone
# quiet_window_ms: 250
# limits: {turn_seconds: 3600, inbox: 1000}
`;

/**
 * The text of agent.yaml that the form stands for. What the fields say comes last, so that a line that the hive
 * complains about is the line of the text field. Every JSON value is YAML too.
 */
export function agentYaml(form: SpawnForm): string {
  const command = splitCommand(form.command);
  const model = form.model.trim();
  const lines = [
    form.yaml.trimEnd(),
    `role: ${form.role}`,
    `driver: ${form.driver}`,
    ...(form.driver !== 'external' && command.length > 0
      ? [`command: ${JSON.stringify(command)}`]
      : []),
    ...(form.driver === 'claude' && model ? [`model: ${JSON.stringify(model)}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Splits a command line into its words; quotes keep spaces together. */
export function splitCommand(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double?.replace(/\\(.)/g, '$1') ?? single ?? bare ?? '',
  );
}
