import './conversations.css';
import { useState, type ReactNode } from 'react';

import { useThreads } from '../hive/threads.js';
import { Flow } from './flow.js';
import { filterThreads, ThreadList, type ThreadFilter } from './thread-list.js';
import { ThreadView } from './thread-view.js';

/** All conversations of the hive, and one of them, or the flow of all messages where none is chosen. */
export function Conversations({ thread: id }: { thread?: string }): ReactNode {
  const threads = useThreads();
  const [filter, setFilter] = useState<ThreadFilter>({ show: 'all', agent: '' });
  const [query, setQuery] = useState('');
  const thread = threads.find((each) => each.id === id);
  return (
    <main className={id ? 'conversations chosen' : 'conversations'}>
      <h1 className="only-spoken">Conversations</h1>
      <ThreadList
        threads={filterThreads(threads, filter)}
        chosen={id}
        filter={filter}
        onFilter={setFilter}
        query={query}
        onQuery={setQuery}
      />
      {id && id !== 'new' ? (
        <ThreadView key={id} id={id} thread={thread} />
      ) : (
        <Flow agent={filter.agent} />
      )}
    </main>
  );
}
