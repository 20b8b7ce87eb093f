import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { inClone, readIfThere } from './clone.mjs';
import { needNode } from './node.mjs';
import { run, step } from './progress.mjs';

const STAMPS = inClone('dist', '.built-from.json');
const WEB = path.join('apps', 'dashboard', 'web');

/** What is built: from which sources, by what, and a file that shows that it is there. */
const PARTS = {
  server: {
    title: 'building the services (tsc)',
    sources: ['apps', 'libs', 'bench', 'test/crash', 'test/support'],
    without: WEB,
    proof: inClone('dist', 'apps', 'supervisor', 'src', 'main.js'),
    args: [inClone('node_modules', 'ts7', 'bin', 'tsc'), '-b'],
  },
  web: {
    title: 'building the page (vite)',
    sources: [WEB, 'libs'],
    without: undefined,
    proof: inClone('dist', 'web', 'index.html'),
    args: [
      inClone('node_modules', 'vite', 'bin', 'vite.js'),
      'build',
      '--config',
      path.join(WEB, 'vite.config.ts'),
    ],
  },
};

/** Builds what has changed since the last build. */
export async function ensureBuilt() {
  const node = needNode();
  const stamps = readStamps();
  for (const [name, part] of Object.entries(PARTS)) {
    const wanted = fingerprint(part);
    if (stamps[name] === wanted && existsSync(part.proof)) continue;
    await step(part.title, () => run(node, part.args));
    writeStamps({ ...readStamps(), [name]: wanted });
  }
}

/** Whether there is anything built to run. */
export function isBuilt(app) {
  return existsSync(builtMain(app));
}

/** The compiled entry of an app. */
export function builtMain(app) {
  return inClone('dist', 'apps', app, 'src', 'main.js');
}

/** Changes with every source file, setting and tool that the build depends on. */
function fingerprint({ sources, without }) {
  const hash = createHash('sha256');
  const settings = ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json'].map((name) =>
    inClone(name),
  );
  const files = [
    ...settings,
    ...sources.flatMap((folder) => filesBelow(inClone(folder), without && inClone(without))),
  ];
  for (const file of files) {
    hash.update(`${path.relative(inClone(), file)}\0`);
    hash.update(readFileSync(file));
    hash.update('\0');
  }
  return hash.digest('hex');
}

function filesBelow(folder, without) {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const at = path.join(folder, entry.name);
      if (entry.isDirectory()) return isLeftOut(at, without) ? [] : filesBelow(at, without);
      return /\.(it-)?spec\.tsx?$/.test(entry.name) ? [] : [at];
    });
}

function isLeftOut(folder, without) {
  return (
    folder === without || ['testing', 'results', 'node_modules'].includes(path.basename(folder))
  );
}

function readStamps() {
  try {
    return JSON.parse(readIfThere(STAMPS)?.toString() ?? '{}');
  } catch {
    return {}; // Half-written by a machine that lost power: build again.
  }
}

function writeStamps(stamps) {
  mkdirSync(path.dirname(STAMPS), { recursive: true });
  writeFileSync(STAMPS, JSON.stringify(stamps));
}
