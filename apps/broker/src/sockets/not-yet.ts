import { HiveError } from '#libs/protocol';

/** Handlers of requests that are being built: each refuses. */
export function notYet<const Name extends string>(
  ...names: readonly Name[]
): Record<Name, () => never> {
  const refuse = (name: Name) => () => {
    throw new HiveError('not_available_yet', `${name} is not available yet`);
  };
  return Object.fromEntries(names.map((name) => [name, refuse(name)])) as Record<Name, () => never>;
}
