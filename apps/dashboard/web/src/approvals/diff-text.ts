/** A line of a unified diff: its sign decides how it looks. */
export interface DiffTextLine {
  sign: '+' | '-' | ' ' | '@';
  text: string;
}

/** What a diff says of one file. */
export interface DiffFile {
  path: string;
  /** `new`, `deleted`, `renamed from …`, `mode …`, `binary`: what the lines do not show. */
  notes: string[];
  lines: DiffTextLine[];
}

/** Characters that a reader would not see, or that turn the order of what is read around. */
const HIDDEN =
  // oxlint-disable-next-line no-control-regex -- these are what is shown
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** The text with what cannot be seen written out, so that nothing is approved unseen. */
export function visible(text: string): string {
  return text.replaceAll(
    HIDDEN,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}

/** The files of a unified diff as git writes it. */
export function parseDiff(diff: string): DiffFile[] {
  const files: DiffFile[] = [];
  let file: DiffFile | undefined;
  let inHunk = false;
  for (const line of diff.split('\n')) {
    if (line.startsWith('diff --git ')) {
      file = { path: / b\/(.*)$/.exec(line)?.[1] ?? line, notes: [], lines: [] };
      files.push(file);
      inHunk = false;
    } else if (file) {
      if (line.startsWith('@@')) {
        inHunk = true;
        file.lines.push({ sign: '@', text: visible(line) });
      } else if (inHunk) hunkLine(file, line);
      else note(file, line);
    }
  }
  return files;
}

function hunkLine(file: DiffFile, line: string): void {
  const sign = line[0];
  if (sign === '+' || sign === '-' || sign === ' ') {
    file.lines.push({ sign, text: visible(line.slice(1)) });
  } else if (sign === '\\') {
    file.lines.push({ sign: '@', text: line.slice(2) });
  }
}

function note(file: DiffFile, line: string): void {
  const path = /^\+\+\+ b\/(.*)$/.exec(line)?.[1];
  if (path !== undefined) file.path = visible(path);
  else if (line.startsWith('new file mode 100755')) file.notes.push('new, executable');
  else if (line.startsWith('new file')) file.notes.push('new');
  else if (line.startsWith('deleted file')) file.notes.push('deleted');
  else if (line.startsWith('rename from '))
    file.notes.push(`renamed from ${visible(line.slice(12))}`);
  else if (line.startsWith('new mode ')) file.notes.push(`mode ${line.slice(9)}`);
  else if (line.startsWith('Binary files')) file.notes.push('binary: not shown');
}
