/** How a program is to be run. */
export interface Launch {
  program: string;
  args: readonly string[];
  /** User and group; undefined: those of the supervisor, with all that it may do. */
  user?: number;
  /** A further group, for a socket folder shared with another service. */
  group?: number;
  /** Signal that the kernel sends it when the supervisor dies; for programs that do not notice by themselves. */
  signalOnDeath?: 'TERM';
}

/**
 * The command that runs it: as its own user without any capability and without a way to get one, through setpriv, which
 * leaves nothing of root behind (Node itself can drop neither the bounding set nor the groups of all its threads).
 */
export function commandOf(launch: Launch, setpriv: string | undefined): [string, string[]] {
  const drop = launch.user === undefined ? [] : dropAll(launch.user, launch.group);
  const onDeath = launch.signalOnDeath === undefined ? [] : ['--pdeathsig', launch.signalOnDeath];
  if (setpriv === undefined || (drop.length === 0 && onDeath.length === 0)) {
    return [launch.program, [...launch.args]];
  }
  return [setpriv, [...drop, ...onDeath, '--', launch.program, ...launch.args]];
}

function dropAll(user: number, group: number | undefined): string[] {
  return [
    `--reuid=${user}`,
    `--regid=${user}`,
    group === undefined ? '--clear-groups' : `--groups=${group}`,
    '--inh-caps=-all',
    '--ambient-caps=-all',
    '--bounding-set=-all',
    '--no-new-privs',
  ];
}
