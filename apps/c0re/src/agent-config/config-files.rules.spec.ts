import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { configFilesProblem } from './config-files.rules.js';

const problemOf = (path: string, text = '') => configFilesProblem({ [path]: text });

describe(verifies('4.4') + 'files of a config tree', () => {
  it.each(['bot.mjs', 'src/bot.mjs', '.env.example', 'a-b_c+1.txt'])('may be %j', (path) => {
    expect(problemOf(path)).toBeUndefined();
  });

  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/../b',
    '/etc/passwd',
    'a//b',
    'a/',
    'a\\b',
    'a b',
    'a\0b',
    'a\nb',
    '-rf',
    '.git',
    '.GIT/config',
    'sub/.git/hooks/post-checkout',
    '.gitmodules',
    '.gitattributes',
    'git~1/../.git~1',
    'a/b/c/d/e/f/g/h/i',
    'x'.repeat(101),
    'agent.yaml',
    'ä',
  ])('may not be %j', (path) => {
    expect(problemOf(path)).toBeTypeOf('string');
  });

  it('may not be a file and a folder at once, nor anything but text', () => {
    expect(configFilesProblem({ a: '', 'a/b': '' })).toMatch(/is a file and, for "a\/b", a folder/);
    expect(problemOf('a', 'x\0')).toMatch(/well-formed text/);
    expect(problemOf('a', '\ud800')).toMatch(/well-formed text/);
  });
});
