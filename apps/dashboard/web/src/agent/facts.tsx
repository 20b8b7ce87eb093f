import type { ReactNode } from 'react';
import { Link } from 'wouter';

import type { AgentRow } from '#libs/protocol';

import { DeliveryGlyph } from '../conversations/delivery.js';
import { Ago, Running } from '../design/ago.js';
import { Meter } from '../design/meter.js';
import { contextShare, contextWindow } from '../hive/context.js';
import { called, compactNumber, dollars } from '../hive/words.js';
import { useInbox } from './tabs/inbox-tab.js';
import { useTurns } from './terminal/terminal.js';

const MESSAGES_SHOWN = 6;

/** What runs when nobody has named a model. */
const MODEL_UNSAID: Partial<Record<AgentRow['driver'], string>> = {
  claude: "the CLI's choice",
  codex: "the CLI's choice",
  acp: "the CLI's choice",
};

/** What is true of an agent right now, and what was last sent to it. */
export function Facts({ agent }: { agent: AgentRow }): ReactNode {
  return (
    <aside className="facts">
      <section className="panel" aria-labelledby="facts-now">
        <header className="panel-head">
          <h2 className="label" id="facts-now">
            Now
          </h2>
        </header>
        <dl className="fact-list">
          <Fact name="turn">
            {agent.turn ? (
              <>
                {agent.turn.turn_id} <span className="quiet">from</span>{' '}
                {called(agent.turn.wake_from)} <Running since={agent.turn.started_at} />
              </>
            ) : (
              <LastTurn name={agent.name} />
            )}
          </Fact>
          <Fact name="context">
            {agent.context_tokens === null ? (
              'nothing yet'
            ) : (
              <span className="fact-meter">
                {compactNumber(agent.context_tokens)}
                <span className="quiet"> of {compactNumber(contextWindow(agent))}</span>
                <Meter share={contextShare(agent)} label="Context in use" />
              </span>
            )}
          </Fact>
          <Fact name="cost today">{dollars(agent.cost_today_usd)}</Fact>
          <Fact name="waiting">{agent.unread}</Fact>
          <Fact name="driver">{agent.driver}</Fact>
          <Fact name="model">{agent.model ?? MODEL_UNSAID[agent.driver] ?? 'none'}</Fact>
          <Fact name="container">{agent.container ?? 'none'}</Fact>
          <Fact name="deployed">
            {agent.deployed_sha ? (
              <span title={agent.deployed_sha}>{agent.deployed_sha.slice(0, 12)}</span>
            ) : (
              'nothing yet'
            )}
          </Fact>
          <Fact name="harness">{agent.harness_seen_at ? 'connected' : 'not connected'}</Fact>
        </dl>
      </section>
      <section className="panel facts-inbox" aria-labelledby="facts-inbox">
        <header className="panel-head">
          <h2 className="label" id="facts-inbox">
            Told lately
          </h2>
        </header>
        <LatestInbox name={agent.name} />
      </section>
    </aside>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="mono nums">{children}</dd>
    </div>
  );
}

function LastTurn({ name }: { name: string }): ReactNode {
  const last = useTurns(name).at(-1);
  if (!last) return 'none yet';
  return (
    <>
      last {last.turn_id}, <Ago at={last.ended_at ?? last.started_at} suffix=" ago" />
    </>
  );
}

function LatestInbox({ name }: { name: string }): ReactNode {
  const messages = useInbox(name).slice(0, MESSAGES_SHOWN);
  if (messages.length === 0) return <p className="quiet facts-none">Nobody has written to it.</p>;
  return (
    <ol className="facts-messages">
      {messages.map((message) => {
        const delivery = message.deliveries.find(({ to }) => to === name);
        return (
          <li key={message.id}>
            <Link href={`/conversations/${message.thread_id}`}>
              <span className="facts-message-head">
                <b className="mono">{called(message.from)}</b>
                {delivery && <DeliveryGlyph delivery={delivery} />}
                <span className="quiet">
                  <Ago at={message.sent_at} />
                </span>
              </span>
              <span className="facts-message-body">{message.body}</span>
            </Link>
          </li>
        );
      })}
    </ol>
  );
}
