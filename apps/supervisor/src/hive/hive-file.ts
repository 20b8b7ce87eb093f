import { rmSync } from 'node:fs';
import path from 'node:path';

import type { HiveFile } from '#libs/protocol';

import type { ServiceProcess } from '../processes/service.process.js';
import { writeAtomically } from './atomic-file.js';

/** Read by everybody who may enter the state folder; there is no secret in it. */
const READABLE = 0o644;

/** What stands in `run/hive.json` as long as the hive is up. */
export type HiveFacts = Omit<HiveFile, 'services'>;

/** Keeps `run/hive.json`: there exactly while the hive is up and ready (INTERFACES "State folder"). */
export class HiveFileWriter {
  private readonly file: string;
  private facts: HiveFacts | undefined;

  constructor(home: string) {
    this.file = path.join(home, 'run', 'hive.json');
  }

  /** The hive is ready: the file appears. */
  publish(facts: HiveFacts, services: readonly ServiceProcess[]): void {
    this.facts = facts;
    this.refresh(services);
  }

  /** A service changed; does nothing while the hive is not ready. */
  refresh(services: readonly ServiceProcess[]): void {
    if (!this.facts) return;
    const content: HiveFile = { ...this.facts, services: services.flatMap(entry) };
    writeAtomically(this.file, `${JSON.stringify(content, null, 2)}\n`, READABLE);
  }

  /** The hive stops, or an earlier one left the file behind. */
  remove(): void {
    this.facts = undefined;
    rmSync(this.file, { force: true });
  }
}

function entry(service: ServiceProcess): HiveFile['services'] {
  const { name, pid, startedAt, restarts, state } = service;
  if (pid === undefined || startedAt === undefined) return [];
  const started = new Date(startedAt).toISOString();
  return [
    {
      name,
      pid,
      started_at: started,
      state: state === 'running' ? 'running' : 'restarting',
      restarts,
    },
  ];
}
