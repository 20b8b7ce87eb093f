import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';

/** How near to the end still counts as being there, in pixels. */
const NEAR = 48;

export interface Sticky {
  ref: RefObject<HTMLDivElement | null>;
  onScroll: () => void;
  /** What arrived while the reader was further up. */
  below: number;
  toEnd: () => void;
  /** Stays where it is from now on: something further up is shown. */
  leaveEnd: () => void;
}

/**
 * A box that stays at its end while things are added, unless the reader scrolled up: then it counts what came below.
 * `count` is how many things it holds.
 */
export function useStickyEnd(count: number): Sticky {
  const ref = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [seen, setSeen] = useState(count);

  const toEnd = useCallback(() => {
    const box = ref.current;
    if (box) box.scrollTop = box.scrollHeight;
    atEnd.current = true;
    setSeen(count);
  }, [count]);

  const leaveEnd = useCallback(() => {
    atEnd.current = false;
  }, []);

  const onScroll = useCallback(() => {
    const box = ref.current;
    if (!box) return;
    atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    if (atEnd.current) setSeen(count);
  }, [count]);

  useLayoutEffect(() => {
    if (atEnd.current) toEnd();
  }, [count, toEnd]);

  useEffect(() => {
    const box = ref.current;
    if (!box) return undefined;
    // What is inside grows too: fonts arrive, lines fold out, deliveries get longer.
    const observer = new ResizeObserver(() => {
      if (atEnd.current) box.scrollTop = box.scrollHeight;
    });
    observer.observe(box);
    if (box.firstElementChild) observer.observe(box.firstElementChild);
    return () => observer.disconnect();
  }, []);

  return { ref, onScroll, below: Math.max(0, count - seen), toEnd, leaveEnd };
}
