import { RotateCw } from 'lucide-react';
import { Component, type ReactNode } from 'react';

import { Button } from '../design/button.js';
import { Frame } from './before.js';

/** Says that the page itself broke, instead of leaving it blank; the hive goes on. */
export class CrashGuard extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Frame>
        <h1>This page broke</h1>
        <p role="alert">
          The hive is not touched by it. What the page says of itself: <code>{error.message}</code>
        </p>
        <Button look="primary" icon={<RotateCw size={15} />} onClick={() => location.assign('/')}>
          Open it again
        </Button>
      </Frame>
    );
  }
}
