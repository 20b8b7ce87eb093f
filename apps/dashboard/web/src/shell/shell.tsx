import './shell.css';
import { Search } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';

import { Announcer } from '../design/announce.js';
import { IconButton } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { moodOf } from '../hive/mood.js';
import { useNeedsYou } from '../hive/pending.js';
import { useAgents, useOperatorInbox } from '../hive/threads.js';
import { FailedReminders } from '../reminders/failed-banner.js';
import { Brand } from './brand.js';
import { ConnectionTag } from './connection.js';
import { HiveMenu } from './hive-menu.js';
import { Palette } from './palette.js';
import { SECTIONS, useSectionCounts } from './sections.js';
import { ThemeButton } from './theme.js';
import { Toasts } from './toasts.js';

/** What stands around every page: where one can go, who is there, and whether the page is live. */
export function Shell({ children }: { children: ReactNode }): ReactNode {
  const [searching, setSearching] = useState(false);
  useShortcut('k', () => setSearching(true));
  useTitle();
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link href="/" className="top-brand">
          <Brand />
        </Link>
        <ConnectionTag />
        <IconButton
          label="Go to…"
          look="ghost"
          icon={<Search size={17} />}
          onClick={() => setSearching(true)}
        />
        <ThemeButton />
        <HiveMenu />
      </header>
      <nav className="rail" aria-label="Hive">
        <Link href="/" className="rail-brand">
          <Brand />
        </Link>
        <Sections />
        <button type="button" className="rail-search" onClick={() => setSearching(true)}>
          <Search size={14} aria-hidden />
          Go to…
          <kbd>{isMac() ? '⌘' : 'Ctrl'} K</kbd>
        </button>
        <RailAgents />
        <div className="rail-foot">
          <ConnectionTag />
          <ThemeButton />
          <HiveMenu />
        </div>
      </nav>
      <div className="content" id="content" tabIndex={-1}>
        <FailedReminders />
        {children}
      </div>
      <Announcer />
      {searching && <Palette onClose={() => setSearching(false)} />}
      <Toasts />
    </div>
  );
}

function Sections(): ReactNode {
  const [path] = useLocation();
  const counts = useSectionCounts();
  return (
    <ul className="sections">
      {SECTIONS.map(({ path: to, name, icon: Icon, rare }) => {
        const here = to === '/' ? path === '/' : path.startsWith(to);
        const count = counts[to];
        return (
          <li key={to} className={rare ? 'rare' : undefined}>
            <Link href={to} className="section" aria-current={here ? 'page' : undefined}>
              <Icon size={16} aria-hidden />
              <span>{name}</span>
              {count && count.n > 0 && (
                <span className={count.soft ? 'count soft' : 'count'} aria-label={count.words}>
                  {count.n}
                </span>
              )}
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

function RailAgents(): ReactNode {
  const agents = useAgents();
  const [path] = useLocation();
  return (
    <div className="rail-agents">
      <h2 className="label" id="rail-agents">
        Agents
      </h2>
      <ul aria-labelledby="rail-agents">
        {agents.map((agent) => {
          const { tone, word } = moodOf(agent);
          const to = `/agents/${agent.name}`;
          const here = path === to || path.startsWith(`${to}/`);
          return (
            <li key={agent.agent_id}>
              <Link href={to} className="rail-agent" aria-current={here ? 'page' : undefined}>
                <Cell name={agent.name} tone={tone} size={20} />
                <span className="mono clip">{agent.name}</span>
                <span className="only-spoken">{word}</span>
                {agent.unread > 0 && (
                  <span className="count soft" aria-label={`${agent.unread} waiting`}>
                    {agent.unread}
                  </span>
                )}
              </Link>
            </li>
          );
        })}
        {agents.length === 0 && <li className="quiet rail-none">No agents yet</li>}
      </ul>
    </div>
  );
}

/** How much waits for the operator in the tab's title, so that a background tab says so. */
function useTitle(): void {
  const unread = useOperatorInbox().length + useNeedsYou().length;
  const [path] = useLocation();
  useEffect(() => {
    const agent = /^\/agents\/([^/]+)/.exec(path)?.[1];
    const section = SECTIONS.find(({ path: to }) => to !== '/' && path.startsWith(to))?.name;
    const here = agent ?? section ?? 'Swarm';
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${here} · Hyperhive`;
  }, [unread, path]);
}

function useShortcut(key: string, then: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== key || !(event.metaKey || event.ctrlKey) || event.shiftKey) {
        return;
      }
      event.preventDefault();
      then();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  });
}

function isMac(): boolean {
  return navigator.userAgent.includes('Mac');
}
