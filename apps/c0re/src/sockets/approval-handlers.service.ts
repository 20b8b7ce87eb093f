import { Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  isoTime,
  parseId,
  type AuditRow,
  type C0reAnswers,
  type DiffBase,
} from '#libs/protocol';
import type {
  ApprovalQuery,
  ApprovalsQuery,
  ApproveRequest,
  AuditQuery,
  DenyRequest,
  UpdateMetaInputsRequest,
  WaitQuery,
} from '#libs/requests';

import { ApprovalViews } from '../approvals/approval-views.js';
import { ApprovalRepository, type Approval } from '../approvals/approval.repository.js';
import { Approvals } from '../approvals/approvals.service.js';
import { configTemplate } from '../approvals/config-template.js';
import { ApprovalRequests } from '../approvals/requests.service.js';
import { AuditRepository } from '../audit/audit.repository.js';
import { MetaFeed } from '../meta/meta-feed.js';
import { MetaRepository } from '../meta/meta-repository.service.js';
import { OperationQueue } from '../operations/operation-queue.service.js';
import { ConfigRepositories } from '../repositories/config-repositories.service.js';
import type { C0reAnswer, C0reRequest, RequestHandlers } from './request-handler.js';

/** What the operator sees and decides of approvals, meta inputs and the audit log. */
@Injectable()
export class ApprovalHandlers {
  readonly byRoute = {
    list_approvals: (request: C0reRequest) => this.list(request),
    get_approval: (request: C0reRequest) => this.show(request),
    approve: (request: C0reRequest) => this.approve(request),
    deny: (request: C0reRequest) => this.deny(request),
    list_meta_inputs: () => this.metaInputs(),
    update_meta_inputs: (request: C0reRequest) => this.updateMetaInputs(request),
    list_audit: (request: C0reRequest) => this.auditLog(request),
  } satisfies Partial<RequestHandlers>;

  constructor(
    private readonly approvals: ApprovalRepository,
    private readonly views: ApprovalViews,
    private readonly decisions: Approvals,
    private readonly requests: ApprovalRequests,
    private readonly repositories: ConfigRepositories,
    private readonly meta: MetaRepository,
    private readonly metaFeed: MetaFeed,
    private readonly queue: OperationQueue,
    private readonly audit: AuditRepository,
  ) {}

  private list({ query }: C0reRequest): C0reAnswer {
    const { state, agent, limit, before } = query as ApprovalsQuery;
    const page = this.approvals.page(limit + 1, {
      ...(state === undefined ? {} : { state }),
      ...(agent === undefined ? {} : { agent }),
      ...(before === undefined ? {} : { before: approvalId(before) }),
    });
    const approvals = page.slice(0, limit).map((approval) => this.views.row(approval));
    const answer: C0reAnswers['approvals'] = { approvals };
    if (page.length > limit) answer.next = approvals.at(-1)?.id ?? '';
    return { body: answer };
  }

  private async show({ id, query }: C0reRequest): Promise<C0reAnswer> {
    const approval = this.one(id);
    const row = this.views.row(approval);
    const { base: asked } = query as ApprovalQuery;
    const base: DiffBase = asked ?? (row.bases.running === null ? 'none' : 'running');
    const diff = await this.diff(approval, base === 'none' ? null : row.bases[base], base);
    return { body: { approval: row, base, diff } satisfies C0reAnswers['approval_detail'] };
  }

  private async diff(
    approval: Approval,
    from: string | null,
    base: DiffBase,
  ): Promise<C0reAnswers['approval_detail']['diff']> {
    if (approval.sha === null) {
      const isNew = approval.kind === 'spawn' || approval.kind === 'init_config';
      const diff = isNew ? asAdded(configTemplate(approval.agent ?? '')) : '';
      return { from: null, to: '', diff };
    }
    if (from === null && base !== 'none') {
      throw new HiveError(
        'not_found',
        `there is no tree "${base}" to compare with; ask for base=none to see the whole`,
      );
    }
    const paths = this.requests.pathsOf(approval);
    if (!this.repositories.exists(paths)) {
      throw new HiveError(
        'not_found',
        `the repository of ${approval.agent} is gone: it was purged`,
      );
    }
    return this.repositories.diff(paths, from, approval.sha);
  }

  private async approve({ id, body, query, askedBy }: C0reRequest): Promise<C0reAnswer> {
    const { sha } = body as ApproveRequest;
    let approval = await this.decisions.approve(this.one(id).id, sha, askedBy);
    if ((query as WaitQuery).wait === '1' && approval.operationId !== null) {
      await this.queue.ended(approval.operationId);
      approval = this.approvals.get(approval.id);
    }
    return {
      status: approval.resolvedAt === null ? 202 : 200,
      body: { approval: this.views.row(approval) } satisfies C0reAnswers['approval'],
      audit: approval.state,
    };
  }

  private async deny({ id, body, askedBy }: C0reRequest): Promise<C0reAnswer> {
    const { reason } = body as DenyRequest;
    const approval = await this.decisions.deny(this.one(id).id, reason, askedBy);
    return { body: { approval: this.views.row(approval) } satisfies C0reAnswers['approval'] };
  }

  private async metaInputs(): Promise<C0reAnswer> {
    const [meta_inputs, log] = [await this.meta.inputs(), await this.meta.log()];
    return { body: { meta_inputs, log } satisfies C0reAnswers['meta_inputs'] };
  }

  private async updateMetaInputs({ body }: C0reRequest): Promise<C0reAnswer> {
    const { inputs = [] } = body as UpdateMetaInputsRequest;
    await this.meta.checkInputs(inputs);
    const changed = await this.meta.updateInputs(inputs);
    await this.metaFeed.changed();
    return { ...(await this.metaInputs()), audit: `changed ${changed.length}` };
  }

  private auditLog({ query }: C0reRequest): C0reAnswer {
    const { limit, before } = query as AuditQuery;
    const page = this.audit.page(limit + 1, before === undefined ? undefined : Number(before));
    const audit = page
      .slice(0, limit)
      .map((row): AuditRow => Object.assign(row, { id: String(row.id), at: isoTime(row.at) }));
    const answer: C0reAnswers['audit'] = { audit };
    if (page.length > limit) answer.next = audit.at(-1)?.id ?? '';
    return { body: answer };
  }

  private one(id: string): Approval {
    const approval = this.approvals.find(approvalId(id));
    if (!approval) throw new HiveError('not_found', `there is no approval ${id}`);
    return approval;
  }
}

function approvalId(id: string): number {
  const number = parseId('a', id);
  if (number === undefined) {
    throw new HiveError(
      'invalid_request',
      `${JSON.stringify(id.slice(0, 40))} is not the id of an approval, as ${formatId('a', 12)}`,
    );
  }
  return number;
}

/** A file that no repository holds yet, as a diff shows it. */
function asAdded(text: string): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const head = `diff --git a/agent.yaml b/agent.yaml\nnew file mode 100644\n--- /dev/null\n+++ b/agent.yaml\n@@ -0,0 +1,${lines.length} @@\n`;
  return head + lines.map((line) => `+${line}`).join('\n');
}
