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
