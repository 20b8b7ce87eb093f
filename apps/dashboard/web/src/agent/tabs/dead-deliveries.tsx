import { CircleX } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import type { BrokerDashboardApi, DeliveryRow } from '#libs/protocol';

import { Ago } from '../../design/ago.js';
import { ErrorNote } from '../../design/error-note.js';
import { deliveryKey } from '../../hive/pending-actions.js';
import { useLiveQuery } from '../../hive/queries.js';
import { useHive } from '../../hive/store.js';
import { called, plural } from '../../hive/words.js';
import { ActionError } from '../../shell/action-error.js';
import { RetryDelivery } from '../../undelivered/retry-delivery.js';
import { stillDead, touchesDead } from './open-events.js';
import { Part } from './part.js';

/** What could not be delivered to an agent, why, and another try. */
export function DeadDeliveries({ name }: { name: string }): ReactNode {
  const query = useLiveQuery<BrokerDashboardApi['dead_deliveries'][1]>(
    `/api/deliveries?${new URLSearchParams({ agent: name, limit: '100' }).toString()}`,
    (event) => touchesDead(event, name),
  );
  const messages = useHive((store) => store.rows.messages);
  const dead = stillDead(query.data?.deliveries ?? [], messages);
  return (
    <Part title="Dead deliveries" count={dead.length} of="agent-dead">
      {query.error && <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>}
      {query.loading && <div className="skeleton open-skeleton" />}
      {query.data && dead.length === 0 && (
        <p className="quiet open-none">Everything that was sent to {name} could be delivered.</p>
      )}
      <ul className="open-list">
        {dead.map((delivery) => (
          <DeadItem key={delivery.id} delivery={delivery} />
        ))}
      </ul>
      {query.data?.next && (
        <p className="quiet open-none">These are the newest; there are older ones.</p>
      )}
    </Part>
  );
}

function DeadItem({ delivery }: { delivery: DeliveryRow }): ReactNode {
  const { id, message, reason, since, attempt } = delivery;
  return (
    <li className="open-item failed" data-open={id}>
      <CircleX size={15} aria-hidden />
      <div className="open-what">
        <p className="open-who">
          <span className="mono">
            from <b>{called(message.from)}</b>
          </span>
          <span className="quiet">
            given up after {plural(attempt, 'attempt')}, <Ago at={since} suffix=" ago" />
          </span>
        </p>
        <p className="prose open-text">{message.body}</p>
        {reason && <p className="open-error">{reason}</p>}
        <ActionError of={deliveryKey(id)} />
      </div>
      <span className="open-buttons">
        <RetryDelivery id={id} agent={delivery.to} />
        <Link
          href={`/conversations/${message.thread_id}?at=${message.id}`}
          className="button small ghost"
        >
          Open <span className="only-spoken">the conversation of {message.id}</span>
        </Link>
      </span>
    </li>
  );
}
