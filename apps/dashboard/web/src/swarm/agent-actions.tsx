import {
  Ban,
  Eraser,
  Ellipsis,
  Flame,
  Hammer,
  FoldVertical,
  Octagon,
  Play,
  RotateCw,
  Square,
  StepForward,
} from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useState, type ReactNode } from 'react';

import type { AgentRow } from '#libs/protocol';

import { Button, IconButton } from '../design/button.js';
import { Confirm } from '../design/confirm.js';
import { ErrorNote } from '../design/error-note.js';
import {
  agentKey,
  cancelTurn,
  changeAgent,
  commandAgent,
  dismissAction,
  goOn,
  LIFECYCLE,
  useActions,
  type Lifecycle,
} from '../hive/actions.js';
import { useHive } from '../hive/store.js';

/** True while the agent's `verb` is under way, whoever asked for it. */
function useBusy(agent: AgentRow): (verb: string) => boolean {
  const actions = useActions((store) => store.actions);
  const operations = useHive((store) => store.rows.operations);
  return (verb) =>
    actions[agentKey(agent.name, verb)]?.state === 'running' ||
    Object.values(operations).some(
      ({ agent: name, kind, state }) =>
        name === agent.name && kind === verb && (state === 'queued' || state === 'running'),
    );
}

/** What the operator can do with an agent in its present state. */
export function AgentActions({ agent }: { agent: AgentRow }): ReactNode {
  const [asks, setAsks] = useState<'destroy' | 'discard'>();
  const busy = useBusy(agent);
  const { name } = agent;
  const external = agent.driver === 'external';
  const up = agent.state === 'running' || agent.state === 'starting' || agent.state === 'parked';
  const inTurn = agent.turn !== undefined;
  // What is under way keeps its button, whatever state the agent passes through meanwhile.
  const underWay = LIFECYCLE.find((verb) => busy(verb));
  const shows = (verb: Lifecycle, now: boolean): boolean =>
    !external && (underWay === undefined ? now : underWay === verb);
  const lifecycle = (verb: Lifecycle, label: string, icon: ReactNode): ReactNode => (
    <IconButton
      label={label}
      look="ghost"
      busy={busy(verb)}
      icon={icon}
      onClick={() => void changeAgent(name, verb)}
    />
  );
  return (
    <div className="agent-actions">
      {agent.turn_state === 'held' && (
        <Button
          small
          look="primary"
          busy={busy('unpark')}
          icon={<StepForward size={14} />}
          onClick={() => void goOn(name)}
        >
          Go on
        </Button>
      )}
      {inTurn && (
        <Button
          small
          busy={busy('cancel-turn')}
          icon={<Octagon size={13} />}
          aria-label={`Cancel the turn of ${name}`}
          onClick={() => void cancelTurn(name)}
        >
          <span className="wide-only">Cancel turn</span>
        </Button>
      )}
      {shows('start', !up) && lifecycle('start', `Start ${name}`, <Play size={15} />)}
      {shows('restart', up) && lifecycle('restart', `Restart ${name}`, <RotateCw size={15} />)}
      {shows('stop', up) && lifecycle('stop', `Stop ${name}`, <Square size={14} />)}
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <Button
            look="ghost"
            aria-label={`More for ${name}`}
            busy={busy('destroy') || busy('rebuild')}
            icon={<Ellipsis size={16} />}
          />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className="menu" align="end" sideOffset={4} collisionPadding={8}>
            <MenuItem
              off={!up || external}
              icon={<FoldVertical size={15} />}
              onSelect={() => void commandAgent(name, 'compact')}
            >
              Compact its context
            </MenuItem>
            <MenuItem
              off={!up || external}
              icon={<Eraser size={15} />}
              onSelect={() => void commandAgent(name, 'new-session')}
            >
              New session
            </MenuItem>
            <MenuItem off={!inTurn} icon={<Ban size={15} />} onSelect={() => setAsks('discard')}>
              Cancel turn and drop its messages…
            </MenuItem>
            <MenuItem
              off={external}
              icon={<Hammer size={15} />}
              onSelect={() => void changeAgent(name, 'rebuild')}
            >
              Rebuild
            </MenuItem>
            <DropdownMenu.Separator className="menu-line" />
            <MenuItem danger icon={<Flame size={15} />} onSelect={() => setAsks('destroy')}>
              Destroy…
            </MenuItem>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      {asks === 'destroy' && (
        <Confirm
          title={`Destroy ${name}?`}
          verb={`Destroy ${name}`}
          onConfirm={() => void changeAgent(name, 'destroy')}
          onClose={() => setAsks(undefined)}
        >
          Its container and its harness go, a running turn is ended, and nobody can write to it any
          more. Its state folder is kept.
        </Confirm>
      )}
      {asks === 'discard' && (
        <Confirm
          title={`Cancel ${name}'s turn and drop its messages?`}
          verb="Cancel and drop"
          onConfirm={() => void cancelTurn(name, true)}
          onClose={() => setAsks(undefined)}
        >
          What this turn was given is closed as cancelled and never shown to {name} again. Without
          dropping, it is held until you go on.
        </Confirm>
      )}
    </div>
  );
}

function MenuItem({
  icon,
  children,
  onSelect,
  off = false,
  danger = false,
}: {
  icon: ReactNode;
  children: ReactNode;
  onSelect: () => void;
  off?: boolean;
  danger?: boolean;
}): ReactNode {
  return (
    <DropdownMenu.Item
      className={danger ? 'menu-item danger' : 'menu-item'}
      disabled={off}
      onSelect={onSelect}
    >
      {icon}
      {children}
    </DropdownMenu.Item>
  );
}

/** What went wrong with an agent's actions, in words, where its buttons are. */
export function AgentErrors({ name }: { name: string }): ReactNode {
  const actions = useActions((store) => store.actions);
  const prefix = agentKey(name, '');
  return Object.entries(actions).map(([key, action]) =>
    key.startsWith(prefix) && action.state === 'failed' ? (
      <ErrorNote key={key} onDismiss={() => dismissAction(key)}>
        <b>{key.slice(prefix.length).replace('-', ' ')}:</b> {action.error}
      </ErrorNote>
    ) : null,
  );
}
