import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { QUEUE_PREFIX, QUEUES, redisOptions, type MaintenanceJobs } from '#libs/queues';

import { PrivateRedis } from '../../../../test/processes/private-redis.js';
import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture } from '../testing/dashboard-fixture.js';

let redis: PrivateRedis;
let dashboard: DashboardFixture;
beforeAll(async () => {
  redis = await PrivateRedis.start();
  dashboard = await DashboardFixture.start(redis.url);
});
afterAll(async () => {
  await dashboard.stop();
  await redis.stop();
});

interface Board {
  queues: { name: string; counts: Record<string, number> }[];
}
interface Described {
  summary?: string;
  responses: Record<string, { content?: unknown }>;
}

describe(verifies('7.5') + 'Bull Board', () => {
  it('shows every queue of the hive and its jobs, to the page with its secret', async () => {
    const queue = new Queue<MaintenanceJobs['check_wakes']>(QUEUES.maintenance, {
      prefix: QUEUE_PREFIX,
      connection: redisOptions(redis.url),
    });
    await queue.add('check_wakes', {}, { delay: 3_600_000 });
    await queue.close();

    const session = await dashboard.login();
    const answer = await dashboard.call('GET', '/queues/api/queues', { headers: session });
    expect(answer.status).toBe(200);
    const { queues } = answer.json() as Board;
    expect(queues.map(({ name }) => name).sort()).toEqual(Object.values(QUEUES).toSorted());
    expect(queues.find(({ name }) => name === 'maintenance')?.counts).toMatchObject({ delayed: 1 });
  });

  it('says that Redis is away instead of waiting for it', async () => {
    await redis.kill();
    const answer = await dashboard.asOperator('GET', '/queues/api/queues');
    expect([answer.status, answer.json()]).toMatchObject([503, { error: { code: 'unavailable' } }]);
    await redis.start();
    await expect
      .poll(async () => (await dashboard.asOperator('GET', '/queues/api/queues')).status)
      .toBe(200);
  });
});

describe(verifies('7.5') + 'the OpenAPI document', () => {
  it('describes every route with its answers and refusals', async () => {
    const answer = await dashboard.asOperator('GET', '/api/openapi.json');
    const document = answer.json() as { paths: Record<string, Record<string, Described>> };
    for (const [path, item] of Object.entries(document.paths)) {
      for (const [method, { summary, responses }] of Object.entries(item)) {
        const where = `${method} ${path}`;
        expect([where, summary]).toEqual([where, expect.stringMatching(/\S{2}/)]);
        const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
        expect([where, good.length]).toEqual([where, 1]);
        const isDescribed = good[0]?.[0] === '204' || good[0]?.[1].content !== undefined;
        expect([where, isDescribed]).toEqual([where, true]);
        expect([where, responses['default']?.content]).toEqual([where, expect.anything()]);
      }
    }
  });
});
