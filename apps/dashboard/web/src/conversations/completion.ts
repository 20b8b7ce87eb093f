import { useState, type KeyboardEvent } from 'react';

/** One thing that can be completed: what is inserted, what is shown beside it. */
export interface Choice {
  value: string;
  hint: string;
  /** Shown however many others there are. */
  always?: boolean;
}

export interface Completion {
  /** The open list; empty when nothing can be completed at the caret. */
  choices: Choice[];
  chosen: number;
  choose: (index: number) => void;
  /** Puts a choice in, as a click on it does. */
  pick: (index: number) => void;
  /** Handles the list's keys; true when the key was for the list. */
  onKey: (event: KeyboardEvent) => boolean;
  /** Tells the list where the caret is. */
  moved: (text: string, caret: number) => void;
  close: () => void;
}

/** The word at the caret that a completion may stand for: `@wor` or `/mod`, and where it begins. */
export function tokenAt(
  text: string,
  caret: number,
): { sign: string; part: string; from: number } | undefined {
  const match = /(?:^|[\s(])([@/])([a-z0-9-]*|\*)$/i.exec(text.slice(0, caret));
  if (!match) return undefined;
  const sign = match[1] ?? '';
  const part = match[2] ?? '';
  return { sign, part: part.toLowerCase(), from: caret - part.length - 1 };
}

const MOST_CHOICES = 8;

/** The choices that begin with `part`, as many as the list holds: those that are always shown stand at its end. */
export function fitting(choices: readonly Choice[], part: string): Choice[] {
  const fits = choices.filter(({ value }) => value.toLowerCase().startsWith(part));
  const always = fits.filter((choice) => choice.always);
  const others = fits.filter((choice) => !choice.always);
  return [...others.slice(0, MOST_CHOICES - always.length), ...always];
}

/**
 * The list under a text field: arrows choose, Tab or Enter takes, Esc closes until the next letter. `choicesFor` gives
 * what a token can become, `take` puts it in.
 */
export function useCompletion(
  choicesFor: (sign: string, from: number) => readonly Choice[],
  take: (choice: Choice, from: number, caret: number) => void,
): Completion {
  const [at, setAt] = useState<{ sign: string; part: string; from: number; caret: number }>();
  const [chosen, choose] = useState(0);
  const choices = at ? fitting(choicesFor(at.sign, at.from), at.part) : [];
  const close = (): void => setAt(undefined);
  const current = Math.min(chosen, choices.length - 1);
  const pick = (index: number): void => {
    const choice = choices[index];
    if (at && choice) take(choice, at.from, at.caret);
    close();
  };

  return {
    choices,
    chosen: current,
    choose,
    pick,
    close,
    moved: (text, caret) => {
      const token = tokenAt(text, caret);
      setAt(token ? { ...token, caret } : undefined);
      choose(0);
    },
    onKey: (event) => {
      if (choices.length === 0) return false;
      if (event.key === 'ArrowDown') choose((current + 1) % choices.length);
      else if (event.key === 'ArrowUp') choose((current - 1 + choices.length) % choices.length);
      else if (event.key === 'Escape') close();
      else if (event.key === 'Tab' || event.key === 'Enter') pick(current);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  };
}
