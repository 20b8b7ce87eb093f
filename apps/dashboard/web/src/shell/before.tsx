import './before.css';
import { RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';

import { Button } from '../design/button.js';
import { Brand } from './brand.js';

/** A card in the middle of an otherwise empty page. */
export function Frame({ children }: { children: ReactNode }): ReactNode {
  return (
    <main className="before">
      <div className="before-card">
        <Brand />
        {children}
      </div>
    </main>
  );
}

export function Loading(): ReactNode {
  return (
    <Frame>
      <p className="quiet" role="status">
        Reading the state of the hive…
      </p>
      <div className="before-bars" aria-hidden>
        <span className="skeleton" />
        <span className="skeleton" />
        <span className="skeleton" />
      </div>
    </Frame>
  );
}

/** The session is over or was never there: only a login link from the machine helps. */
export function LoginNeeded(): ReactNode {
  return (
    <Frame>
      <h1>Log in to the hive</h1>
      <p>
        This browser has no session with the hive. Make a login link on the machine that runs it and
        open it here; it is good once, for ten minutes.
      </p>
      <pre className="before-command">
        <span aria-hidden>$ </span>
        <code>npm run hive -- login-link</code>
      </pre>
      <p className="quiet">
        The hive also prints such a link when it starts. Sessions end after twelve hours without
        use.
      </p>
    </Frame>
  );
}

export function Failed({ problem }: { problem: string }): ReactNode {
  return (
    <Frame>
      <h1>The hive could not be read</h1>
      <p role="alert">{problem}</p>
      <Button look="primary" icon={<RotateCw size={15} />} onClick={() => location.reload()}>
        Try again
      </Button>
    </Frame>
  );
}
