import { agentNameProblem, HiveError, MANAGER, parseId } from '#libs/protocol';

/** The agent's name in a path, or `invalid_name`. Checked here so that it can stand in a path to c0re. */
export function agentName(name: string): string {
  const problem = agentNameProblem(name, name === MANAGER ? 'manager' : 'agent');
  if (problem) throw new HiveError('invalid_name', problem);
  return name;
}

/** The message id in a path or query, or `invalid_request`. */
export function messageId(id: string): string {
  if (parseId('m', id) === undefined) {
    throw new HiveError(
      'invalid_request',
      `${JSON.stringify(id.slice(0, 40))} is not a message id; ids look like m12`,
    );
  }
  return id;
}
