import './code.css';
import './files.css';
import { CornerLeftUp, File, FileLock, Folder, RotateCw } from 'lucide-react';
import { useState, type ReactNode } from 'react';

import type { StateFileAnswer, StateFolderAnswer } from '#libs/protocol';

import { Ago } from '../../design/ago.js';
import { Button } from '../../design/button.js';
import { Empty } from '../../design/empty.js';
import { ErrorNote } from '../../design/error-note.js';
import { useQuery } from '../../hive/queries.js';

const SHARED = '/shared';

/** What an agent keeps in its state folder, and the shared space. Only plain files that everybody may read open here. */
export function FilesTab({ name }: { name: string }): ReactNode {
  const [folder, setFolder] = useState('');
  const [file, setFile] = useState<string>();
  const enter = (path: string) => {
    setFolder(path);
    setFile(undefined);
  };
  return (
    <section className="panel files">
      <header className="panel-head">
        <h2 className="label">Files</h2>
        <div className="switcher" role="group" aria-label="Which folder">
          <button type="button" aria-pressed={!isShared(folder)} onClick={() => enter('')}>
            Its own
          </button>
          <button type="button" aria-pressed={isShared(folder)} onClick={() => enter(SHARED)}>
            Shared
          </button>
        </div>
      </header>
      {file === undefined ? (
        <FolderView key={folder} name={name} path={folder} onFolder={enter} onFile={setFile} />
      ) : (
        <FileView name={name} path={file} onClose={() => setFile(undefined)} />
      )}
    </section>
  );
}

interface FolderProps {
  name: string;
  path: string;
  onFolder: (path: string) => void;
  onFile: (path: string) => void;
}

function FolderView({ name, path, onFolder, onFile }: FolderProps): ReactNode {
  const query = useQuery<StateFolderAnswer>(`/api/state-files?${search(name, path)}`);
  const entries = query.data?.entries ?? [];
  return (
    <>
      <Place path={path} busy={query.loading} onAgain={query.again} />
      {query.error && <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>}
      {query.data && entries.length === 0 && (
        <Empty title="Nothing lies here">What {name} writes into it shows up here.</Empty>
      )}
      <ul className="file-list">
        {path !== '' && path !== SHARED && (
          <li>
            <button type="button" onClick={() => onFolder(above(path))}>
              <CornerLeftUp size={15} aria-hidden /> up
            </button>
          </li>
        )}
        {entries.map((entry) => (
          <li key={entry.name}>
            <button
              type="button"
              disabled={!entry.readable}
              title={entry.readable ? undefined : 'Not a plain file that everybody may read'}
              onClick={() => (entry.kind === 'folder' ? onFolder : onFile)(below(path, entry.name))}
            >
              <Icon entry={entry} />
              <span className="mono">{entry.name}</span>
              <span className="quiet nums">{entry.kind === 'file' && `${entry.bytes} bytes`}</span>
              <span className="quiet">
                <Ago at={entry.modified_at} suffix=" ago" />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {query.data?.truncated && <p className="quiet">There is more than can be listed here.</p>}
    </>
  );
}

function FileView({
  name,
  path,
  onClose,
}: {
  name: string;
  path: string;
  onClose: () => void;
}): ReactNode {
  const query = useQuery<StateFileAnswer>(`/api/state-file?${search(name, path)}`);
  const { data } = query;
  return (
    <>
      <Place path={path} busy={query.loading} onAgain={query.again}>
        <Button small look="ghost" icon={<CornerLeftUp size={14} />} onClick={onClose}>
          Back
        </Button>
      </Place>
      {query.error && <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>}
      {data?.text === null && <Empty title="Not a text">It has {data.bytes} bytes.</Empty>}
      {typeof data?.text === 'string' && (
        // Keyboards scroll it like any other text.
        <pre className="code" tabIndex={0} aria-label={path}>
          {data.text}
        </pre>
      )}
    </>
  );
}

function Place({
  path,
  busy,
  onAgain,
  children,
}: {
  path: string;
  busy: boolean;
  onAgain: () => void;
  children?: ReactNode;
}): ReactNode {
  return (
    <div className="file-place">
      <span className="mono">{path === '' ? 'state/' : path}</span>
      {children}
      <Button small look="ghost" busy={busy} icon={<RotateCw size={14} />} onClick={onAgain}>
        Read again
      </Button>
    </div>
  );
}

function Icon({ entry }: { entry: StateFolderAnswer['entries'][number] }): ReactNode {
  if (entry.kind === 'folder') return <Folder size={15} aria-label="folder" />;
  return entry.readable ? (
    <File size={15} aria-label="file" />
  ) : (
    <FileLock size={15} aria-label="cannot be read" />
  );
}

function search(agent: string, path: string): string {
  return new URLSearchParams({ agent, path }).toString();
}

function isShared(path: string): boolean {
  return path === SHARED || path.startsWith(`${SHARED}/`);
}

function below(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function above(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}
