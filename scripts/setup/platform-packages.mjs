/** Parts of package names that name an operating system, by npm's own word for it. */
const SYSTEMS = {
  linux: 'linux',
  linuxmusl: 'linux',
  darwin: 'darwin',
  macos: 'darwin',
  win32: 'win32',
  windows: 'win32',
  android: 'android',
  freebsd: 'freebsd',
  openbsd: 'openbsd',
  netbsd: 'netbsd',
  openharmony: 'openharmony',
  aix: 'aix',
  sunos: 'sunos',
};
const PROCESSORS = [
  'arm64',
  'x64',
  'ia32',
  'arm',
  'ppc64',
  'riscv64',
  's390x',
  'loong64',
  'mips64el',
];
const EXACT_VERSION = /^\d+\.\d+\.\d+(?:[-+][\w.-]+)?$/;

/**
 * The optional dependencies that a lockfile's `packages` ask for and lack, as entries for it; and those of which the name
 * does not say for what system they are.
 */
export function missingPackages(packages) {
  const missing = {};
  const unreadable = [];
  for (const [where, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isFound(packages, where, name)) continue;
      const fit = platformOf(name);
      if (!fit || !EXACT_VERSION.test(range)) {
        unreadable.push(`${name}@${range}`);
        continue;
      }
      const isDev = entry.dev || entry.devOptional;
      missing[`node_modules/${name}`] = {
        version: range,
        ...fit,
        optional: true,
        ...(isDev ? { dev: true } : {}),
      };
    }
  }
  return { missing, unreadable };
}

/** For which system a package is, as its name says: `{os, cpu, libc}`; undefined when it does not say. */
export function platformOf(name) {
  const parts = name.replace(/^@[^/]+\//, '').split(/[-_.]/);
  const has = (word) => parts.includes(word);
  if (has('wasm32') || has('wasi')) return { cpu: ['wasm32'] };
  const os = parts.map((part) => SYSTEMS[part]).find(Boolean);
  if (!os) return undefined;
  const cpu = PROCESSORS.find(has) ?? (has('armv7') || has('armv6') ? 'arm' : undefined);
  const libc = has('musl') || has('linuxmusl') ? 'musl' : has('gnu') ? 'glibc' : undefined;
  return { ...(cpu ? { cpu: [cpu] } : {}), os: [os], ...(libc ? { libc: [libc] } : {}) };
}

/** Looked up as Node does: in the nearest node_modules upwards. */
function isFound(packages, where, name) {
  for (
    let folder = where;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  ) {
    if (packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true;
    if (!folder) return false;
  }
}
