import './palette.css';
import { MessagesSquare, Search } from 'lucide-react';
import { useId, useMemo, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useLocation } from 'wouter';

import { Cell } from '../design/cell.js';
import { Dialog } from '../design/dialog.js';
import { moodOf } from '../hive/mood.js';
import { calledEach } from '../hive/recipients.js';
import { useAgents, useThreads } from '../hive/threads.js';
import { SECTIONS } from './sections.js';

interface Place {
  to: string;
  name: string;
  what: string;
  icon: ReactNode;
}

const MOST_THREADS = 30;
const MOST_SHOWN = 9;

/** Goes anywhere by typing a part of its name. */
export function Palette({ onClose }: { onClose: () => void }): ReactNode {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [, go] = useLocation();
  const listId = useId();
  const places = usePlaces();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = places
    .filter(({ name, what }) =>
      words.every((word) => `${name} ${what}`.toLowerCase().includes(word)),
    )
    .slice(0, MOST_SHOWN);
  const chosen = Math.min(at, found.length - 1);

  const open = (place: Place | undefined): void => {
    if (!place) return;
    go(place.to);
    onClose();
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0));
    else if (event.key === 'Enter') open(found[chosen]);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog title="Go to" onClose={onClose}>
      <div className="palette">
        <div className="palette-box">
          <Search size={15} aria-hidden />
          <input
            role="combobox"
            aria-expanded
            aria-controls={listId}
            aria-activedescendant={found[chosen] ? `${listId}-${chosen}` : undefined}
            aria-label="An agent, a conversation or a page"
            placeholder="An agent, a conversation or a page"
            value={text}
            onChange={({ target }) => {
              setText(target.value);
              setAt(0);
            }}
            onKeyDown={onKey}
          />
        </div>
        <ul id={listId} role="listbox" aria-label="Places">
          {found.map((place, index) => (
            // The combobox above takes the keys for its options.
            <li
              key={place.to}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === chosen}
              onMouseMove={() => setAt(index)}
              onClick={() => open(place)}
            >
              {place.icon}
              <span className="mono clip">{place.name}</span>
              <span className="quiet clip">{place.what}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p className="quiet palette-none">Nothing is called that.</p>}
      </div>
    </Dialog>
  );
}

function usePlaces(): Place[] {
  const agents = useAgents();
  const threads = useThreads();
  return useMemo(
    () => [
      ...agents.map((agent) => ({
        to: `/agents/${agent.name}`,
        name: agent.name,
        what: moodOf(agent).word,
        icon: <Cell name={agent.name} tone={moodOf(agent).tone} size={20} />,
      })),
      ...SECTIONS.map(({ path, name, what, icon: Icon }) => ({
        to: path,
        name,
        what,
        icon: <Icon size={16} />,
      })),
      ...threads.slice(0, MOST_THREADS).map((thread) => ({
        to: `/conversations/${thread.id}`,
        name: calledEach(thread.names),
        what: thread.last.body,
        icon: <MessagesSquare size={16} />,
      })),
    ],
    [agents, threads],
  );
}
