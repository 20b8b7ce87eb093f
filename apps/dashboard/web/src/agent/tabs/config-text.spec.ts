import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { verifies } from '../../../../../../test/requirements/verifies.js';
import { agentYaml, COMMON_KEYS } from '../../swarm/spawn-config.js';
import { journalLine } from './journal-line.js';
import { yamlText } from './yaml-text.js';

describe(verifies('7.3', '7.4') + 'configuration as text', () => {
  it('is YAML that reads back as the same values', () => {
    const config = {
      role: 'agent',
      model: null,
      system_prompt: 'You review.\n\n  Be brief: yes.\n',
      note: 'two\nlines',
      odd: ['- a', 'true', '12', '', ' x', '#c', "it's"],
      env: { 'A KEY': 'secret:NAME', EMPTY: '' },
      none: {},
      list: [],
      deep: { watermark: 0.75, on: false },
    };
    expect(parse(yamlText(config))).toEqual(config);
  });

  it('of a new agent keeps the lines of the text field where they are', () => {
    const yaml = agentYaml({
      name: 'a',
      role: 'agent',
      driver: 'command',
      model: 'ignored',
      command: `node "my bot.mjs" 'a "b"' --x`,
      yaml: `${COMMON_KEYS}quiet_window_ms: 0`,
    });
    expect(yaml.startsWith(COMMON_KEYS)).toBe(true);
    expect(parse(yaml)).toEqual({
      quiet_window_ms: 0,
      role: 'agent',
      driver: 'command',
      command: ['node', 'my bot.mjs', 'a "b"', '--x'],
    });
  });

  it("reads the harness' JSON lines and leaves other lines as they are", () => {
    expect(journalLine('{"level":40,"time":1,"pid":2,"msg":"late","turn":"t1"}')).toMatchObject({
      level: 'warn',
      text: 'late',
      more: 'turn=t1',
    });
    expect(journalLine('plain { text')).toEqual({ level: 'plain', text: 'plain { text' });
    expect(journalLine('"text"')).toEqual({ level: 'plain', text: '"text"' });
  });
});
