import { Injectable } from '@nestjs/common';

import { RegistryService } from '../registry/registry.service.js';
import { ReminderSteps } from './reminder-steps.service.js';
import { RemindersRepository } from './reminders.repository.js';

/** Reminders follow their owner's life (P25): they rest while it is destroyed, and go with it when it is purged. */
@Injectable()
export class ReminderLives {
  constructor(registry: RegistryService, rows: RemindersRepository, steps: ReminderSteps) {
    registry.onDestroyed(({ id }) => {
      for (const row of rows.restingOf(id)) if (row.state === 'pending') steps.enter(row, 'paused');
    });
    // What came due meanwhile is delivered at once, and says how late it is.
    registry.onRevived(({ id }) => {
      for (const row of rows.restingOf(id))
        if (row.state === 'paused') steps.restart(row, row.due_at);
    });
    registry.onPurged(({ id }) => {
      for (const row of rows.restingOf(id)) steps.enter(row, 'cancelled');
    });
  }
}
