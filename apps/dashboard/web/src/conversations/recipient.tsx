import { Check, Megaphone, Plus, X } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';

import { BROADCAST } from '#libs/protocol';

import { Cell } from '../design/cell.js';
import { moodOf } from '../hive/mood.js';
import { withRecipient } from '../hive/recipients.js';
import { useAgents } from '../hive/threads.js';
import { plural } from '../hive/words.js';

/** Whom a message is for: each name can be taken out, and more are chosen from all agents. */
export function Recipients({
  to,
  onChange,
}: {
  to: readonly string[];
  onChange: (to: string[]) => void;
}): ReactNode {
  const agents = useAgents();
  const without = (name: string): string[] => to.filter((each) => each !== name);
  const choose = (name: string): void =>
    onChange(to.includes(name) ? without(name) : withRecipient(to, name));
  return (
    <div className="recipients">
      <span className="quiet">to</span>
      <ul aria-label="Recipients">
        {to.map((name) => (
          <li
            key={name}
            className={
              name === BROADCAST || agents.some((agent) => agent.name === name)
                ? 'recipient'
                : 'recipient unknown'
            }
          >
            <span className="mono clip">{name === BROADCAST ? 'everybody' : name}</span>
            {name === BROADCAST && (
              <span className="quiet recipient-count">{plural(agents.length, 'agent')}</span>
            )}
            <button
              type="button"
              aria-label={`Take out ${name === BROADCAST ? 'everybody' : name}`}
              onClick={() => onChange(without(name))}
            >
              <X size={12} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <button type="button" className="recipient-add" aria-label="Choose recipients">
            {to.length === 0 && <span className="mono">whom?</span>}
            <Plus size={13} aria-hidden />
          </button>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content
            className="menu composer-menu"
            align="start"
            sideOffset={6}
            collisionPadding={8}
          >
            <Choice chosen={to.includes(BROADCAST)} onChoose={() => choose(BROADCAST)}>
              <Megaphone size={16} aria-hidden />
              <span>everybody</span>
              <span className="quiet composer-mood">{plural(agents.length, 'agent')}</span>
            </Choice>
            <DropdownMenu.Separator className="menu-line" />
            {agents.map((agent) => (
              <Choice
                key={agent.agent_id}
                chosen={to.includes(agent.name)}
                onChoose={() => choose(agent.name)}
              >
                <Cell name={agent.name} tone={moodOf(agent).tone} size={20} />
                <span className="mono">{agent.name}</span>
                <span className="quiet composer-mood">{moodOf(agent).word}</span>
              </Choice>
            ))}
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </div>
  );
}

/** The menu stays open, so that several can be chosen. */
function Choice({
  chosen,
  onChoose,
  children,
}: {
  chosen: boolean;
  onChoose: () => void;
  children: ReactNode;
}): ReactNode {
  return (
    <DropdownMenu.CheckboxItem
      className="menu-item"
      checked={chosen}
      onSelect={(event) => event.preventDefault()}
      onCheckedChange={onChoose}
    >
      <span className="recipient-check">{chosen && <Check size={14} aria-hidden />}</span>
      {children}
    </DropdownMenu.CheckboxItem>
  );
}
