import {
  BellRing,
  CircleHelp,
  CircleX,
  Hexagon,
  ListChecks,
  MessagesSquare,
  ShieldCheck,
  type LucideIcon,
} from 'lucide-react';

import { useNeedsOf } from '../hive/pending.js';
import { useHive } from '../hive/store.js';
import { useOperatorInbox } from '../hive/threads.js';

export interface Section {
  path: string;
  name: string;
  /** What is there, for those who look for it. */
  what: string;
  icon: LucideIcon;
  /** A phone's bar has no room for it: there it is in the menu. */
  rare?: boolean;
}

/** The pages of the hive, in the order of the menu. */
export const SECTIONS: readonly Section[] = [
  { path: '/', name: 'Swarm', what: 'all agents', icon: Hexagon },
  {
    path: '/conversations',
    name: 'Conversations',
    what: 'who says what to whom',
    icon: MessagesSquare,
  },
  { path: '/questions', name: 'Questions', what: 'what agents ask', icon: CircleHelp },
  {
    path: '/approvals',
    name: 'Approvals',
    what: 'what waits for your decision',
    icon: ShieldCheck,
    rare: true,
  },
  { path: '/reminders', name: 'Reminders', what: 'scheduled and failed ones', icon: BellRing },
  {
    path: '/undelivered',
    name: 'Undelivered',
    what: 'messages that were given up',
    icon: CircleX,
    rare: true,
  },
  {
    path: '/operations',
    name: 'Operations',
    what: 'starts, stops, restarts',
    icon: ListChecks,
    rare: true,
  },
];

/** A number beside a section's name. `soft`: nothing that waits for the operator. */
export interface SectionCount {
  n: number;
  words: string;
  soft?: boolean;
}

/** How much is in each section, by its path. */
export function useSectionCounts(): Record<string, SectionCount> {
  const unread = useOperatorInbox().length;
  const questions = useNeedsOf('question').length;
  const approvals = useNeedsOf('approval').length;
  const failed = useNeedsOf('reminder_failed').length;
  const dead = useNeedsOf('dead_delivery').length;
  const running = useHive(
    ({ rows }) =>
      Object.values(rows.operations).filter(
        ({ state }) => state === 'running' || state === 'queued',
      ).length,
  );
  return {
    '/conversations': { n: unread, words: `${unread} unread` },
    '/questions': { n: questions, words: `${questions} for you` },
    '/approvals': { n: approvals, words: `${approvals} for you` },
    '/reminders': { n: failed, words: `${failed} failed` },
    '/undelivered': { n: dead, words: `${dead} given up` },
    '/operations': { n: running, words: `${running} under way`, soft: true },
  };
}
