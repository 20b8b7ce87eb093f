import type { ReactNode } from 'react';
import { Link } from 'wouter';

import type { AgentRow } from '#libs/protocol';

import { Running } from '../design/ago.js';
import { Cell } from '../design/cell.js';
import { Meter } from '../design/meter.js';
import { MoodTag } from '../design/mood-tag.js';
import { contextShare, contextWindow } from '../hive/context.js';
import { moodOf, needOf } from '../hive/mood.js';
import { called, compactNumber, dollars } from '../hive/words.js';
import { AgentActions, AgentErrors } from './agent-actions.js';
import { AgentChips } from './agent-chips.js';

/** One agent of the swarm: who it is, what it does, what it costs, what can be done with it. */
export function AgentItem({ agent }: { agent: AgentRow }): ReactNode {
  const { tone } = moodOf(agent);
  const need = needOf(agent);
  return (
    <li className={`agent ${tone}`} data-agent={agent.name}>
      <Cell name={agent.name} tone={tone} size={42} />
      <div className="agent-who">
        <div className="agent-title">
          <Link href={`/agents/${agent.name}`} className="agent-name mono clip">
            {agent.name}
          </Link>
          <MoodTag agent={agent} />
        </div>
        <p className="agent-kind mono clip">
          {[agent.driver, agent.model ?? undefined, agent.deployed_sha?.slice(0, 7)]
            .filter(Boolean)
            .join(' · ')}
        </p>
        {agent.turn && (
          <p className="agent-turn mono">
            <span aria-hidden>▸</span> {agent.turn.turn_id}
            <span className="quiet"> from </span>
            {called(agent.turn.wake_from)}
            <span className="agent-clock">
              <Running since={agent.turn.started_at} />
            </span>
          </p>
        )}
        {agent.status_text && <p className="agent-status">{agent.status_text}</p>}
        {need && <p className={`agent-need ${tone}`}>{need}</p>}
        <AgentChips agent={agent} />
      </div>
      <dl className="agent-figures">
        <div>
          <dt>waiting</dt>
          <dd className={agent.unread > 0 ? 'nums lit' : 'nums'}>{agent.unread}</dd>
        </div>
        <div>
          <dt>context</dt>
          <dd className="nums">
            {agent.context_tokens === null ? '–' : compactNumber(agent.context_tokens)}
            {agent.context_tokens !== null && (
              <Meter
                share={contextShare(agent)}
                label={`Context of ${agent.name}, of ${compactNumber(contextWindow(agent))} tokens`}
              />
            )}
          </dd>
        </div>
        <div>
          <dt>today</dt>
          <dd className="nums">{dollars(agent.cost_today_usd)}</dd>
        </div>
      </dl>
      <AgentActions agent={agent} />
      <AgentErrors name={agent.name} />
    </li>
  );
}
