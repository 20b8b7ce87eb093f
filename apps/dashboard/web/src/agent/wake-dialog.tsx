import { BellRing } from 'lucide-react';
import { useState, type ReactNode } from 'react';

import { EXTERNAL_LABEL, LIMITS, type AgentRow } from '#libs/protocol';

import { Button, IconButton } from '../design/button.js';
import { Dialog } from '../design/dialog.js';
import { ErrorNote } from '../design/error-note.js';
import { Field } from '../design/field.js';
import { dismissAction, useAction } from '../hive/actions.js';
import { wakeAgent, wakeKey } from '../hive/pending-actions.js';
import { utf8Length } from '../hive/words.js';

/** Opens the dialog that wakes an agent as a program outside the hive would. */
export function WakeButton({ agent }: { agent: AgentRow }): ReactNode {
  const [open, setOpen] = useState(false);
  const { name } = agent;
  return (
    <>
      <IconButton
        label={`Wake ${name} from outside`}
        look="ghost"
        icon={<BellRing size={15} />}
        onClick={() => setOpen(true)}
      />
      {open && <WakeDialog name={name} onClose={() => setOpen(false)} />}
    </>
  );
}

interface Fields {
  from: string;
  body: string;
}

/** What is wrong with the fields, at each of them. */
export function wakeFaults({ from, body }: Fields): Partial<Fields> {
  const bytes = utf8Length(body);
  return {
    ...(EXTERNAL_LABEL.test(from)
      ? {}
      : { from: 'A label has 1 to 32 lower-case letters, digits and dashes.' }),
    ...(body.trim() === '' ? { body: 'Write what the agent is to be told.' } : {}),
    ...(bytes > LIMITS.body_bytes
      ? { body: `This is ${bytes} bytes, and ${LIMITS.body_bytes} is the limit.` }
      : {}),
  };
}

function WakeDialog({ name, onClose }: { name: string; onClose: () => void }): ReactNode {
  const [fields, setFields] = useState<Fields>({ from: 'dashboard', body: '' });
  const [faults, setFaults] = useState<Partial<Fields>>({});
  const key = wakeKey(name);
  const action = useAction(key);
  const set = (changed: Partial<Fields>): void => {
    setFields({ ...fields, ...changed });
    setFaults({});
    if (action?.state === 'failed') dismissAction(key);
  };
  const close = (): void => {
    if (action?.state === 'failed') dismissAction(key);
    onClose();
  };
  const submit = async (): Promise<void> => {
    const found = wakeFaults(fields);
    setFaults(found);
    if (Object.keys(found).length > 0) return;
    if (await wakeAgent(name, fields.from, fields.body)) onClose();
  };
  return (
    <Dialog title={`Wake ${name} from outside`} onClose={close}>
      <form
        className="wake"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p className="quiet">
          The message reaches {name} as if a program outside the hive had sent it, and begins a turn
          as soon as {name} may have one. It does not carry your authority: {name} sees it as{' '}
          <span className="mono">external:{fields.from || 'LABEL'}</span>.
        </p>
        <Field label="Who it is from" fault={faults.from}>
          {(props) => (
            <input
              {...props}
              className="input mono"
              value={fields.from}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              onChange={({ target }) => set({ from: target.value })}
            />
          )}
        </Field>
        <Field label="What it says" fault={faults.body}>
          {(props) => (
            <textarea
              {...props}
              className="input"
              rows={4}
              value={fields.body}
              onChange={({ target }) => set({ body: target.value })}
            />
          )}
        </Field>
        {action?.state === 'failed' && <ErrorNote>{action.error}</ErrorNote>}
        <div className="dialog-foot">
          <Button onClick={close}>Close</Button>
          <Button type="submit" look="primary" busy={action?.state === 'running'}>
            Wake {name}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
