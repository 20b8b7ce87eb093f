import { EventHydrator } from '../events/event-hydrator.js';
import { EventPublisher } from '../events/event-publisher.service.js';
import { TelemetryJournal } from '../telemetry/telemetry.journal.js';
import { TurnJournal } from '../turns/turn-journal.js';
import { DashboardReads } from './dashboard-reads.js';
import { DeliveryViews } from './delivery-views.js';
import { MessagePages } from './message-pages.js';
import { RowVersion } from './row-version.js';
import { RowViews } from './row-views.js';

/** The read side: telemetry.db, what the operator sees, and the event stream. */
export const READ_SIDE = [
  TelemetryJournal,
  { provide: TurnJournal, useExisting: TelemetryJournal },
  RowVersion,
  DeliveryViews,
  RowViews,
  MessagePages,
  DashboardReads,
  EventHydrator,
  EventPublisher,
];
