/** Groups of system calls, by systemd's names, that no agent may use. */
export const DENIED_GROUPS = [
  '@mount',
  '@module',
  '@raw-io',
  '@reboot',
  '@swap',
  '@obsolete',
  '@cpu-emulation',
] as const;

/** Single system calls that no agent may use. */
export const DENIED_CALLS = [
  'add_key',
  'bpf',
  'io_uring_enter',
  'io_uring_register',
  'io_uring_setup',
  'kcmp',
  'kexec_file_load',
  'kexec_load',
  'keyctl',
  'name_to_handle_at',
  'open_by_handle_at',
  'perf_event_open',
  'process_vm_readv',
  'process_vm_writev',
  'ptrace',
  'quotactl',
  'request_key',
  'setns',
  'syslog',
  'unshare',
  'userfaultfd',
] as const;

/** The system calls of those groups that exist on the processors of today, for readers that know no groups. */
export const GROUP_MEMBERS = [
  '_sysctl',
  'acct',
  'chroot',
  'create_module',
  'delete_module',
  'finit_module',
  'fsconfig',
  'fsmount',
  'fsopen',
  'fspick',
  'init_module',
  'ioperm',
  'iopl',
  'modify_ldt',
  'mount',
  'mount_setattr',
  'move_mount',
  'nfsservctl',
  'open_tree',
  'pivot_root',
  'query_module',
  'reboot',
  'swapoff',
  'swapon',
  'umount',
  'umount2',
  'uselib',
  'ustat',
] as const;

/** Flags of clone that make namespaces: time, mount, cgroup, uts, ipc, user, process, network. */
export const NEW_NAMESPACES = [
  0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
] as const;
