import { create } from 'zustand';

import { hiveNow } from '../../hive/http.js';

/** What the operator did in a terminal and what came of it; only this page shows it. */
export interface TerminalNote {
  key: string;
  at: number;
  tone: 'plain' | 'bad';
  text: string;
}

const NONE: readonly TerminalNote[] = [];
const useNotes = create<{ notes: Record<string, readonly TerminalNote[]> }>(() => ({ notes: {} }));

export function useTerminalNotes(agent: string): readonly TerminalNote[] {
  return useNotes((store) => store.notes[agent]) ?? NONE;
}

export function addTerminalNote(
  agent: string,
  text: string,
  tone: TerminalNote['tone'] = 'plain',
): void {
  useNotes.setState(({ notes }) => ({
    notes: {
      ...notes,
      [agent]: [...(notes[agent] ?? []), { key: crypto.randomUUID(), at: hiveNow(), tone, text }],
    },
  }));
}
