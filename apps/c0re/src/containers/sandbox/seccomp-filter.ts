import { NEW_NAMESPACES } from './seccomp.rules.js';

/** What the kernel calls the two processors (`AUDIT_ARCH_…`), with the numbers of the denied system calls there. */
const PROCESSORS: Readonly<
  Record<string, { arch: number; x32: boolean; calls: readonly number[]; clone: number }>
> = {
  x64: {
    arch: 0xc000003e,
    x32: true,
    clone: 56,
    calls: [
      // ptrace syslog ustat modify_ldt pivot_root _sysctl chroot acct mount umount2 swapon swapoff reboot iopl ioperm
      101,
      103, 136, 154, 155, 156, 161, 163, 165, 166, 167, 168, 169, 172, 173,
      // create_module init_module delete_module get_kernel_syms query_module quotactl nfsservctl … security
      174,
      175, 176, 177, 178, 179, 180, 181, 182, 183, 184, 185, 236,
      // kexec_load add_key request_key keyctl unshare perf_event_open name_to_handle_at open_by_handle_at setns
      246,
      248, 249, 250, 272, 298, 303, 304, 308,
      // process_vm_readv process_vm_writev kcmp finit_module kexec_file_load bpf userfaultfd
      310, 311, 312, 313, 320, 321, 323,
      // io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig fsmount fspick
      425,
      426, 427, 428, 429, 430, 431, 432, 433,
      // mount_setattr quotactl_fd
      442, 443,
    ],
  },
  arm64: {
    arch: 0xc00000b7,
    x32: false,
    clone: 220,
    calls: [
      // umount2 mount pivot_root nfsservctl chroot quotactl acct unshare kexec_load init_module delete_module
      39,
      40, 41, 42, 51, 60, 89, 97, 104, 105, 106,
      // syslog ptrace reboot add_key request_key keyctl swapon swapoff perf_event_open
      116, 117, 142, 217, 218, 219, 224, 225, 241,
      // name_to_handle_at open_by_handle_at setns process_vm_readv process_vm_writev kcmp finit_module bpf
      264,
      265, 268, 270, 271, 272, 273, 280,
      // userfaultfd kexec_file_load io_uring_… open_tree … fspick mount_setattr quotactl_fd
      282, 294, 425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 443,
    ],
  },
};
/** Its flags lie in memory, where no filter can look; without it libc uses clone. */
const CLONE3 = 435;
const X32_BIT = 0x40000000;

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const REFUSE = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;

/** Offsets in the kernel's struct seccomp_data; low half of the first argument. */
const NUMBER = 0;
const ARCH = 4;
const FIRST_ARGUMENT = 16;

const LOAD = 0x20;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const ANY_BIT = 0x45;
const RETURN = 0x06;

type Instruction = [code: number, whenTrue: number, whenFalse: number, value: number];

/**
 * The seccomp filter as the kernel reads it (an array of struct sock_filter), for programs that take it from a file. It
 * refuses what `seccomp.rules.ts` names, and clone with flags of new namespaces. Undefined on other processors.
 */
export function seccompFilter(processor: string = process.arch): Buffer | undefined {
  const rules = PROCESSORS[processor];
  if (!rules) return undefined;
  const refuse = (number: number, error: number): Instruction[] => [
    [EQUAL, 0, 1, number],
    [RETURN, 0, 0, REFUSE | error],
  ];
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCH],
    [EQUAL, 1, 0, rules.arch],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, NUMBER],
    ...(rules.x32
      ? ([
          [AT_LEAST, 0, 1, X32_BIT],
          [RETURN, 0, 0, REFUSE | ENOSYS],
        ] as Instruction[])
      : []),
    ...rules.calls.flatMap((number) => refuse(number, EPERM)),
    ...refuse(CLONE3, ENOSYS),
    [EQUAL, 0, 3, rules.clone],
    [LOAD, 0, 0, FIRST_ARGUMENT],
    [ANY_BIT, 0, 1, NEW_NAMESPACES.reduce((all, flag) => all | flag, 0)],
    [RETURN, 0, 0, REFUSE | EPERM],
    [RETURN, 0, 0, ALLOW],
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, whenTrue, whenFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(whenTrue, index * 8 + 2);
    bytes.writeUInt8(whenFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
