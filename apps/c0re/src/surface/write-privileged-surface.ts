import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { renderPrivilegedSurface } from './privileged-surface.js';

const root = path.resolve(import.meta.dirname, '../../../../..');
writeFileSync(path.join(root, 'docs', 'privileged-surface.md'), renderPrivilegedSurface());
