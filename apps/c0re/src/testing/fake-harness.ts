/**
 * A harness that does what the agent's `command` says, for tests of what c0re does around it:
 * `idle` · `exit CODE` · `deaf` (ignores SIGTERM) · `family` (leaves a child of a session of its own, and a
 * grandchild that was forked twice and ignores SIGTERM). SIGUSR2 makes any of them write a line to its log.
 */
export const FAKE_HARNESS = `
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
const { command } = JSON.parse(readFileSync(process.env.HIVE_HARNESS_CONFIG, 'utf8'));
const note = (name, value) => writeFileSync(process.env.HIVE_STATE_DIR + '/' + name, JSON.stringify(value));
note('env.json', process.env);
const link = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return 'gone'; } };
note('files.json', readdirSync('/proc/self/fd').map((fd) => [Number(fd), link(fd)]));
note('status.json', readFileSync('/proc/self/status', 'utf8'));
console.log('harness', process.env.HIVE_AGENT, 'instance', process.env.HIVE_INSTANCE);
const [mode, argument] = command;
if (mode === 'exit') process.exit(Number(argument));
if (mode === 'deaf') process.on('SIGTERM', () => {});
if (mode === 'family') {
  const sleeper = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  const forked = spawn('sh', ['-c', "setsid sh -c 'trap \\"\\" TERM; echo $$ > $HIVE_STATE_DIR/grandchild; while :; do sleep 1; done' & "], { stdio: 'ignore' });
  note('family.json', [sleeper.pid, forked.pid]);
}
process.on('SIGUSR2', () => { console.log('still here'); note('heard.json', true); });
note('ready.json', process.pid);
setInterval(() => {}, 1_000_000);
`;
