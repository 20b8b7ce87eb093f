/**
 * The places at which a deploy may be cut off for ever: what was done before is on disk, what comes after is not. c0re
 * started again goes on from each (tested by ending it there).
 */
export const DEPLOY_STEPS = [
  'approved',
  'building',
  'built',
  'meta-prepared',
  'switching',
  'stopped',
  'tree-written',
  'config-stored',
  'started',
  'main-moved',
  'meta-finished',
  'failing',
  'restored',
  'failed-tagged',
] as const;
export type DeployStep = (typeof DEPLOY_STEPS)[number];

/** Is told of each step; does nothing. Tests put in its place one that ends the process. */
export class DeploySteps {
  reached(_step: DeployStep): void {}
}
