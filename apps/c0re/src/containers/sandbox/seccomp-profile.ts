import { DENIED_CALLS, GROUP_MEMBERS, NEW_NAMESPACES } from './seccomp.rules.js';

const EPERM = 1;
const ENOSYS = 38;
/** Processors on which the flags are the first argument of clone. */
const PROCESSORS = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'];

/** The rules of `seccomp.rules.ts` as podman and docker read them. */
export function seccompProfile() {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: PROCESSORS,
    syscalls: [
      {
        names: [...DENIED_CALLS, ...GROUP_MEMBERS],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
      },
      // Its flags lie in memory, where no filter can look; without it libc uses clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...NEW_NAMESPACES.map((flag) => ({
        names: ['clone'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
        args: [{ index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }],
      })),
    ],
  };
}
