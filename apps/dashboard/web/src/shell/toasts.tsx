import { X } from 'lucide-react';
import { Toast } from 'radix-ui';
import { useEffect, type ReactNode } from 'react';
import { Link } from 'wouter';
import { create } from 'zustand';

import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { onHiveEvent } from '../hive/store.js';
import { unreadByOperator } from '../hive/threads.js';

interface Notice {
  key: string;
  from: string;
  title: string;
  text: string;
  to: string;
}

const MOST_NOTICES = 3;
const SHOWN_MS = 7000;

const useNotices = create<{ notices: Notice[] }>(() => ({ notices: [] }));

function show(notice: Notice): void {
  useNotices.setState(({ notices }) => ({
    notices: [...notices.filter(({ key }) => key !== notice.key), notice].slice(-MOST_NOTICES),
  }));
}
function hide(key: string): void {
  useNotices.setState(({ notices }) => ({ notices: notices.filter((each) => each.key !== key) }));
}

/** What happens elsewhere and concerns the operator: a message or a question to them, an agent that crashed. */
function useNoticeEvents(): void {
  useEffect(
    () =>
      onHiveEvent((event, before) => {
        if (event.kind === 'message_sent' && unreadByOperator(event.message)) {
          const { message } = event;
          const to = `/conversations/${message.thread_id}`;
          const seenHere = ['/conversations', to, `/agents/${message.from}`].includes(
            location.pathname,
          );
          if (seenHere) return;
          show({
            key: `from/${message.from}`,
            from: message.from,
            title: `${message.from} writes to you`,
            text: message.body,
            to,
          });
        }
        if (event.kind === 'question_added' && event.question.target === null) {
          const { question } = event;
          if (question.state !== 'open' || ['/', '/questions'].includes(location.pathname)) return;
          show({
            key: `asks/${question.asker}`,
            from: question.asker,
            title: `${question.asker} asks you`,
            text: question.question,
            to: '/questions',
          });
        }
        if (event.kind === 'agent_changed' && event.agent.state === 'crashed') {
          const { agent } = event;
          if (before.agents[agent.agent_id]?.state === 'crashed') return;
          show({
            key: `crash/${agent.name}`,
            from: agent.name,
            title: `${agent.name} crashed`,
            text: agent.reason,
            to: `/agents/${agent.name}`,
          });
        }
      }),
    [],
  );
}

export function Toasts(): ReactNode {
  useNoticeEvents();
  const notices = useNotices((store) => store.notices);
  return (
    <Toast.Provider duration={SHOWN_MS} swipeDirection="right">
      {notices.map((notice) => (
        <Toast.Root
          key={notice.key}
          className="toast"
          onOpenChange={(open) => {
            if (!open) hide(notice.key);
          }}
        >
          <Cell name={notice.from} size={26} />
          <div>
            <Toast.Title className="toast-title">
              <Link href={notice.to} onClick={() => hide(notice.key)}>
                {notice.title}
              </Link>
            </Toast.Title>
            <Toast.Description className="toast-text">{notice.text}</Toast.Description>
          </div>
          <Toast.Close asChild>
            <Button small look="ghost" aria-label="Dismiss" icon={<X size={14} />} />
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport className="toasts" />
    </Toast.Provider>
  );
}
