/**
 * The places at which an operation may be cut off for ever: what was done before is on disk, what comes after is not.
 * c0re started again goes on from each (tested by ending it there).
 */
export const LIFE_STEPS = {
  spawn: [
    'begun',
    'claimed',
    'folders-made',
    'token-written',
    'container-made',
    'provisioned',
    'instance-counted',
    'container-started',
    'running',
  ],
  start: ['begun', 'instance-counted', 'container-started', 'running'],
  stop: ['begun', 'stopping', 'ended', 'stopped'],
  restart: ['begun', 'window-open', 'stopping', 'ended', 'stopped', 'container-started', 'running'],
  rebuild: [
    'begun',
    'window-open',
    'ended',
    'stopped',
    'container-removed',
    'container-made',
    'container-started',
    'running',
  ],
  destroy: ['begun', 'ended', 'stopped', 'container-removed', 'credentials-removed', 'destroyed'],
  revive: ['begun', 'folders-made', 'token-written', 'provisioned', 'container-started', 'running'],
  purge: ['begun', 'container-removed', 'set-aside', 'removed', 'purged'],
} as const;

export type LifeStep = (typeof LIFE_STEPS)[keyof typeof LIFE_STEPS][number];

/** Is told of each step of an agent; does nothing. Tests put in its place one that ends the process. */
export class LifeSteps {
  reached(_step: LifeStep, _agentId: number): void {}
}
