import { Braces, Ellipsis, Layers, LogOut } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';

import { Button } from '../design/button.js';
import { ErrorNote } from '../design/error-note.js';
import { errorText } from '../hive/http.js';
import { logOut } from '../hive/store.js';
import { SECTIONS, useSectionCounts, type SectionCount } from './sections.js';

/** The pages for operations staff, on a phone those that its bar has no room for, and the way out. */
export function HiveMenu(): ReactNode {
  const counts = useSectionCounts();
  const [leaving, setLeaving] = useState<{ error?: string }>();
  const leave = async (): Promise<void> => {
    setLeaving({});
    try {
      await logOut();
    } catch (error) {
      setLeaving({ error: errorText(error) });
    }
  };
  return (
    <>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <Button
            look="ghost"
            small
            aria-label="More of the hive"
            busy={leaving !== undefined && leaving.error === undefined}
            icon={<Ellipsis size={15} />}
          />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className="menu" align="end" sideOffset={6} collisionPadding={8}>
            {SECTIONS.filter(({ rare }) => rare).map(({ path, name, icon: Icon }) => (
              <DropdownMenu.Item key={path} className="menu-item phone-only" asChild>
                <Link href={path}>
                  <Icon size={15} /> {name}
                  <MenuCount count={counts[path]} />
                </Link>
              </DropdownMenu.Item>
            ))}
            <DropdownMenu.Separator className="menu-line phone-only" />
            <DropdownMenu.Item className="menu-item" asChild>
              <a href="/queues" target="_blank" rel="noreferrer">
                <Layers size={15} /> Queues
              </a>
            </DropdownMenu.Item>
            <DropdownMenu.Item className="menu-item" asChild>
              <a href="/api/docs" target="_blank" rel="noreferrer">
                <Braces size={15} /> API
              </a>
            </DropdownMenu.Item>
            <DropdownMenu.Separator className="menu-line" />
            <DropdownMenu.Item className="menu-item" onSelect={() => void leave()}>
              <LogOut size={15} /> Log out
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      {leaving?.error && (
        <div className="leaving-error">
          <ErrorNote onDismiss={() => setLeaving(undefined)}>{leaving.error}</ErrorNote>
        </div>
      )}
    </>
  );
}

function MenuCount({ count }: { count: SectionCount | undefined }): ReactNode {
  if (!count || count.n === 0) return null;
  return (
    <span className={count.soft ? 'count soft' : 'count'} aria-label={count.words}>
      {count.n}
    </span>
  );
}
