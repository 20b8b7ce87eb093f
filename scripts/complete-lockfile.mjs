#!/usr/bin/env node
// npm run lockfile: adds to package-lock.json the optional platform packages (binaries for other systems and processors)
// that the registry of this machine does not serve. Without them `npm ci` refuses the lockfile ("Missing: … from lock
// file"), here and on those systems. Run it after every `npm install`.
//   complete-lockfile.mjs [--check] [path/to/package-lock.json]
// With --check nothing is written, and an incomplete lockfile is exit code 1. An added entry has version, os and cpu (read
// off the package's name) and no integrity; npm records that when it next writes the lockfile where the package is served.
import { readFileSync, writeFileSync } from 'node:fs';

import { inClone } from './setup/clone.mjs';
import { missingPackages } from './setup/platform-packages.mjs';

const args = process.argv.slice(2);
const isCheck = args.includes('--check');
const files = args.filter((word) => !word.startsWith('--'));
let exitCode = 0;

for (const file of files.length > 0
  ? files
  : [inClone('package-lock.json'), inClone('test/real/package-lock.json')]) {
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const { missing, unreadable } = missingPackages(lock.packages);
  const names = Object.entries(missing).map(
    ([where, { version }]) => `${where.slice('node_modules/'.length)}@${version}`,
  );
  if (unreadable.length > 0) {
    process.stderr.write(
      `${file}: cannot tell for which system these are: ${unreadable.join(', ')}\n`,
    );
  }
  if (isCheck && names.length > 0) {
    process.stderr.write(
      `${file} lacks ${names.length} platform packages: ${names.join(', ')}\nAdd them: npm run lockfile\n`,
    );
    exitCode = 1;
  } else if (!isCheck) {
    lock.packages = sorted({ ...lock.packages, ...missing });
    if (names.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
    process.stdout.write(`${file}: ${names.length} platform packages added\n`);
  }
}
process.exitCode = exitCode;

function sorted(packages) {
  return Object.fromEntries(
    Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
}
