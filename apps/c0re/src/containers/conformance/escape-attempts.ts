/** One way out that an agent may try. The script is a shell's; it ends with 0 when it got through. */
export interface EscapeAttempt {
  /** What it reaches for, as docs/security.md says it. */
  what: string;
  script: string;
  /** It gets through in the process driver, as the agent's own user. */
  isOpenInProcess?: true;
}
export interface EscapeGroup {
  title: string;
  attempts: readonly EscapeAttempt[];
}

/** Shell variables that the scripts use; the test sets them to what it prepared on the host. */
export const TARGETS = [
  'HOST_PID',
  'HOST_WORD',
  'BOB_PID',
  'BOB_WORD',
  'BOB_ROOT',
  'HIVE_ROOT',
  'RUNTIME',
  'TCP_PORT',
  'ABSTRACT',
  'SHM_KEY',
  'PUBLIC_FILE',
  'SHM_FILE',
  'OUTER_ADDRESS',
] as const;

/** A system call by its number on x86-64. Perl passes texts only from variables. */
function perlCall(number: number, values: readonly (number | string)[]): string {
  const variables = values.map((value, index) => `$a${index} = ${value};`).join(' ');
  const names = values.map((_value, index) => `$a${index}`);
  return `${variables} $r = syscall(${[number, ...names].join(', ')});`;
}
/** Gets through unless it is refused as such, whatever becomes of these arguments. */
const call = (number: number, ...values: (number | string)[]) =>
  `perl -MErrno -e '${perlCall(number, values)} exit(($r >= 0 || (!$!{EPERM} && !$!{ENOSYS})) ? 0 : 1)'`;
/** Gets through only when it works. */
const needs = (number: number, ...values: (number | string)[]) =>
  `perl -e '${perlCall(number, values)} exit($r >= 0 ? 0 : 1)'`;
const read = (file: string) => `head -c 1 ${file} | grep -q .`;
const connectTo = (file: string) =>
  `perl -MIO::Socket::UNIX -e 'exit(IO::Socket::UNIX->new(Peer => $ARGV[0]) ? 0 : 1)' ${file}`;
const tcp = (target: string) =>
  `perl -MIO::Socket::INET -e 'exit(IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 3) ? 0 : 1)' ${target}`;

const NEW_USER = '0x10000000';
const SIGCHLD = 17;

