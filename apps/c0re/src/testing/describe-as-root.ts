import { describe } from 'vitest';

import { isRoot } from './c0re.fixture.js';

/** `describe` for what only a hive started as root does; elsewhere these tests do not exist. */
export const describeAsRoot: (title: string, body: () => void) => void = isRoot
  ? describe
  : () => {};
