import { Moon, Sun, SunMoon } from 'lucide-react';
import { useState, type ReactNode } from 'react';

import { IconButton } from '../design/button.js';

const KEY = 'hive.theme';
type Theme = 'system' | 'light' | 'dark';
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const ICONS = { system: SunMoon, light: Sun, dark: Moon };

/** Light, dark, or as the system says; public/theme.js applies the choice before the first paint. */
export function ThemeButton(): ReactNode {
  const [theme, setTheme] = useState<Theme>(() => {
    const chosen = localStorage.getItem(KEY);
    return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
  });
  const Icon = ICONS[theme];
  return (
    <IconButton
      label={`Theme: ${theme}`}
      look="ghost"
      small
      icon={<Icon size={15} />}
      onClick={() => {
        const next = NEXT[theme];
        setTheme(next);
        if (next === 'system') {
          localStorage.removeItem(KEY);
          delete document.documentElement.dataset.theme;
        } else {
          localStorage.setItem(KEY, next);
          document.documentElement.dataset.theme = next;
        }
        dispatchEvent(new Event('hive-theme'));
      }}
    />
  );
}
