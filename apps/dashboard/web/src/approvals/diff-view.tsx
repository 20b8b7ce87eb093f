import type { ReactNode } from 'react';

import type { ConfigDiff } from '#libs/protocol';

import { parseDiff, type DiffFile } from './diff-text.js';

const LOOKS = { '+': 'plus', '-': 'minus', ' ': 'same', '@': 'hunk' } as const;

/** A unified diff, file by file. Nothing in it is hidden: what cannot be seen is written out. */
export function DiffView({ diff }: { diff: ConfigDiff }): ReactNode {
  const files = parseDiff(diff.diff);
  if (files.length === 0) return <p className="quiet">Nothing differs.</p>;
  return (
    <div className="diff-files">
      {files.map((file) => (
        <File key={file.path} file={file} />
      ))}
      {diff.truncated && (
        <p className="diff-cut">
          This is only the beginning: the diff is longer. Look at the repository before you approve.
        </p>
      )}
    </div>
  );
}

function File({ file: { path, notes, lines } }: { file: DiffFile }): ReactNode {
  return (
    <section className="diff-file" aria-label={`Changes of ${path}`}>
      <header className="diff-name">
        <b className="mono">{path}</b>
        {notes.map((note) => (
          <span key={note} className="chip">
            {note}
          </span>
        ))}
      </header>
      {lines.length > 0 && (
        <div className="diff-lines" tabIndex={0} role="group" aria-label={`Lines of ${path}`}>
          {lines.map((line, at) => (
            // Lines have no identity of their own, and the list never changes.
            <div key={at} className={LOOKS[line.sign]}>
              <span className="diff-sign">{line.sign === '@' ? '' : line.sign}</span>
              <span>{line.text || ' '}</span>
            </div>
          ))}
        </div>
      )}
    </section>
  );
}
