import './spawn.css';
import { Plus } from 'lucide-react';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useLocation } from 'wouter';

import { agentNameProblem } from '#libs/protocol';

import { Button } from '../design/button.js';
import { Dialog } from '../design/dialog.js';
import { ErrorNote } from '../design/error-note.js';
import { Field } from '../design/field.js';
import { spawnAgent } from '../hive/actions.js';
import { ApiError, errorText } from '../hive/http.js';
import { agentYaml, COMMON_KEYS, splitCommand, type SpawnForm } from './spawn-config.js';

const EMPTY: SpawnForm = {
  name: '',
  role: 'agent',
  driver: 'claude',
  model: '',
  command: '',
  yaml: COMMON_KEYS,
};

const DRIVER_HINTS: Record<SpawnForm['driver'], string> = {
  claude: 'The Claude Code CLI, one turn per wake, with a session that is kept.',
  command:
    'Any program: it reads the wake prompt on stdin and finds the gateway in its environment.',
  external: 'No process of the hive: your own CLI session or any MCP client joins with its token.',
};

type Faults = Partial<Record<keyof SpawnForm | 'all', string>>;

/** Where a refusal of the hive belongs in the form. */
function faultsOf(error: unknown): Faults {
  if (error instanceof ApiError) {
    if (error.code === 'invalid_name' || error.code === 'name_taken') {
      return { name: error.message };
    }
    if (error.code === 'invalid_config') return { yaml: error.message };
  }
  return { all: errorText(error) };
}

/** Makes a new agent. Stays open until it stands in the swarm, or says at its fields what is wrong. */
export function SpawnDialog({ onClose }: { onClose: () => void }): ReactNode {
  const [form, setForm] = useState(EMPTY);
  const [faults, setFaults] = useState<Faults>({});
  const [busy, setBusy] = useState(false);
  const [, go] = useLocation();
  const set = <Key extends keyof SpawnForm>(key: Key, value: SpawnForm[Key]): void => {
    setForm((old) => ({ ...old, [key]: value }));
    setFaults({});
  };

  const submit = async (): Promise<void> => {
    const problem = agentNameProblem(form.name, form.role);
    if (problem) {
      setFaults({ name: problem });
      return;
    }
    if (form.driver === 'command' && splitCommand(form.command).length === 0) {
      setFaults({ command: 'A command agent needs the program that it runs.' });
      return;
    }
    setBusy(true);
    try {
      await spawnAgent(form.name, agentYaml(form));
      onClose();
      go(`/agents/${form.name}`);
    } catch (error) {
      setFaults(faultsOf(error));
      setBusy(false);
    }
  };

  return (
    <Dialog title="Spawn an agent" onClose={onClose}>
      <form
        className="spawn"
        noValidate
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div className="spawn-row">
          <Field label="Name" fault={faults.name} hint="Lower-case letters, digits and dashes">
            {(props) => (
              <input
                {...props}
                className="input mono"
                value={form.name}
                autoComplete="off"
                autoCapitalize="off"
                spellCheck={false}
                placeholder="reviewer"
                onChange={({ target }) => set('name', target.value)}
              />
            )}
          </Field>
          <Field label="Role" fault={faults.role}>
            {(props) => (
              <select
                {...props}
                className="select"
                value={form.role}
                onChange={({ target }) => {
                  const role = target.value === 'manager' ? 'manager' : 'agent';
                  set('role', role);
                  if (role === 'manager') set('name', 'manager');
                }}
              >
                <option value="agent">agent</option>
                <option value="manager">manager</option>
              </select>
            )}
          </Field>
        </div>
        <fieldset className="spawn-drivers">
          <legend>Driver</legend>
          {(['claude', 'command', 'external'] as const).map((driver) => (
            <label key={driver}>
              <input
                type="radio"
                name="driver"
                value={driver}
                checked={form.driver === driver}
                onChange={() => set('driver', driver)}
              />
              <span className="mono">{driver}</span>
            </label>
          ))}
          <p className="field-hint">{DRIVER_HINTS[form.driver]}</p>
        </fieldset>
        {form.driver === 'claude' && (
          <Field label="Model" fault={faults.model} hint="Empty: what the CLI chooses by itself">
            {(props) => (
              <input
                {...props}
                className="input mono"
                value={form.model}
                spellCheck={false}
                autoComplete="off"
                placeholder="sonnet"
                onChange={({ target }) => set('model', target.value)}
              />
            )}
          </Field>
        )}
        {form.driver !== 'external' && (
          <Field
            label={form.driver === 'claude' ? 'Path of the CLI' : 'Command'}
            fault={faults.command}
            hint={
              form.driver === 'claude'
                ? 'Empty: `claude` on the PATH'
                : 'The program and its arguments; quotes keep spaces together'
            }
          >
            {(props) => (
              <input
                {...props}
                className="input mono"
                value={form.command}
                spellCheck={false}
                autoComplete="off"
                placeholder={form.driver === 'claude' ? '/usr/bin/claude' : 'node bot.mjs'}
                onChange={({ target }) => set('command', target.value)}
              />
            )}
          </Field>
        )}
        <Field label="More of agent.yaml" fault={faults.yaml}>
          {(props) => (
            <textarea
              {...props}
              className="input mono spawn-yaml"
              rows={8}
              value={form.yaml}
              spellCheck={false}
              onChange={({ target }) => set('yaml', target.value)}
            />
          )}
        </Field>
        {faults.all && <ErrorNote>{faults.all}</ErrorNote>}
        <div className="dialog-foot">
          <Button onClick={onClose}>Not now</Button>
          <Button look="primary" type="submit" busy={busy} icon={<Plus size={15} />}>
            Spawn
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
