import { useState, type ReactNode } from 'react';
import { Choice } from '../ui/filters.tsx';

const THEMES = ['light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const KEY = 'mad.theme';

/** The system's, or another for this browser. */
export const ThemeChoice = (): ReactNode => {
  const [theme, setTheme] = useState<Theme | undefined>(() =>
    THEMES.find((each) => each === localStorage.getItem(KEY)),
  );
  const choose = (chosen: Theme | undefined): void => {
    setTheme(chosen);
    if (chosen === undefined) {
      localStorage.removeItem(KEY);
      delete document.documentElement.dataset['theme'];
    } else {
      localStorage.setItem(KEY, chosen);
      document.documentElement.dataset['theme'] = chosen;
    }
  };
  return <Choice label="Theme" any="as the system" options={THEMES} value={theme} onChange={choose} />;
};
