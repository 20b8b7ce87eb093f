import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** One call of a tool, as the recorder saw it. */
export interface RecordedCall {
  argv: string[];
  cwd: string;
}

/**
 * Stands in for nixos-container, machinectl and systemctl, written from what the real tool was seen to do: its calls,
 * words, exit codes (any but 0), files, and what it leaves behind when a flake does not build. Process 1 of a container
 * is a `sleep`. `fail` names what fails: `build`, `stop` (never ends), `terminate`.
 */
const RECORDER = `#!NODE
const { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const path = require('node:path');
const root = path.dirname(__dirname);
const at = (...parts) => path.join(root, ...parts);
const program = path.basename(__filename);
const argv = process.argv.slice(2);
appendFileSync(at('calls'), JSON.stringify({ argv: [program, ...argv], cwd: process.cwd() }) + '\\n');
const fails = (what) => existsSync(at('fail-' + what));
const conf = (name) => at('conf', name + '.conf');
const pidFile = (name) => at('state', name);
const pidOf = (name) => existsSync(pidFile(name)) ? Number(readFileSync(pidFile(name), 'utf8')) : 0;
const isUp = (name) => { const pid = pidOf(name); try { return pid > 0 && !/^\\d+ \\(.*\\) Z/.test(readFileSync('/proc/' + pid + '/stat', 'utf8')); } catch { return false; } };
const die = (text, code = 25) => { process.stderr.write(text + '\\n'); process.exit(code); };
const kill = (name) => { const pid = pidOf(name); if (pid) try { process.kill(pid, 'SIGKILL'); } catch {} rmSync(pidFile(name), { force: true }); };
const [verb, name] = argv;
if (program === 'machinectl') {
  if (!isUp(argv[1])) die('Machine not known', 1);
  console.log('Leader=' + pidOf(argv[1]));
} else if (program === 'nixos-container') {
  const isThere = existsSync(conf(name ?? ''));
  if (verb === 'list') { for (const file of readdirSync(at('conf'))) console.log(file.replace('.conf', '')); process.exit(0); }
  if (verb === 'destroy') { kill(name); rmSync(conf(name), { force: true }); process.exit(0); }
  if (verb === 'status' && !isThere) { console.log('gone'); process.exit(2); }
  if (verb === 'create') {
    if (isThere) die('container already exists', 255);
    writeFileSync(conf(name), 'PRIVATE_NETWORK=1\\nHOST_ADDRESS=10.233.1.1\\nLOCAL_ADDRESS=10.233.1.2\\nHOST_BRIDGE=\\nHOST_PORT=\\nAUTO_START=0\\n');
    if (fails('build')) die('error: attribute agent missing', 2);
    process.stderr.write('host IP is 10.233.1.1, container IP is 10.233.1.2\\n');
    process.exit(0);
  }
  if (!isThere) die('container ' + name + ' does not exist');
  if (verb === 'status') console.log(isUp(name) ? 'up' : 'down');
  if (verb === 'start' && !isUp(name)) {
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    writeFileSync(pidFile(name), String(child.pid));
    child.unref();
  }
  if (verb === 'stop') { if (fails('stop')) setInterval(() => {}, 1000); else kill(name); }
  if (verb === 'terminate') { if (fails('terminate')) setInterval(() => {}, 1000); else kill(name); }
}
`;

/** Puts the recorder into \`folder\` under the three names. */
export class NixosRecorder {
  readonly binDir: string;
  readonly confDir: string;

  constructor(private readonly folder: string) {
    this.binDir = path.join(folder, 'bin');
    this.confDir = path.join(folder, 'conf');
    for (const part of ['bin', 'conf', 'state']) mkdirSync(path.join(folder, part));
    const first = path.join(this.binDir, 'nixos-container');
    writeFileSync(first, RECORDER.replace('NODE', process.execPath));
    chmodSync(first, 0o755);
    for (const name of ['machinectl', 'systemctl'])
      copyFileSync(first, path.join(this.binDir, name));
  }

  fail(what: 'build' | 'stop' | 'terminate'): void {
    writeFileSync(path.join(this.folder, `fail-${what}`), '');
  }

  calls(): RecordedCall[] {
    const text = readFileSync(path.join(this.folder, 'calls'), 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as RecordedCall);
  }

  conf(name: string): string[] {
    return readFileSync(path.join(this.confDir, `${name}.conf`), 'utf8')
      .split('\n')
      .filter(Boolean);
  }
}
