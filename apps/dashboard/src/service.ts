import 'reflect-metadata';
import { createLogger, loadEnv, runService, systemClock } from '#libs/service';

import { startDashboard } from './dashboard.server.js';
import { DashboardEnv } from './settings/dashboard.env.js';

const logger = createLogger('dashboard', process.env['HIVE_LOG_LEVEL'] || 'info');

await runService({
  name: 'dashboard',
  logger,
  start: () =>
    startDashboard({ env: loadEnv(DashboardEnv, process.env), logger, clock: systemClock }),
});
