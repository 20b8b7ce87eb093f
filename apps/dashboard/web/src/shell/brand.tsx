import type { ReactNode } from 'react';

export function Brand(): ReactNode {
  return (
    <span className="brand">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden>
        <path
          d="M16 1.6 28.6 8.8v14.4L16 30.4 3.4 23.2V8.8z"
          fill="none"
          stroke="var(--honey-deep)"
          strokeWidth="2"
          strokeLinejoin="round"
        />
        <path d="M16 9.2l5.9 3.4v6.8L16 22.8l-5.9-3.4v-6.8z" fill="var(--honey)" />
      </svg>
      <span className="brand-name">hyperhive</span>
    </span>
  );
}
