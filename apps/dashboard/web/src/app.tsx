import { Tooltip } from 'radix-ui';
import { lazy, Suspense, type ReactNode } from 'react';
import { Redirect, Route, Switch } from 'wouter';

import { Approvals } from './approvals/approvals-page.js';
import { Conversations } from './conversations/conversations-page.js';
import { Empty } from './design/empty.js';
import { useHive } from './hive/store.js';
import { Operations } from './operations/operations-page.js';
import { Questions } from './questions/questions-page.js';
import { Reminders } from './reminders/reminders-page.js';
import { Failed, Loading, LoginNeeded } from './shell/before.js';
import { Shell } from './shell/shell.js';
import { Swarm } from './swarm/swarm-page.js';
import { Undelivered } from './undelivered/undelivered-page.js';

const AgentPage = lazy(() => import('./agent/agent-page.js'));

const TIP_DELAY_MS = 350;

/** The whole page: what stands before the hive is there, and its pages once it is. */
export function App(): ReactNode {
  const phase = useHive((store) => store.phase);
  switch (phase.name) {
    case 'loading':
      return <Loading />;
    case 'login_needed':
      return <LoginNeeded />;
    case 'failed':
      return <Failed problem={phase.problem} />;
    case 'ready':
      return (
        <Tooltip.Provider delayDuration={TIP_DELAY_MS}>
          <Shell>
            <Pages />
          </Shell>
        </Tooltip.Provider>
      );
    default:
      return phase satisfies never;
  }
}

function Pages(): ReactNode {
  return (
    <Suspense fallback={<div className="page" aria-busy />}>
      <Switch>
        <Route path="/">
          <Swarm />
        </Route>
        <Route path="/conversations">
          <Conversations />
        </Route>
        <Route path="/conversations/:thread">
          {({ thread }) => <Conversations thread={decodeURIComponent(thread)} />}
        </Route>
        <Route path="/agents/:name/:tab?">
          {({ name, tab }) => (
            <AgentPage key={name} name={decodeURIComponent(name)} tab={tab ?? 'terminal'} />
          )}
        </Route>
        <Route path="/questions">
          <Questions />
        </Route>
        <Route path="/approvals">
          <Approvals />
        </Route>
        <Route path="/reminders">
          <Reminders />
        </Route>
        <Route path="/undelivered">
          <Undelivered />
        </Route>
        <Route path="/operations">
          <Operations />
        </Route>
        <Route path="/login">
          <Redirect to="/" />
        </Route>
        <Route>
          <main className="page">
            <Empty title="There is nothing at this address">
              The swarm, its conversations, its questions and all else are in the menu.
            </Empty>
          </main>
        </Route>
      </Switch>
    </Suspense>
  );
}
