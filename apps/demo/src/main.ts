import { Operator } from './seed/operator.js';
import { seed } from './seed/seed.js';
import { swarm } from './seed/swarm.js';

/**
 * Fills a hive that is ready with the demo's swarm and ends: `npm start -- --demo` runs it once. It needs c0re's admin
 * socket, so it runs as the user who started the hive.
 */
const { HIVE_RUNTIME_DIR, HIVE_DASHBOARD_URL } = process.env;
if (!HIVE_RUNTIME_DIR || !HIVE_DASHBOARD_URL) {
  process.stderr.write(
    'HIVE_RUNTIME_DIR and HIVE_DASHBOARD_URL must be set; use `npm start -- --demo`\n',
  );
  process.exit(2);
}

const operator = new Operator(HIVE_RUNTIME_DIR, HIVE_DASHBOARD_URL);
try {
  await seed(operator, swarm(import.meta.dirname), (line) => process.stdout.write(`${line}\n`));
} catch (error) {
  process.stderr.write(`the demo cannot start: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  await operator.close();
}
