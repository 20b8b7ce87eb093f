import { gitText, git, type GitCall } from '../git/git.js';

/** A commit that is made from files in memory, without an index or a work tree. */
export interface NewCommit {
  /** Whole name of the reference that it is left under. */
  ref: string;
  message: string;
  files: Readonly<Record<string, string>>;
  /** Its parent; none: a first commit. */
  parent?: string;
  /** Seconds since 1970; default: now. */
  at?: number;
}

/** Makes the commit and returns its id. The same commit again is the same id. */
export async function importCommit(repository: GitCall, commit: NewCommit): Promise<string> {
  const at = commit.at ?? Math.floor(Date.now() / 1000);
  const parts: Buffer[] = [];
  const line = (text: string) => parts.push(Buffer.from(`${text}\n`));
  const data = (text: string) => {
    const bytes = Buffer.from(text);
    line(`data ${bytes.length}`);
    parts.push(bytes, Buffer.from('\n'));
  };
  line(`reset ${commit.ref}`);
  line(`commit ${commit.ref}`);
  line(`committer hyperhive <hyperhive@localhost> ${at} +0000`);
  data(commit.message);
  if (commit.parent !== undefined) line(`from ${commit.parent}`);
  line('deleteall');
  for (const [path, text] of Object.entries(commit.files)) {
    line(`M 100644 inline ${quotedPath(path)}`);
    data(text);
  }
  line('done');
  await git(
    { ...repository, input: Buffer.concat(parts) },
    'fast-import',
    '--quiet',
    '--done',
    '--force',
  );
  return gitText(repository, 'rev-parse', '--verify', commit.ref);
}

/** A path as fast-import reads it back, whatever is in it. */
function quotedPath(path: string): string {
  const escaped = path
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
  return `"${escaped}"`;
}
