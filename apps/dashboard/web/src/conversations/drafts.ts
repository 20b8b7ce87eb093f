import { create } from 'zustand';

import type { ComposerDraft } from './composer.js';

const useDrafts = create<{ drafts: Record<string, ComposerDraft> }>(() => ({ drafts: {} }));

/** What the operator has begun to write in one place; it is still there when they come back to it. */
export function useDraft(
  key: string,
  to: readonly string[],
): [draft: ComposerDraft, setDraft: (draft: ComposerDraft) => void, forget: () => void] {
  const draft = useDrafts((store) => store.drafts[key]);
  return [
    draft ?? { to, body: '' },
    (changed) => useDrafts.setState(({ drafts }) => ({ drafts: { ...drafts, [key]: changed } })),
    () =>
      useDrafts.setState(({ drafts: { [key]: _sent, ...drafts } }) => ({
        drafts,
      })),
  ];
}
