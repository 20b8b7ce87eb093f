import './agent.css';
import { Tabs } from 'radix-ui';
import { lazy, Suspense, type ReactNode } from 'react';
import { useLocation } from 'wouter';

import type { AgentRow } from '#libs/protocol';

import { Composer } from '../conversations/composer.js';
import { useDraft } from '../conversations/drafts.js';
import { OutgoingItem } from '../conversations/outgoing-item.js';
import { Cell } from '../design/cell.js';
import { Empty } from '../design/empty.js';
import { MoodTag } from '../design/mood-tag.js';
import { moodOf, needOf } from '../hive/mood.js';
import { useOutbox } from '../hive/outbox.js';
import { useAgent } from '../hive/threads.js';
import { AgentActions, AgentErrors } from '../swarm/agent-actions.js';
import { Facts } from './facts.js';
import { slashesOf } from './slashes.js';
import { ConfigTab } from './tabs/config-tab.js';
import { FilesTab } from './tabs/files-tab.js';
import { InboxTab } from './tabs/inbox-tab.js';
import { JournalTab } from './tabs/journal-tab.js';
import { OpenTab } from './tabs/open-tab.js';
import { TurnsTab } from './tabs/turns-tab.js';
import { Terminal } from './terminal/terminal.js';
import { WakeButton } from './wake-dialog.js';

// The plots come with their own library, which the other tabs do not need.
const StatsTab = lazy(() => import('./tabs/stats-tab.js'));

const TABS = [
  ['terminal', 'Terminal'],
  ['inbox', 'Inbox'],
  ['open', 'Open'],
  ['turns', 'Turns'],
  ['stats', 'Stats'],
  ['files', 'Files'],
  ['config', 'Config'],
  ['journal', 'Journal'],
] as const;

/** Everything about one agent. */
export default function AgentPage({ name, tab }: { name: string; tab: string }): ReactNode {
  const agent = useAgent(name);
  const [, go] = useLocation();
  if (!agent) {
    return (
      <main className="page">
        <Empty title={`There is no agent called ${name}`}>
          It was destroyed, or its name is written differently.
        </Empty>
      </main>
    );
  }
  const known = TABS.some(([value]) => value === tab) ? tab : 'terminal';
  return (
    <main className="agent-page">
      <AgentHead agent={agent} />
      <Tabs.Root
        className="agent-tabs"
        value={known}
        onValueChange={(value) => go(`/agents/${name}${value === 'terminal' ? '' : `/${value}`}`)}
      >
        <Tabs.List className="tabs" aria-label={`About ${name}`}>
          {TABS.map(([value, label]) => (
            <Tabs.Trigger key={value} value={value} className="tab">
              {label}
              {value === 'inbox' && agent.unread > 0 && (
                <span className="count soft">{agent.unread}</span>
              )}
              {value === 'open' && agent.reminders.failed > 0 && (
                <span className="count failed">
                  {agent.reminders.failed}
                  <span className="only-spoken"> failed</span>
                </span>
              )}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value="terminal" className="tab-terminal" tabIndex={-1}>
          <div className="terminal-side">
            <Terminal name={name} />
            <AgentComposer agent={agent} />
          </div>
          <Facts agent={agent} />
        </Tabs.Content>
        <Tabs.Content value="inbox" className="tab-body" tabIndex={-1}>
          <InboxTab name={name} />
        </Tabs.Content>
        <Tabs.Content value="open" className="tab-body" tabIndex={-1}>
          <OpenTab name={name} />
        </Tabs.Content>
        <Tabs.Content value="turns" className="tab-body" tabIndex={-1}>
          <TurnsTab name={name} />
        </Tabs.Content>
        <Tabs.Content value="stats" className="tab-body" tabIndex={-1}>
          <Suspense fallback={<div className="skeleton stats-skeleton" />}>
            <StatsTab name={name} />
          </Suspense>
        </Tabs.Content>
        <Tabs.Content value="files" className="tab-body" tabIndex={-1}>
          <FilesTab name={name} />
        </Tabs.Content>
        <Tabs.Content value="config" className="tab-body" tabIndex={-1}>
          <ConfigTab name={name} sha={agent.deployed_sha} />
        </Tabs.Content>
        <Tabs.Content value="journal" className="tab-body" tabIndex={-1}>
          <JournalTab name={name} />
        </Tabs.Content>
      </Tabs.Root>
    </main>
  );
}

function AgentHead({ agent }: { agent: AgentRow }): ReactNode {
  const { tone } = moodOf(agent);
  const need = needOf(agent);
  return (
    <header className="agent-head" data-agent={agent.name}>
      <Cell name={agent.name} tone={tone} size={46} />
      <div className="agent-head-who">
        <div className="agent-head-title">
          <h1 className="mono clip">{agent.name}</h1>
          <MoodTag agent={agent} />
        </div>
        {agent.status_text && <p className="agent-status">{agent.status_text}</p>}
        {need && <p className={`agent-need ${tone}`}>{need}</p>}
      </div>
      <div className="agent-head-actions">
        <WakeButton agent={agent} />
        <AgentActions agent={agent} />
      </div>
      <AgentErrors name={agent.name} />
    </header>
  );
}

/** Writes to the agent, or tells its harness something with a slash. */
function AgentComposer({ agent }: { agent: AgentRow }): ReactNode {
  const { name } = agent;
  const [draft, setDraft] = useDraft(`agent/${name}`, [name]);
  const failed = useOutbox((store) => store.outgoing).filter(
    ({ to, state }) => state === 'failed' && to.length === 1 && to[0] === name,
  );
  return (
    <div className="agent-compose">
      {failed.length > 0 && (
        <ol className="agent-failed">
          {failed.map((message) => (
            <OutgoingItem
              key={message.key}
              message={message}
              onEdit={({ body }) => setDraft({ to: [name], body })}
            />
          ))}
        </ol>
      )}
      <Composer
        fixed
        draft={draft}
        onDraft={setDraft}
        slashes={slashesOf(name)}
        placeholder={`Write to ${name}, or / for a command`}
      />
    </div>
  );
}
