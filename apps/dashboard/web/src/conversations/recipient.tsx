import { ChevronDown } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';

import { Cell } from '../design/cell.js';
import { moodOf } from '../hive/mood.js';
import { useAgents } from '../hive/threads.js';

/** Whom a message is for, chosen from all agents. */
export function Recipient({
  to,
  known,
  onChoose,
}: {
  to: string;
  known: boolean;
  onChoose: (name: string) => void;
}): ReactNode {
  const agents = useAgents();
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <button type="button" className="composer-to mono" aria-label={`To ${to || 'whom?'}`}>
          to <b className={known || !to ? undefined : 'unknown'}>{to || 'whom?'}</b>
          <ChevronDown size={12} aria-hidden />
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className="menu composer-menu"
          align="start"
          sideOffset={6}
          collisionPadding={8}
        >
          {agents.map((agent) => (
            <DropdownMenu.Item
              key={agent.agent_id}
              className="menu-item"
              onSelect={() => onChoose(agent.name)}
            >
              <Cell name={agent.name} tone={moodOf(agent).tone} size={20} />
              <span className="mono">{agent.name}</span>
              <span className="quiet composer-mood">{moodOf(agent).word}</span>
            </DropdownMenu.Item>
          ))}
          {agents.length === 0 && (
            <DropdownMenu.Item className="menu-item" disabled>
              No agents yet
            </DropdownMenu.Item>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
