import { BellOff, BellRing, CircleHelp, CircleX } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import type { AgentRow } from '#libs/protocol';

import { useNeedsOf, useOpenQuestionsOf } from '../hive/pending.js';
import { plural } from '../hive/words.js';

/** What is pending at an agent, as counts that lead to it (PRODUCT 3.7): none at all when nothing is. */
export function AgentChips({ agent }: { agent: AgentRow }): ReactNode {
  const { name, reminders } = agent;
  const questions = useOpenQuestionsOf(name);
  const dead = useNeedsOf('dead_delivery', name).length;
  const asksYou = questions.some(({ asker, target }) => asker === name && target === null);
  const { pending, failed, delivered_24h: delivered } = reminders;
  if (questions.length + dead + pending + failed + delivered === 0) return null;
  const filter = `?agent=${encodeURIComponent(name)}`;
  return (
    <ul className="agent-chips" aria-label={`Pending at ${name}`}>
      {questions.length > 0 && (
        <li>
          <Link href={`/questions${filter}`} className={asksYou ? 'chip honey' : 'chip'}>
            <CircleHelp size={11} aria-hidden />
            {plural(questions.length, 'question')}
          </Link>
        </li>
      )}
      {(pending > 0 || delivered > 0) && (
        <li>
          <Link href={`/reminders${filter}`} className="chip">
            <BellRing size={11} aria-hidden />
            {plural(pending, 'reminder')}
            {delivered > 0 && `, ${delivered} in 24 h`}
          </Link>
        </li>
      )}
      {failed > 0 && (
        <li>
          <Link href={`/reminders${filter}`} className="chip red">
            <BellOff size={11} aria-hidden />
            {plural(failed, 'reminder')} failed
          </Link>
        </li>
      )}
      {dead > 0 && (
        <li>
          <Link href={`/undelivered${filter}`} className="chip red">
            <CircleX size={11} aria-hidden />
            {dead} undelivered
          </Link>
        </li>
      )}
    </ul>
  );
}
