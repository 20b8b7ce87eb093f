import type { ReactNode } from 'react';

import { useNow } from '../hive/now.js';
import { reconnectNow, useHive } from '../hive/store.js';

/** Whether what the page shows is live, and when it tries again if it is not. */
export function ConnectionTag(): ReactNode {
  const connection = useHive((store) => store.connection);
  switch (connection.status) {
    case 'live':
      return <span className="live">live</span>;
    case 'connecting':
      return <span className="live soon">connecting</span>;
    case 'waiting':
      return <Waiting retryAt={connection.retry_at} />;
    default:
      return connection satisfies never;
  }
}

function Waiting({ retryAt }: { retryAt: number }): ReactNode {
  useNow();
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  return (
    <span className="live away" role="status">
      <span>offline</span>
      <button type="button" onClick={reconnectNow} aria-label="Offline. Connect now">
        {seconds > 0 ? `retry ${seconds}s` : 'retrying'}
      </button>
    </span>
  );
}
