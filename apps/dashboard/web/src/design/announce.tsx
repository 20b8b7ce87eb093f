import { useEffect, type ReactNode } from 'react';
import { create } from 'zustand';

const useWords = create<{ words: string; n: number }>(() => ({ words: '', n: 0 }));

/** Cleared after this, so that the same words are spoken again the next time. */
const SPOKEN_MS = 4000;

/**
 * Says that something is done to those who listen, when the thing that it was done to is gone from the page. The focus
 * that went with it goes back to the content.
 */
export function announce(words: string): void {
  useWords.setState(({ n }) => ({ words, n: n + 1 }));
  requestAnimationFrame(() => {
    if (document.activeElement && document.activeElement !== document.body) return;
    document.getElementById('content')?.focus({ preventScroll: true });
  });
}

/** Stands once on the page. */
export function Announcer(): ReactNode {
  const { words, n } = useWords();
  useEffect(() => {
    if (words === '') return undefined;
    const timer = setTimeout(() => useWords.setState({ words: '' }), SPOKEN_MS);
    return () => clearTimeout(timer);
  }, [words, n]);
  return (
    <div role="status" className="only-spoken">
      {words}
    </div>
  );
}
