import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { freePort } from '../../apps/gateway/src/testing/free-port.js';
import { tempFolder } from '../../apps/gateway/src/testing/temp-folder.js';
import { TestHive, tokenOf } from '../../apps/gateway/src/testing/test-hive.js';
import { verifies } from '../requirements/verifies.js';
import { AuthorizingProxy } from './authorizing-proxy.js';

const CLI = path.resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** Scenarios that any server with tools must pass; all others need tools, prompts or resources of the suite's example. */
const APPLY = [
  'server-initialize',
  'ping',
  'logging-set-level',
  'tools-list',
  'tools-call-error',
  'server-sse-multiple-streams',
  'dns-rebinding-protection',
];
/**
 * Scenarios that call a tool, prompt or resource of the suite's own example server by name, or ask for completions of
 * one.
 */
const NEED_THE_EXAMPLE = [
  'completion-complete',
  'tools-call-simple-text',
  'tools-call-image',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-mixed-content',
  'tools-call-with-logging',
  'tools-call-with-progress',
  'tools-call-sampling',
  'tools-call-elicitation',
  'json-schema-2020-12',
  'elicitation-sep1034-defaults',
  'server-sse-polling',
  'elicitation-sep1330-enums',
  'resources-list',
  'resources-read-text',
  'resources-read-binary',
  'resources-templates-read',
  'resources-subscribe',
  'resources-unsubscribe',
  'prompts-list',
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-embedded-resource',
  'prompts-get-with-image',
];

interface Check {
  id: string;
  status: string;
  errorMessage?: string;
}

let hive: TestHive;
let proxy: AuthorizingProxy;
const results = tempFolder();

beforeAll(async () => {
  hive = await TestHive.start({ agents: ['alice'] });
  await hive.withGatewayProcess(await freePort());
  proxy = await AuthorizingProxy.start(hive.url, tokenOf('alice'));
});
afterAll(async () => {
  await proxy.stop();
  await hive.stop();
  results.remove();
});

function conformance(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}

/** The checks that a run of one scenario wrote down. */
function checksOf(folder: string): Check[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === 'checks.json')
    .flatMap((file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Check[]);
}

describe(`${verifies('8.3', 'P36')}the official MCP conformance suite`, () => {
  it('has no scenario that nobody has looked at', async () => {
    const { output } = await conformance('list');
    const server = output.slice(0, output.indexOf('Client scenarios'));
    const scenarios = [...server.matchAll(/^ {2}- (\S+)/gm)].map((match) => match[1] ?? '');
    expect(scenarios.toSorted()).toEqual([...APPLY, ...NEED_THE_EXAMPLE].toSorted());
  });

  it.each(APPLY)('%s', async (scenario) => {
    const folder = path.join(results.path, scenario);
    const url = `http://localhost:${proxy.port}/mcp`;
    const args = ['--url', url, '--scenario', scenario, '--output-dir', folder];
    const { code, output } = await conformance('server', ...args);
    const checks = checksOf(folder);
    const passed = checks.filter(({ status }) => status === 'SUCCESS');
    const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
    expect(bad).toEqual([]);
    expect({ code, passed: passed.length > 0, output }).toMatchObject({ code: 0, passed: true });
  });
});
