import { tmpdir } from 'node:os';
import path from 'node:path';

import { startHive, type RunningHive } from '../support/hive.js';
import { arsenal } from './faults.js';
import { Killer } from './killer.js';
import { LedgerReader, type Unfinished } from './ledger.js';
import { readNotes } from './notes.js';
import { Operator } from './operator.js';
import { Probes } from './probes.js';
import { Random } from './random.js';
import { summaries, type CrashReport } from './report.js';
import { Stage } from './stage.js';
import { makeSwarm, namesOf } from './swarm.js';
import { pause, until } from './time.js';
import { judge, type Check, type Verdict } from './verdict.js';

export interface CrashTestOptions {
  /** How long faults happen. */
  minutes: number;
  /** Agents that talk to each other; one more is probed. */
  agents: number;
  seed: number;
  faultsPerMinute: number;
  /** Messages of the operator; each causes about five more. */
  messagesPerMinute: number;
  /** Told what happens. */
  tell: (text: string) => void;
  /** Ends the faults early. */
  signal?: AbortSignal;
}

/** All must be done within this time after the last fault, in milliseconds. */
const DRAIN_MS = 180_000;
/** Services that were killed last are back within this time, in milliseconds. */
const BACK_MS = 60_000;

/** Starts a hive, lets agents work while it is being broken, heals it, and compares what everybody saw. */
export async function runCrashTest(options: CrashTestOptions): Promise<CrashReport> {
  const { agents, seed, tell } = options;
  const names = namesOf(agents);
  const stage = new Stage(names);
  const startedAt = new Date().toISOString();
  let hive: RunningHive | undefined;
  try {
    tell(`seed ${seed}: starting a hive with ${names.length} agents`);
    hive = await startHive({ home: stage.home });
    await makeSwarm(hive, stage, names, seed);
    const run = await breakAndHeal(hive, stage, names, options);
    const exitCode = await hive.stop();
    const verdict = judge({
      database: stage.database,
      notes: new Map(names.map((name) => [name, readNotes(stage.notes(name))])),
      operator: run.operator,
      from: run.from,
      to: run.to,
    });
    const checks = [...verdict.checks, ...openEnds(run)];
    const passed = checks.every(({ count }) => count === 0) && exitCode === 0;
    const evidence = passed ? undefined : keepEvidence(stage, seed);
    return {
      seed,
      started_at: startedAt,
      minutes: options.minutes,
      agents,
      passed,
      checks,
      drained_after_ms: run.drainedAfter,
      exit_code: exitCode,
      facts: factsOf(verdict, run),
      faults: summaries(run.killer.faults),
      left_out: run.leftOut,
      ...(evidence === undefined ? {} : { evidence }),
    };
  } catch (error) {
    tell(`the run broke; what is known of it: ${keepEvidence(stage, seed)}`);
    throw error;
  } finally {
    await hive?.stop();
    stage.remove();
  }
}

interface Run {
  operator: Operator;
  killer: Killer;
  leftOut: CrashReport['left_out'];
  from: number;
  to: number;
  drainedAfter: number | null;
  left: Unfinished | undefined;
}

async function breakAndHeal(
  hive: RunningHive,
  stage: Stage,
  names: readonly string[],
  options: CrashTestOptions,
): Promise<Run> {
  const { seed, tell, signal } = options;
  const ledger = new LedgerReader(stage.database);
  const { kinds, leftOut } = await arsenal(hive, stage);
  for (const { kind, why } of leftOut) tell(`left out: ${kind} (${why})`);
  const talkers = names.slice(0, -1);
  const operator = new Operator(
    hive,
    ledger,
    talkers,
    new Random(seed + 1),
    options.messagesPerMinute,
  );
  const probes = new Probes(operator, (agent) => stage.notes(agent));
  const killer = new Killer(kinds, probes, new Random(seed), options.faultsPerMinute, tell);

  const from = Date.now();
  operator.start();
  killer.start();
  const end = from + options.minutes * 60_000;
  const isOver = () => Date.now() >= end || !hive.isRunning || signal?.aborted === true;
  while (!isOver()) await pause(500, signal);
  tell('no more faults: waiting until everything is done');
  if (!hive.isRunning) throw new Error(`the hive ended by itself:\n${hive.output}`);
  await killer.stop();
  const healed = Date.now();
  stage.setPhase('drain');
  await operator.stop();
  await until(
    () => hive.file()?.services.every(({ state }) => state === 'running') ?? false,
    BACK_MS,
  );
  let left: Unfinished | undefined;
  const isDone = await until(
    () => {
      left = ledger.unfinished();
      return left !== undefined && Object.values(left).every((count) => count === 0);
    },
    DRAIN_MS,
    500,
  );
  const to = Date.now();
  return {
    operator,
    killer,
    leftOut,
    from,
    to,
    drainedAfter: isDone ? to - healed : null,
    left,
  };
}

/** What the end of the run itself shows. */
function openEnds({ drainedAfter, left, killer }: Run): Check[] {
  const open = left ? Object.entries(left).filter(([, count]) => count > 0) : [['unknown', 1]];
  const notRecovered = killer.faults.filter((fault) => fault.recovered_ms === null);
  return [
    {
      what: 'not drained',
      count: drainedAfter === null ? Math.max(1, open.length) : 0,
      examples: drainedAfter === null ? open.map(([what, count]) => `${what}: ${count}`) : [],
    },
    {
      what: 'not recovered',
      count: notRecovered.length,
      examples: notRecovered.slice(0, 5).map(({ kind, what }) => `${kind} (${what})`),
    },
  ];
}

function factsOf(verdict: Verdict, { operator, killer }: Run): CrashReport['facts'] {
  return {
    faults: killer.faults.length,
    ...verdict.facts,
    'questions answered by the operator': operator.answered,
    'messages held back, too many waiting': operator.heldBack,
  };
}

function keepEvidence(stage: Stage, seed: number): string {
  const folder = path.join(tmpdir(), `hive-crash-evidence-${seed}`);
  stage.keepEvidence(folder);
  return folder;
}
