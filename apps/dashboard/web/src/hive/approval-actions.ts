import { useMemo } from 'react';

import type { ApprovalRow, DashboardAnswers } from '#libs/protocol';

import { act } from './actions.js';
import { callApi } from './http.js';
import { idNumber, withApprovals, type Rows } from './rows.js';
import { mergeRows, useHive } from './store.js';

/** Approvals that the page knows, newest first. */
export function useApprovals(): ApprovalRow[] {
  const approvals = useHive((store) => store.rows.approvals);
  return useMemo(
    () => Object.values(approvals).sort((a, b) => idNumber(b.id) - idNumber(a.id)),
    [approvals],
  );
}

/** The key of what is decided about an approval. */
export function approvalKey(id: string): string {
  return `approval/${id}`;
}

/** Approves exactly the commit that is shown. Settles once the row says that it no longer waits. */
export function approve(id: string, sha: string | null): Promise<boolean> {
  return act(approvalKey(id), () => decide(id, 'approve', { sha }), isDecided(id));
}

export function deny(id: string, reason: string): Promise<boolean> {
  const body = reason.trim() === '' ? {} : { reason };
  return act(approvalKey(id), () => decide(id, 'deny', body), isDecided(id));
}

async function decide(id: string, verb: 'approve' | 'deny', body: unknown): Promise<void> {
  const { approval } = await callApi<DashboardAnswers['approval']>(
    'POST',
    `/api/approvals/${encodeURIComponent(id)}/${verb}`,
    body,
  );
  mergeRows((rows) => withApprovals(rows, [approval]));
}

function isDecided(id: string): (rows: Rows) => boolean {
  return (rows) => rows.approvals[id]?.state !== 'pending';
}

export const INPUTS_KEY = 'meta-inputs';

/** Brings an input of the deployed state to its newest. Settles once the list says so. */
export function updateInput(name: string): Promise<boolean> {
  return act(
    INPUTS_KEY,
    () => callApi<DashboardAnswers['meta_inputs']>('POST', '/api/meta-inputs', { inputs: [name] }),
    ({ meta_inputs: { list } }, answer) => {
      const wanted = answer.meta_inputs.find((input) => input.name === name);
      return list.find((input) => input.name === name)?.rev === wanted?.rev;
    },
  );
}
