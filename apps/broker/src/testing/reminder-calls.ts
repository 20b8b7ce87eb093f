import { type RemindParams, type ReminderJob } from '#libs/protocol';

import { RemindersRepository } from '../reminders/reminders.repository.js';
import { ThreadsDb } from '../storage/threads.db.js';
import type { Swarm, TestTurn } from './swarm.js';

/** What agents, the scheduler and the operator do with the reminders of a swarm, in short. */
export function reminderCalls(swarm: () => Swarm) {
  const call = (from: string | TestTurn, request_id = swarm().broker.requestId()) => ({
    credential: typeof from === 'string' ? swarm().token(from) : from.run,
    request_id,
    session: 's',
  });
  const remind = async (
    from: string | TestTurn,
    params: Partial<RemindParams>,
    request_id?: string,
  ) =>
    swarm().broker.gateway.remind(
      { ...call(from, request_id), message: 'do it', ...params },
      swarm().context(),
    );
  const fire = async (...jobs: ReminderJob[]) =>
    (await swarm().broker.scheduler.fire_reminders({ jobs }, swarm().context())).outcomes;
  const list = async (agent: string) =>
    (
      await swarm().broker.gateway.list_my_reminders(
        { credential: swarm().token(agent) },
        swarm().context(),
      )
    ).reminders;
  const cancel = async (agent: string, id: string) =>
    swarm().broker.gateway.cancel_reminder({ ...call(agent), id }, swarm().context());
  const row = (id: string) => {
    const found = swarm()
      .broker.app.get(RemindersRepository)
      .find(Number(id.slice(1)));
    if (!found) throw new Error(`no reminder ${id}`);
    return found;
  };
  const sql = (text: string) => swarm().broker.app.get(ThreadsDb).db.exec(text);
  const query = (text: string): unknown[] =>
    swarm().broker.app.get(ThreadsDb).db.prepare(text).all();
  const counts = async (agent: string) => {
    const { agents } = await swarm().broker.dashboard.snapshot({ messages: 0 }, swarm().context());
    return agents.find(({ name }) => name === agent)?.reminders;
  };
  return { remind, fire, list, cancel, row, sql, query, counts };
}