export const ESCAPES: readonly EscapeGroup[] = [
  {
    title: 'Processes',
    attempts: [
      {
        what: 'see processes of the host',
        script: 'grep -qs "$HOST_WORD" /proc/[0-9]*/cmdline',
        isOpenInProcess: true,
      },
      {
        what: "see another agent's processes",
        script: 'grep -qs "$BOB_WORD" /proc/[0-9]*/cmdline',
        isOpenInProcess: true,
      },
      {
        what: 'signal a process of the host',
        script: 'kill -0 $HOST_PID && grep -qs "$HOST_WORD" /proc/$HOST_PID/cmdline',
      },
      {
        what: "signal another agent's process",
        script: 'kill -0 $BOB_PID && grep -qs "$BOB_WORD" /proc/$BOB_PID/cmdline',
      },
      {
        what: "read the environment of the host's process",
        script: read('/proc/$HOST_PID/environ'),
      },
      {
        what: "read another agent's environment",
        script: 'grep -qs "$BOB_WORD" /proc/$BOB_PID/environ',
      },
      {
        what: "enter another agent's root by /proc",
        script:
          'ls /proc/$BOB_PID/root/ | grep -q usr && grep -qs "$BOB_WORD" /proc/$BOB_PID/cmdline',
      },
      {
        what: 'attach to another process (ptrace)',
        script: needs(101, 16, '$ENV{BOB_PID} + 0', 0, 0),
      },
      {
        what: 'trace a child of its own (ptrace)',
        script: needs(101, 0, 0, 0, 0),
        isOpenInProcess: true,
      },
      {
        what: 'read the memory of a process (process_vm_readv)',
        script: call(310, '$$', 0, 0, 0, 0, 0),
        isOpenInProcess: true,
      },
      {
        what: 'compare kernel objects (kcmp)',
        script: call(312, '$$', '$$', 0, 0, 0),
        isOpenInProcess: true,
      },
      {
        what: 'take a higher priority',
        script:
          'nice -n -5 true 2>&1 | grep -q . && exit 1; nice -n -5 sh -c "[ $(nice) -lt $(nice) ]"',
      },
    ],
  },
  {
    title: 'Privileges',
    attempts: [
      { what: 'become root (setuid)', script: needs(105, 0) },
      {
        what: 'become root by a set-uid program',
        script:
          'cp /bin/sh /tmp/sh-$$ && chmod 4755 /tmp/sh-$$ && [ "$(find /usr/bin -perm -4000 -user root -exec {} -c "id -u" \\; 2>/dev/null | head -1)" = 0 ]',
      },
      {
        what: 'keep any capability',
        script: 'grep -q "^Cap\\(Eff\\|Prm\\|Bnd\\|Amb\\):.*[1-9a-f]" /proc/self/status',
      },
      { what: 'gain privileges by exec', script: 'grep -q "^NoNewPrivs:.*0" /proc/self/status' },
      {
        what: 'run without a filter of system calls',
        script: 'grep -q "^Seccomp:.*0" /proc/self/status',
        isOpenInProcess: true,
      },
      { what: 'change groups', script: `perl -e '$) = "0 0"; exit(($) + 0) == 0 ? 0 : 1)'` },
    ],
  },
  {
    title: 'Mounts and devices',
    attempts: [
      { what: 'mount a file system', script: call(165, '"none"', '"/tmp"', '"tmpfs"', 0, 0) },
      { what: 'bind the root elsewhere', script: call(165, '"/"', '"/tmp"', 0, 4096, 0) },
      { what: 'unmount /usr', script: call(166, '"/usr"', 2) },
      { what: 'open a mount tree (open_tree)', script: call(428, -100, '"/"', 1) },
      { what: 'change the root (chroot)', script: call(161, '"/tmp"') },
      { what: 'exchange the root (pivot_root)', script: call(155, '"/"', '"/tmp"') },
      { what: 'make a block device', script: 'mknod /tmp/disk-$$ b 254 0' },
      { what: 'make a character device', script: 'mknod /tmp/mem-$$ c 1 1' },
      {
        what: 'read the disk',
        script: `for disk in /dev/vd? /dev/sd? /dev/nvme0n1 /dev/xvd?; do ${read('$disk')} && exit 0; done; exit 1`,
      },
      { what: 'read physical memory', script: read('/dev/mem') },
      { what: 'open /dev/fuse', script: '[ -c /dev/fuse ] && exec 3<>/dev/fuse' },
      {
        what: 'open /dev/kvm or a network tap',
        script:
          '([ -c /dev/kvm ] && exec 3<>/dev/kvm) || ([ -c /dev/net/tun ] && exec 3<>/dev/net/tun)',
      },
      {
        what: 'learn the handle of a file (name_to_handle_at)',
        script: call(303, -100, '"/"', 'pack("ii", 128, 0) . ("x" x 128)', '"x" x 8', 0),
        isOpenInProcess: true,
      },
      { what: 'swap', script: call(167, '"/tmp"', 0) },
    ],
  },
  {
    title: 'Files',
    attempts: [
      { what: "read the host's /etc/shadow", script: read('/etc/shadow') },
      {
        what: "read the host's /etc/hostname and other settings",
        script: 'ls /etc | grep -qx -e fstab -e machine-id -e apt -e ssh',
        isOpenInProcess: true,
      },
      { what: "list the hive's folder", script: 'ls "$HIVE_ROOT"' },
      { what: "read the operator's token", script: read('"$HIVE_ROOT/secrets/operator-token"') },
      { what: 'read the databases', script: read('"$HIVE_ROOT/db/c0re/c0re.db"') },
      { what: "read another agent's home", script: 'ls "$BOB_ROOT/home" || ls /agents/bob/home' },
      {
        what: "read another agent's state",
        script: 'ls "$BOB_ROOT/state" || ls /agents/bob/state',
      },
      {
        what: "read another agent's token",
        script: `${read('"$BOB_ROOT/run/token"')} || grep -q of-bob /run/hive/token`,
      },
      { what: "read another agent's secrets", script: read('"$BOB_ROOT/harness.json"') },
      {
        what: "see another agent's folders",
        script: 'ls /agents | grep -q bob || [ -e "$BOB_ROOT" ]',
        isOpenInProcess: true,
      },
      { what: "write into the system's programs", script: 'touch /usr/bin/escaped' },
      {
        what: "write into the hive's programs",
        script: 'touch /opt/hive/escaped || : >> "$(readlink /proc/$PPID/exe)"',
      },
      {
        what: 'change its own deployed configuration',
        script: 'touch "$HIVE_CONFIG_DIR/escaped" || : >> "$HIVE_CONFIG_DIR/agent.yaml"',
      },
      { what: 'exchange its own token', script: 'mv "$HIVE_TOKEN_FILE" "$HIVE_TOKEN_FILE.old"' },
      {
        what: 'exchange what its harness is told',
        script:
          'mv "$HIVE_HARNESS_CONFIG" "$HIVE_HARNESS_CONFIG.old" || : >> "$HIVE_HARNESS_CONFIG"',
      },
      { what: 'write into the shared docs', script: 'touch "$HIVE_DOCS_DIR/escaped"' },
      {
        what: "read files of others in the host's /tmp",
        script: read('"$PUBLIC_FILE"'),
        isOpenInProcess: true,
      },
      {
        what: "read files of others in the host's /dev/shm",
        script: read('"$SHM_FILE"'),
        isOpenInProcess: true,
      },
    ],
  },
  {
    title: 'Sockets and network',
    attempts: [
      {
        what: "connect to another agent's gateway socket",
        script: connectTo('"$BOB_ROOT/run/gateway.sock"'),
      },
      {
        what: "connect to c0re's admin socket",
        script: connectTo('"$RUNTIME/c0re-admin/c0re-admin.sock"'),
      },
      {
        what: "connect to the broker's socket",
        script: connectTo('"$RUNTIME/broker-gateway/broker-gateway.sock"'),
      },
      { what: 'connect to Redis', script: connectTo('"$RUNTIME/redis/redis.sock"') },
      {
        what: "connect to the dashboard's port",
        script: tcp('127.0.0.1:$TCP_PORT'),
        isOpenInProcess: true,
      },
      {
        what: "connect to the machine's other addresses",
        script: tcp('$OUTER_ADDRESS:$TCP_PORT'),
        isOpenInProcess: true,
      },
      {
        what: 'connect to an abstract socket of the host',
        script: `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); exit(connect(S, pack_sockaddr_un("\\0" . $ENV{ABSTRACT})) ? 0 : 1)'`,
        isOpenInProcess: true,
      },
      { what: 'open a raw socket', script: needs(41, 2, 3, 1) },
      { what: 'open a packet socket', script: needs(41, 17, 3, 0) },
      { what: 'add a network interface', script: 'ip link add escaped type dummy' },
      {
        what: "use the host's System V memory",
        script: `perl -e 'exit(defined(shmget($ENV{SHM_KEY} + 0, 1, 0)) ? 0 : 1)'`,
        isOpenInProcess: true,
      },
    ],
  },
  {
    title: 'Namespaces and cgroups',
    attempts: [
      {
        what: 'make a user namespace (unshare)',
        script: needs(272, NEW_USER),
        isOpenInProcess: true,
      },
      {
        what: 'make a user namespace (clone)',
        script: `perl -e '$r = syscall(56, ${NEW_USER} | ${SIGCHLD}, 0, 0, 0, 0); exit(defined $r && $r >= 0 ? 0 : 1)'`,
        isOpenInProcess: true,
      },
      {
        what: 'make a user namespace (clone3)',
        script: `perl -e '$a = pack("Q11", ${NEW_USER}, 0, 0, 0, ${SIGCHLD}, 0, 0, 0, 0, 0, 0); $r = syscall(435, $a, 88); exit($r >= 0 ? 0 : 1)'`,
        isOpenInProcess: true,
      },
      { what: 'make a network namespace', script: needs(272, '0x40000000') },
      { what: 'make a mount namespace', script: needs(272, '0x20000') },
      {
        what: "enter another process's namespace (setns)",
        script: `perl -e 'open(F, "<", "/proc/1/ns/mnt") or exit 1; exit(syscall(308, fileno(F), 0) >= 0 ? 0 : 1)'`,
      },
      {
        what: 'leave its cgroup',
        script:
          'for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do { echo $$ > $procs; } 2>/dev/null && exit 0; done; exit 1',
      },
      {
        what: 'raise its own limits',
        script:
          'find /sys/fs/cgroup \\( -name memory.limit_in_bytes -o -name memory.max -o -name pids.max -o -name cpu.max \\) -writable 2>/dev/null | grep -q .',
      },
      {
        what: 'make a cgroup',
        script:
          'for folder in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $folder/escaped 2>/dev/null && exit 0; done; exit 1',
      },
    ],
  },
  {
    title: 'The kernel',
    attempts: [
      { what: 'read a keyring (keyctl)', script: call(250, 0, -3, 1), isOpenInProcess: true },
      {
        what: 'add a key (add_key)',
        script: call(248, '"user"', '"escaped"', '"x"', 1, -3),
        isOpenInProcess: true,
      },
      {
        what: 'ask for a key (request_key)',
        script: call(249, '"user"', '"escaped"', 0, -3),
        isOpenInProcess: true,
      },
      {
        what: 'load a program into the kernel (bpf)',
        script: call(321, 0, 0, 0),
        isOpenInProcess: true,
      },
      {
        what: 'measure the machine (perf_event_open)',
        script: call(298, 0, 0, -1, -1, 0),
        isOpenInProcess: true,
      },
      { what: 'handle page faults (userfaultfd)', script: needs(323, 0) },
      {
        what: 'queue calls past the filter (io_uring)',
        script: call(425, 1, 0),
        isOpenInProcess: true,
      },
      { what: 'load a module', script: call(175, 0, 0, '""') },
      { what: 'load another kernel', script: call(246, 0, 0, 0, 0) },
      { what: 'read the kernel log', script: call(103, 3, '"x" x 100', 100) },
      { what: 'reach hardware ports', script: call(172, 3) },
      {
        what: 'change the local descriptor table',
        script: call(154, 0, '"x" x 16', 16),
        isOpenInProcess: true,
      },
      {
        what: 'change settings of the kernel',
        script: 'echo escaped > /proc/sys/kernel/core_pattern || echo 1 > /proc/sysrq-trigger',
      },
      { what: "change the machine's name", script: call(170, '"escaped"', 7) },
      { what: 'set the clock', script: call(227, 0, 'pack("QQ", 1, 0)') },
      { what: 'restart the machine', script: call(169, 0, 0, 0, 0) },
      { what: 'account for processes', script: call(163, 0) },
    ],
  },
];

/** How many attempts there are. */
export const ESCAPE_COUNT = ESCAPES.reduce((count, { attempts }) => count + attempts.length, 0);
