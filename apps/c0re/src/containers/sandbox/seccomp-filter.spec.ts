import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { seccompFilter } from './seccomp-filter.js';

const X64 = 0xc000003e;
const ARM64 = 0xc00000b7;
const ALLOWED = 0x7fff0000;
const KILLED = 0x80000000;
const EPERM = 0x50001;
const ENOSYS = 0x50026;

/** What the filter says of a system call, as the kernel runs it. */
function verdict(filter: Buffer, arch: number, number: number, first = 0): number {
  const data = new Map([
    [0, number],
    [4, arch],
    [16, first],
  ]);
  let value = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    const code = filter.readUInt16LE(at * 8);
    const [whenTrue, whenFalse] = [filter.readUInt8(at * 8 + 2), filter.readUInt8(at * 8 + 3)];
    const operand = filter.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return operand;
    if (code === 0x20) value = data.get(operand) ?? -1;
    else {
      const tests: Record<number, boolean> = {
        0x15: value === operand,
        0x35: value >= operand,
        0x45: (value & operand) !== 0,
      };
      if (!(code in tests)) throw new Error(`the filter has an instruction ${code}`);
      at += tests[code] ? whenTrue : whenFalse;
    }
  }
  throw new Error('the filter ends without a verdict');
}

describe(verifies('4.2') + 'the filter of system calls', () => {
  it.each([
    ['read', 'x64', X64, 0, 0, ALLOWED],
    ['mount', 'x64', X64, 165, 0, EPERM],
    ['ptrace', 'x64', X64, 101, 0, EPERM],
    ['the last of the list', 'x64', X64, 443, 0, EPERM],
    ['a thread', 'x64', X64, 56, 0x3d0f00, ALLOWED],
    ['a child', 'x64', X64, 56, 17, ALLOWED],
    ['a user namespace', 'x64', X64, 56, 0x10000011, EPERM],
    ['a network namespace', 'x64', X64, 56, 0x40000011, EPERM],
    ['clone3', 'x64', X64, 435, 0, ENOSYS],
    ['a call of x32', 'x64', X64, 0x40000000 + 1, 0, ENOSYS],
    ['a call of i386', 'x64', 0x40000003, 165, 0, KILLED],
    ['read', 'arm64', ARM64, 63, 0, ALLOWED],
    ['mount', 'arm64', ARM64, 40, 0, EPERM],
    ['a user namespace', 'arm64', ARM64, 220, 0x10000011, EPERM],
    ['a child', 'arm64', ARM64, 220, 17, ALLOWED],
  ])('%s on %s', (_what, processor, arch, number, first, expected) => {
    const filter = seccompFilter(processor);
    expect(verdict(filter as Buffer, arch, number, first)).toBe(expected);
  });

  it('is not there for other processors', () => {
    expect(seccompFilter('riscv64')).toBeUndefined();
  });
});
