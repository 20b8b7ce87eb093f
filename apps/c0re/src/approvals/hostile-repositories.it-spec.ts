import { existsSync, mkdirSync, writeFileSync, chmodSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { C0reAnswers } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { ConfigBench, yamlOf } from '../testing/config-bench.js';
import { refusal } from '../testing/refusal.js';

let hive: C0reFixture;
let bench: ConfigBench;
let config: string;
/** A folder that everybody may write to: what an attack starts leaves its name here. */
let proofs: string;

beforeAll(async () => {
  hive = await C0reFixture.started();
  bench = new ConfigBench(hive);
  await bench.populate('ada');
  config = hive.agentPath('ada', 'config');
  proofs = path.join(hive.root, 'proofs');
  mkdirSync(proofs);
  chmodSync(proofs, 0o777);
}, 60_000);
afterAll(() => hive.remove());

/** A program that proves that it ran, under that name. */
function trap(name: string): string {
  const file = path.join(hive.root, `trap-${name}`);
  writeFileSync(file, `#!/bin/sh\necho ran > ${proofs}/${name}-$$\nexit 0\n`);
  chmodSync(file, 0o755);
  return file;
}
const sh = (script: string, ...args: string[]) =>
  bench.asOwner(config, 'sh', '-ec', `cd "$0" && ${script}`, config, ...args);
const submit = (sha: string) => bench.applyCommit('ada', sha);
const newest = (text: string) =>
  bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], `model: ${text}\n`) });

