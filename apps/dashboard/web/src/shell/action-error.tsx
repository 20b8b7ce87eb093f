import type { ReactNode } from 'react';

import { ErrorNote } from '../design/error-note.js';
import { dismissAction, useAction } from '../hive/actions.js';

/** Why an action could not be done, at the thing that it was asked of. `of`: the action's key. */
export function ActionError({ of }: { of: string }): ReactNode {
  const action = useAction(of);
  if (action?.state !== 'failed') return null;
  return <ErrorNote onDismiss={() => dismissAction(of)}>{action.error}</ErrorNote>;
}
