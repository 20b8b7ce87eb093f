import { LoaderCircle } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';

import { Tip } from './tip.js';

interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  look?: 'primary' | 'danger' | 'ghost';
  small?: boolean;
  icon?: ReactNode;
  /** The button's action runs: it shows progress and does not start again. */
  busy?: boolean;
  off?: boolean;
}

/** A button that can show its own progress. It keeps the focus while it is off, so that keyboards do not lose it. */
export function Button({
  look,
  small,
  icon,
  busy = false,
  off = false,
  children,
  className = '',
  onClick,
  type = 'button',
  ...rest
}: ButtonProps): ReactNode {
  const inert = busy || off;
  return (
    <button
      {...rest}
      type={type}
      className={['button', look, small && 'small', !children && 'icon', className]
        .filter(Boolean)
        .join(' ')}
      aria-busy={busy || undefined}
      aria-disabled={inert || undefined}
      onClick={(event) => {
        if (inert) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <LoaderCircle className="spinner" aria-hidden /> : icon}
      {children}
    </button>
  );
}

/** A button that is only an icon: its name is spoken and shown as a tip. */
export function IconButton({
  label,
  ...rest
}: Omit<ButtonProps, 'children'> & { label: string }): ReactNode {
  return (
    <Tip text={label}>
      <Button {...rest} aria-label={label} />
    </Tip>
  );
}