describe(verifies('4.4', '8.1', '8.2') + 'a hostile proposed repository', () => {
  it('starts nothing by its hooks, configuration, filters, helpers or transports', async () => {
    const before = (await hive.agent('ada')).deployed_sha as string;
    const sha = newest('clean');
    mkdirSync(path.join(hive.root, 'hooks'), { recursive: true });
    const hooks = path.join(hive.root, 'hooks');
    for (const hook of [
      'pre-commit',
      'post-checkout',
      'reference-transaction',
      'pre-auto-gc',
      'post-index-change',
      'pre-receive',
      'update',
      'post-update',
      'proc-receive',
    ]) {
      writeFileSync(path.join(hooks, hook), `#!/bin/sh\necho ran > ${proofs}/hook-${hook}-$$\n`, {
        mode: 0o755,
      });
    }
    const all = trap('config');
    const settings: Record<string, string> = {
      'core.hooksPath': hooks,
      'core.fsmonitor': all,
      'core.pager': all,
      'core.sshCommand': all,
      'core.gitProxy': all,
      'core.askPass': all,
      'core.alternateRefsCommand': all,
      'credential.helper': all,
      'uploadpack.packObjectsHook': all,
      'diff.external': all,
      'diff.evil.textconv': all,
      'diff.evil.command': all,
      'filter.evil.clean': all,
      'filter.evil.smudge': all,
      'filter.evil.process': all,
      'gpg.program': all,
      'commit.gpgSign': 'true',
      'remote.origin.url': `ext::sh -c ${all}`,
      'remote.origin.promisor': 'true',
      'remote.origin.uploadpack': all,
      'remote.origin.vcs': 'ext',
      'protocol.ext.allow': 'always',
      'extensions.partialClone': 'origin',
    };
    for (const [key, value] of Object.entries(settings)) bench.git('ada', 'config', key, value);
    sh('mkdir -p .git/hooks && cp "$1"/* .git/hooks/', hooks);
    const { id } = await submit(sha);
    expect((await bench.show(id)).diff.diff).toContain('model: clean');
    await bench.deny(id);
    for (const key of Object.keys(settings)) bench.git('ada', 'config', '--unset-all', key);
    bench.git('ada', 'config', 'core.repositoryformatversion', '0');
    // The manager's own git, in this test, may have started them; c0re's runs as the manager and must not.
    expect(readdirSync(proofs).filter((name) => name.startsWith('config-'))).toEqual([]);
    expect(bench.main('ada')).toBe(before);
  });

  it('does not lend what root could read: alternates, links and include files', async () => {
    const secret = path.join(hive.home, 'applied', 'manager', '.git');
    const foreign = bench.applied('manager', 'rev-parse', 'main');
    sh(
      'mkdir -p .git/objects/info && echo "$1" > .git/objects/info/alternates',
      `${secret}/objects`,
    );
    expect((await refusal(submit(foreign))).code).toBe('not_found');
    sh('rm .git/objects/info/alternates');
    sh('mkdir -p moved && mv .git/objects moved/ && ln -s "$1" .git/objects', `${secret}/objects`);
    expect((await refusal(submit(foreign))).code).toBe('not_found');
    sh('rm .git/objects && mv moved/objects .git/objects && rmdir moved');
    const sha = newest('include');
    sh(
      'cp .git/config kept-config && printf "[include]\\n\\tpath = /etc/shadow\\n" >> .git/config',
    );
    const error = await submit(sha).catch((reason: unknown) => reason as Error);
    expect(JSON.stringify(error)).not.toContain('root:');
    expect(error).toBeInstanceOf(Error);
    sh('mv kept-config .git/config');
  });

  it.each([
    ['a symbolic link', 'ln -s /etc/shadow link && git add link', /link" is a symbolic link/],
    [
      'a link in place of agent.yaml',
      'git rm -q --cached agent.yaml && mv agent.yaml kept && ln -s /etc/shadow agent.yaml && git add agent.yaml',
      /agent.yaml" is a symbolic link/,
    ],
    [
      'a submodule',
      'git update-index --add --cacheinfo 160000,0123456789012345678901234567890123456789,sub',
      /sub" is a submodule/,
    ],
    [
      'a file that is too large',
      'head -c 2000000 /dev/zero > big && git add big',
      /big" has 2000000 bytes, the limit is 1048576/,
    ],
    [
      'too many files',
      'mkdir many && for i in $(seq 1100); do echo > many/$i; done && git add many',
      /more than 1000 files/,
    ],
    [
      'too much together',
      'for i in $(seq 10); do head -c 1000000 /dev/urandom > part$i; done && git add part*',
      /have \d+ bytes, the limit is 8388608/,
    ],
    [
      'a control character in a name',
      'f="$(printf "a\\033b")"; echo > "$f" && git add "$f"',
      /control/,
    ],
    ['no agent.yaml', 'git rm -q agent.yaml', /has no agent.yaml/],
    ['an unknown key', 'echo "powers: all" > agent.yaml && git add agent.yaml', /powers/],
    [
      'another role',
      'echo "role: manager" > agent.yaml && git add agent.yaml',
      /role must stay "agent"/,
    ],
  ])(
    'is refused with %s',
    async (_what, script, problem) => {
      const start = bench.git('ada', 'rev-parse', 'HEAD');
      sh(`${script} && git commit -qm bad`);
      const error = await refusal(submit(bench.git('ada', 'rev-parse', 'HEAD')));
      expect([error.code, error.message]).toEqual([
        'invalid_config',
        expect.stringMatching(problem),
      ]);
      sh('git reset -q --hard "$1" && git clean -qfdx', start);
    },
    60_000,
  );

  it('is refused with a tree that names .git, an absolute or a climbing path', async () => {
    const blob = sh('echo evil | git hash-object -w --stdin');
    const yaml = sh('git rev-parse HEAD:agent.yaml');
    for (const name of ['.git', '.GIT', 'git~1', '..', '.']) {
      const raw = Buffer.concat([
        Buffer.from(`100644 ${name}\0`),
        Buffer.from(blob, 'hex'),
        Buffer.from('100644 agent.yaml\0'),
        Buffer.from(yaml, 'hex'),
      ]);
      const tree = sh(
        'printf "%s" "$1" | base64 -d | git hash-object -w -t tree --stdin --literally',
        raw.toString('base64'),
      );
      const commit = sh('git commit-tree -m evil "$1"', tree);
      const error = await refusal(submit(commit));
      expect([name, error.code]).toEqual([name, 'invalid_config']);
    }
    expect(existsSync(path.join(hive.home, 'applied', 'evil'))).toBe(false);
  });

  it('is refused when its history is not whole, replaced or too large', async () => {
    const sha = newest('whole');
    const parent = bench.git('ada', 'rev-parse', 'HEAD~1');
    const object = `.git/objects/${parent.slice(0, 2)}/${parent.slice(2)}`;
    sh('mv "$1" kept-object', object);
    expect((await refusal(submit(sha))).code).toBe('invalid_config');
    sh('mv kept-object "$1"', object);
    const other = sh('git commit-tree -m other HEAD^{tree}');
    bench.git('ada', 'replace', sha, other);
    expect((await submit(sha)).sha).toBe(sha);
    bench.git('ada', 'replace', '-d', sha);
    sh('head -c 40000000 /dev/urandom > huge && git add huge && git commit -qm huge');
    sh('git rm -q huge && git commit -qm small');
    const error = await refusal(submit(bench.git('ada', 'rev-parse', 'HEAD')));
    expect(error.code).toBe('too_large');
    sh('git reset -q --hard "$1"', sha);
  }, 60_000);

  it('cannot hold c0re up with a FIFO in a place of git', async () => {
    sh('mv .git/HEAD kept-head && mkfifo .git/HEAD');
    const started = Date.now();
    const answer = await submit('0123456').catch((error: unknown) => error);
    expect(answer).toBeInstanceOf(Error);
    expect(Date.now() - started).toBeLessThan(90_000);
    sh('rm .git/HEAD && mv kept-head .git/HEAD');
    expect(
      (await hive.getJson<C0reAnswers['approvals']>('admin', '/v1/approvals')).approvals,
    ).toBeDefined();
  }, 120_000);

  it('is shown as it is, whatever its attributes say, and written byte for byte', async () => {
    const files = {
      '.gitattributes':
        '* binary\n*.yaml -diff diff=evil filter=evil eol=crlf ident export-subst\n',
      'agent.yaml': yamlOf(['idle'], 'model: plain\n'),
      'id.txt': '$Id$ $Format:%H$\n',
    };
    const sha = bench.commit('ada', files);
    const { id } = await submit(sha);
    expect((await bench.show(id)).diff.diff).toContain('+model: plain');
    expect(await bench.approve(id)).toMatchObject({ state: 'deployed', error: null });
    for (const [name, text] of Object.entries(files))
      expect(bench.deployed('ada', name)).toBe(text);
  });
});

describe(verifies('4.6') + 'requests of the manager that cannot be', () => {
  const LONG = 'x'.repeat(2001);
  it.each<[string, object, string[]]>([
    ['a branch', { agent: 'ada', commit_ref: 'main' }, ['invalid_request']],
    ['HEAD', { agent: 'ada', commit_ref: 'HEAD' }, ['invalid_request']],
    ['six digits', { agent: 'ada', commit_ref: '012345' }, ['invalid_request']],
    ['41 digits', { agent: 'ada', commit_ref: '0'.repeat(41) }, ['invalid_request']],
    ['capitals', { agent: 'ada', commit_ref: 'ABCDEF0' }, ['invalid_request']],
    ['an option', { agent: 'ada', commit_ref: '--upload-pack=x' }, ['invalid_request']],
    ['a number', { agent: 'ada', commit_ref: 1234567 }, ['invalid_request']],
    ['an unknown commit', { agent: 'ada', commit_ref: '0123456' }, ['not_found']],
    ['an unknown agent', { agent: 'eve', commit_ref: '0123456' }, ['not_found']],
    ['a path for an agent', { agent: '../ada', commit_ref: '0123456' }, ['not_found']],
    ['a NUL in an agent', { agent: 'a\0', commit_ref: '0123456' }, ['not_found']],
    ['a list of agents', { agent: ['ada'], commit_ref: '0123456' }, ['invalid_request']],
    [
      'a long text',
      { agent: 'ada', commit_ref: '0123456', description: LONG },
      ['invalid_request'],
    ],
    ['a NUL', { agent: 'ada', commit_ref: '0123456', description: 'a\0b' }, ['invalid_request']],
    [
      'a lone surrogate',
      { agent: 'ada', commit_ref: '0123456', description: '\ud800' },
      ['invalid_request', 'malformed_json'],
    ],
    ['a foreign field', { agent: 'ada', commit_ref: '0123456', force: true }, ['unknown_field']],
    [
      'no request id',
      { agent: 'ada', commit_ref: '0123456', request_id: 'x' },
      ['invalid_request'],
    ],
  ])('%s', async (_what, body, codes) => {
    expect(codes).toContain((await refusal(bench.ask('apply-commit', body))).code);
  });

  it.each<[string, string, object, string]>([
    ['a spawn of itself', 'spawn', { name: 'manager' }, 'invalid_name'],
    ['a spawn of the operator', 'spawn', { name: 'operator' }, 'invalid_name'],
    ['a spawn of an agent that lives', 'spawn', { name: 'ada' }, 'name_taken'],
    ['a name with a right-to-left mark', 'spawn', { name: 'a\u202e' }, 'invalid_name'],
    ['a config of an agent that lives', 'init-config', { name: 'ada' }, 'name_taken'],
    ['a config under ..', 'init-config', { name: '..' }, 'invalid_name'],
    ['an unknown input', 'meta-inputs', { inputs: ['nowhere'] }, 'not_found'],
    ['an input that is an option', 'meta-inputs', { inputs: ['-x'] }, 'invalid_request'],
  ])('%s', async (_what, path_, body, code) => {
    expect((await refusal(bench.ask(path_, body))).code).toBe(code);
  });

  it('come from the manager alone', async () => {
    const body = { agent: 'ada', commit_ref: '0123456' };
    const token = (name: string) =>
      bench.asOwner(hive.agentPath(name, 'state'), 'cat', hive.agentPath(name, 'run', 'token'));
    expect((await refusal(bench.ask('apply-commit', body, token('ada')))).code).toBe('forbidden');
    // A token that c0re did not make may be a run's, of which the broker knows: here there is none.
    expect((await refusal(bench.ask('apply-commit', body, 'x'))).code).toBe('unavailable');
    const bare = hive.post('gateway', '/v1/manager/apply-commit', body);
    expect((await refusal(bare)).code).toBe('unauthorized');
    for (const verb of ['start', 'stop', 'restart', 'rebuild']) {
      const itself = await refusal(bench.ask(`agents/manager/${verb}`, {}));
      expect(['forbidden', 'not_available_yet']).toContain(itself.code);
    }
  });
});
