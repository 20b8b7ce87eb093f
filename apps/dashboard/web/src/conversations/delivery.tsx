import { Ban, CheckCheck, CircleDashed, CircleDot, CircleX, History } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Delivery } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { called, deliveryText, plural } from '../hive/words.js';

const GLYPHS = {
  queued: CircleDashed,
  leased: CircleDot,
  acked: CheckCheck,
  dead: CircleX,
  cancelled: Ban,
};

/** A delivery's state as a small sign, with its words for those who hover or listen. */
export function DeliveryGlyph({ delivery }: { delivery: Delivery }): ReactNode {
  const Icon = GLYPHS[delivery.state];
  const words = `${called(delivery.to)}: ${deliveryText(delivery)}`;
  return (
    <span className={`delivery-glyph ${delivery.state}`} title={words}>
      <Icon size={13} aria-hidden />
      <span className="only-spoken">{words}</span>
    </span>
  );
}

/** The life of one delivery in words: its state, since when, why it waits, how often it was handed out (PRODUCT 1.12). */
export function DeliveryLine({ delivery }: { delivery: Delivery }): ReactNode {
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
