import { Option, type Command } from 'commander';

import type { BrokerDashboardApi, DeliveryRow } from '#libs/protocol';

import { allPages } from '../hive/pages.js';
import { sentMessageWords } from '../output/message.js';
import { age, table } from '../output/text.js';
import { connect, show, type Context } from './context.js';

/** Characters of a body that a line of the table shows. */
const SHOWN_CHARS = 60;

interface ListOptions {
  json?: boolean;
  agent?: string;
  state: string;
}

/** `hive deliveries` and `delivery-retry`. */
export function addDeliveryCommands(program: Command, context: Context): void {
  program
    .command('deliveries')
    .description('list the deliveries that the hive gave up')
    .addOption(
      new Option('--state <state>', 'the state that they are in').choices(['dead']).default('dead'),
    )
    .option('--agent <name>', 'only those to this agent')
    .option('--json', 'answer as JSON')
    .action(async ({ json = false, agent, state }: ListOptions) => {
      const pages = await allPages<BrokerDashboardApi['dead_deliveries'][1]>(
        connect(context),
        '/api/deliveries',
        { state, agent },
      );
      const deliveries = pages.flatMap((page) => page.deliveries);
      show(context, json, { deliveries }, () =>
        deliveries.length === 0 ? 'no delivery is dead' : deliveryTable(deliveries, context.now()),
      );
    });

  program
    .command('delivery-retry')
    .description('queue a dead delivery once more, its attempts counted afresh')
    .argument('<id>', 'the delivery, for example m12.3')
    .option('--json', 'answer as JSON')
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      const done = await connect(context).post<BrokerDashboardApi['retry_delivery'][1]>(
        `/api/deliveries/${encodeURIComponent(id)}/retry`,
      );
      show(context, json, done, () => sentMessageWords(done.message, context.now()));
    });
}

function deliveryTable(deliveries: DeliveryRow[], now: number): string {
  const rows = deliveries.map(({ id, to, since, attempt, reason, message }) => [
    id,
    message.from,
    to,
    age(since, now),
    String(attempt),
    reason ?? '',
    message.body.slice(0, SHOWN_CHARS).toWellFormed(),
  ]);
  return table(['ID', 'FROM', 'TO', 'SINCE', 'TRIES', 'WHY', 'WHAT'], rows);
}
