import './swarm.css';
import { Plus } from 'lucide-react';
import { useState, type ReactNode } from 'react';

import { Button } from '../design/button.js';
import { Empty } from '../design/empty.js';
import { useAgents } from '../hive/threads.js';
import { dollars, plural } from '../hive/words.js';
import { Activity } from './activity.js';
import { AgentItem } from './agent-item.js';
import { Comb } from './comb.js';
import { NeedsYou } from './needs-you.js';
import { SpawnDialog } from './spawn-dialog.js';

export function Swarm(): ReactNode {
  const agents = useAgents();
  const [spawning, setSpawning] = useState(false);
  const running = agents.filter(({ state }) => state === 'running').length;
  const turns = agents.filter(({ turn }) => turn !== undefined).length;
  const waiting = agents.reduce((sum, { unread }) => sum + unread, 0);
  const cost = agents.reduce((sum, { cost_today_usd: usd }) => sum + usd, 0);
  const spawn = (
    <Button look="primary" icon={<Plus size={15} />} onClick={() => setSpawning(true)}>
      Spawn agent
    </Button>
  );
  return (
    <main className="page">
      <header className="page-head">
        <div>
          <h1>Swarm</h1>
          <p className="page-sum nums">
            <span>
              <b>{running}</b> of {plural(agents.length, 'agent')} running
            </span>
            <span>
              <b>{turns}</b> in a turn
            </span>
            <span>
              <b>{waiting}</b> {waiting === 1 ? 'message waits' : 'messages wait'}
            </span>
            <span>
              <b>{dollars(cost)}</b> today
            </span>
          </p>
        </div>
        {spawn}
      </header>
      <div className="swarm">
        <div className="swarm-main">
          <NeedsYou agents={agents} />
          <section className="panel" aria-labelledby="agents">
            <header className="panel-head">
              <h2 className="label" id="agents">
                Agents
              </h2>
            </header>
            {agents.length === 0 ? (
              <Empty title="The hive is empty" action={spawn}>
                An agent is a coding CLI, a script or a person's own session. Spawn one and write to
                it.
              </Empty>
            ) : (
              <ul className="agents">
                {agents.map((agent) => (
                  <AgentItem key={agent.agent_id} agent={agent} />
                ))}
              </ul>
            )}
          </section>
        </div>
        <aside className="swarm-side">
          <section className="panel comb-panel" aria-labelledby="comb">
            <header className="panel-head">
              <h2 className="label" id="comb">
                The comb
              </h2>
            </header>
            <Comb agents={agents} />
          </section>
          <section className="panel" aria-labelledby="activity">
            <header className="panel-head">
              <h2 className="label" id="activity">
                Just said
              </h2>
            </header>
            <Activity />
          </section>
        </aside>
      </div>
      {spawning && <SpawnDialog onClose={() => setSpawning(false)} />}
    </main>
  );
}
