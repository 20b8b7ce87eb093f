// Runs a TypeScript program that is not part of the build, such as the benchmarks: run-typescript.mjs FILE [words].
// Its imports of #libs/… get the built libs, as the services do.
import { runnerImport } from 'vite';

import { CLONE } from './clone.mjs';

const [file, ...words] = process.argv.slice(2);
process.argv.splice(1, process.argv.length - 1, file, ...words);
await runnerImport(file, { root: CLONE, configFile: false, logLevel: 'error' });
