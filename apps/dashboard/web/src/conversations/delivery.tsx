import {
  Ban,
  CheckCheck,
  ChevronDown,
  CircleDashed,
  CircleDot,
  CircleX,
  History,
} from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';

import {
  DELIVERY_STATES,
  type Delivery,
  type DeliveryState,
  type MessageRow,
} from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { deliveryCounts } from '../hive/recipients.js';
import { called, COUNTED_STATES, deliveryText, plural, waitsInWords } from '../hive/words.js';

const GLYPHS = {
  queued: CircleDashed,
  leased: CircleDot,
  acked: CheckCheck,
  dead: CircleX,
  cancelled: Ban,
};

/** Deliveries of one message that are each told in a line of their own; more are counted. */
const MOST_LINES = 4;

/** A delivery's state as a small sign, with its words for those who hover or listen. */
export function DeliveryGlyph({ delivery }: { delivery: Delivery }): ReactNode {
  return (
    <Glyph state={delivery.state} words={`${called(delivery.to)}: ${deliveryText(delivery)}`} />
  );
}

/** The deliveries of a message as signs: one for each, or one with a count for each state. */
export function DeliveryGlyphs({ message }: { message: MessageRow }): ReactNode {
  if (message.deliveries.length <= MOST_LINES && !message.delivery_counts) {
    return message.deliveries.map((delivery) => (
      <DeliveryGlyph key={delivery.to} delivery={delivery} />
    ));
  }
  const counts = deliveryCounts(message);
  return DELIVERY_STATES.filter((state) => counts[state]).map((state) => (
    <Glyph key={state} state={state} words={`${counts[state]} ${COUNTED_STATES[state]}`}>
      {counts[state]}
    </Glyph>
  ));
}

function Glyph({
  state,
  words,
  children,
}: {
  state: DeliveryState;
  words: string;
  children?: ReactNode;
}): ReactNode {
  const Icon = GLYPHS[state];
  return (
    <span className={`delivery-glyph ${state}`} title={words}>
      <Icon size={13} aria-hidden />
      {children !== undefined && (
        <span className="nums" aria-hidden>
          {children}
        </span>
      )}
      <span className="only-spoken">{words}</span>
    </span>
  );
}

/** How a message fares: a line for each recipient, or for many the number in each state with the lines on demand. */
export function Deliveries({ message }: { message: MessageRow }): ReactNode {
  const [open, setOpen] = useState(false);
  const listId = useId();
  const { deliveries } = message;
  if (deliveries.length <= MOST_LINES && !message.delivery_counts) {
    return <Lines deliveries={deliveries} />;
  }
  const counts = deliveryCounts(message);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const waiting = deliveries.filter(({ state }) => state === 'queued').length;
  const waits = waitsInWords(deliveries);
  return (
    <div className="delivery-summary">
      <button
        type="button"
        className="delivery-counts"
        aria-expanded={open}
        aria-controls={listId}
        onClick={() => setOpen(!open)}
      >
        <span className="delivery-all">to {all}</span>
        {DELIVERY_STATES.toReversed().map((state) => {
          const Icon = GLYPHS[state];
          const count = counts[state] ?? 0;
          return count === 0 ? null : (
            <span key={state} className={`delivery ${state}`}>
              <Icon size={12} aria-hidden />
              <span className="nums">
                {count} {COUNTED_STATES[state]}
              </span>
            </span>
          );
        })}
        <ChevronDown size={12} className="delivery-fold" aria-hidden />
      </button>
      {waits && (
        <p className="quiet delivery-waits">
          {waiting < (counts.queued ?? 0) && `of ${waiting} that wait: `}
          {waits}
        </p>
      )}
      <div id={listId} hidden={!open}>
        {open && (
          // Keyboards scroll it like any other text.
          <div className="delivery-many" tabIndex={0} role="group" aria-label="Each delivery">
            <Lines deliveries={deliveries} />
          </div>
        )}
        {open && all > deliveries.length && (
          <p className="quiet delivery-waits">
            {deliveries.length} of {all} are shown: given up ones first, then those under way.
          </p>
        )}
      </div>
    </div>
  );
}

function Lines({ deliveries }: { deliveries: readonly Delivery[] }): ReactNode {
  return (
    <ul className="deliveries">
      {deliveries.map((delivery) => (
        <DeliveryLine key={delivery.to} delivery={delivery} />
      ))}
    </ul>
  );
}

/** The life of one delivery in words: its state, since when, why it waits, how often it was handed out (PRODUCT 1.12). */
function DeliveryLine({ delivery }: { delivery: Delivery }): ReactNode {
  const Icon = GLYPHS[delivery.state];
  const again = delivery.hand_outs - 1;
  return (
    <li className={`delivery ${delivery.state}`}>
      <Icon size={12} aria-hidden />
      <span>
        <b className="mono">{called(delivery.to)}</b> {deliveryText(delivery)}
        <span className="quiet">
          {' · '}
          <Ago at={delivery.since} />
        </span>
      </span>
      {again > 0 && delivery.to !== 'operator' && (
        <span
          className="delivery-again"
          title={`Handed out ${plural(delivery.hand_outs, 'time')}, attempt ${delivery.attempt}`}
        >
          <History size={11} aria-hidden />
          redelivered{again > 1 ? ` ${again}×` : ''}
          {delivery.attempt > 1 ? `, attempt ${delivery.attempt}` : ''}
        </span>
      )}
    </li>
  );
}
