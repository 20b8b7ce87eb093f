import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { CLONE, hashOf, readIfThere } from './clone.mjs';
import { findNode, npmCommand } from './node.mjs';
import { run, step } from './progress.mjs';

/** Says inside node_modules which lockfile it was made from. */
const STAMP = '.installed-lockfile';

/** Installs the packages of the clone (development ones too: the build needs them) unless they fit the lockfile. */
export async function ensureDependencies() {
  if (isInstalled(CLONE) && findNode()) return;
  await install(CLONE, 'installing dependencies (npm ci)');
}

/** The same for a folder of the clone with a package.json of its own. */
export async function ensureDependenciesOf(folder, title) {
  if (!isInstalled(folder)) await install(folder, title);
}

async function install(folder, title) {
  const { program, args, env } = npmCommand();
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--prefix', folder];
  const hint = 'Is this machine online, and may this user write to the folder?';
  await step(title, () => run(program, [...args, ...options], { env, cwd: folder, hint }));
  writeStamp(folder);
}

function isInstalled(folder) {
  const stamp = readIfThere(path.join(folder, 'node_modules', STAMP))?.toString();
  if (stamp === hashOf(path.join(folder, 'package-lock.json'))) return true;
  if (!fitsLockfile(folder)) return false;
  writeStamp(folder);
  return true;
}

/** Whether what npm installed here (somebody ran `npm ci` by hand) is what the lockfile asks for. */
function fitsLockfile(folder) {
  const wanted = readPackages(path.join(folder, 'package-lock.json'));
  const installed = readPackages(path.join(folder, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  const isThere = ([where, { version, optional }]) =>
    where === '' || (installed[where] ? installed[where].version === version : optional === true);
  return (
    Object.entries(wanted).every(isThere) && Object.keys(installed).every((where) => wanted[where])
  );
}

function readPackages(file) {
  const text = readIfThere(file);
  return text && JSON.parse(text.toString()).packages;
}

function writeStamp(folder) {
  writeFileSync(
    path.join(folder, 'node_modules', STAMP),
    hashOf(path.join(folder, 'package-lock.json')),
  );
}
