import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link, useSearchParams } from 'wouter';

/** The agent in the address, `?agent=scout`: a list of everybody's things then shows that one's only. */
export function useAgentFilter(): string | undefined {
  const [search] = useSearchParams();
  return search.get('agent') ?? undefined;
}

/** Says that a list is narrowed to an agent, and widens it. `path`: the page without the filter. */
export function AgentFilter({ agent, path }: { agent: string; path: string }): ReactNode {
  return (
    <Link href={path} className="button small" aria-label={`Only ${agent}. Show all agents`}>
      only <b className="mono">{agent}</b> <X size={13} aria-hidden />
    </Link>
  );
}
