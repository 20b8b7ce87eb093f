import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A process of its own that exchanges the two names of each pair as fast as it can (renameat2, RENAME_EXCHANGE): what an
 * agent does that wants a check to see one thing and the use after it another. Answers how to stop it; that tells how
 * often it swapped.
 */
export async function startSwapping(
  ...pairs: (readonly [string, string])[]
): Promise<() => Promise<number>> {
  const child = spawn('perl', ['-e', PROGRAM, ...pairs.flat()], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return async () => {
    const said: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    const closed = once(child, 'close');
    child.stdin.end();
    await closed;
    return Number(Buffer.concat(said).toString());
  };
}

/** Swaps until its stdin is closed. */
const PROGRAM = String.raw`
use POSIX ();
my @pairs;
push @pairs, [splice @ARGV, 0, 2] while @ARGV;
my %number = (x86_64 => 316, aarch64 => 276);
my $renameat2 = $number{(POSIX::uname())[4]} or die "no number of renameat2 for this machine";
my $bits = '';
vec($bits, fileno(STDIN), 1) = 1;
my $count = 0;
$| = 1;
print "ready\n";
while (1) {
  for (1 .. 50) {
    for my $pair (@pairs) { $count++ if syscall($renameat2, -100, $pair->[0], -100, $pair->[1], 2) == 0; }
  }
  last if select(my $ready = $bits, undef, undef, 0);
}
print $count;
`;
