import { Injectable } from '@nestjs/common';

import { formatId, isoTime, type ApprovalRow } from '#libs/protocol';

import { AgentRepository } from '../agents/agent.repository.js';
import { ApprovalRepository, type Approval } from './approval.repository.js';

/** States in which the operator has approved it. */
const APPROVED: ReadonlySet<string> = new Set(['approved', 'building', 'deployed', 'failed']);
const LOOKED_AT = 200;

/** Approvals as they cross process borders. */
@Injectable()
export class ApprovalViews {
  constructor(
    private readonly approvals: ApprovalRepository,
    private readonly agents: AgentRepository,
  ) {}

  row(approval: Approval): ApprovalRow {
    return {
      version: approval.version,
      id: formatId('a', approval.id),
      kind: approval.kind,
      state: approval.state,
      agent: approval.agent,
      commit_ref: approval.commitRef,
      sha: approval.sha,
      inputs: approval.inputs,
      description: approval.description,
      requested_by: approval.requestedBy,
      requested_at: isoTime(approval.requestedAt),
      bases: this.bases(approval),
      decided_by: approval.decidedBy,
      decided_at: timeOrNull(approval.decidedAt),
      reason: approval.reason,
      error: approval.error,
      resolved_at: timeOrNull(approval.resolvedAt),
    };
  }

  /** What it can be compared with: what runs, what was approved last before it, what was queued before it. */
  private bases({ id, agent, agentId, sha }: Approval): ApprovalRow['bases'] {
    if (agent === null || sha === null) return { running: null, approved: null, queued: null };
    const before = this.approvals
      .ofAgent(agent, LOOKED_AT)
      .filter((other) => other.id < id && other.sha !== null && other.agentId === agentId);
    return {
      running: agentId === null ? null : (this.agents.find(agentId)?.deployedSha ?? null),
      approved:
        before.find((other) => other.decidedAt !== null && APPROVED.has(other.state))?.sha ?? null,
      queued: before.find(({ state }) => state === 'pending')?.sha ?? null,
    };
  }
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
