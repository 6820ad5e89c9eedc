import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

interface TabsProps {
  readonly label: string;
  /** Names in the address by what they are called. The first is the one without a name. */
  readonly tabs: Readonly<Record<string, string>>;
  readonly chosen: string;
}

/** Parts of a page, each with an address. */
export const Tabs = ({ label, tabs, chosen }: TabsProps): ReactNode => (
  <nav className="tabs" aria-label={label}>
    {Object.entries(tabs).map(([name, title], index) => (
      <Link
        key={name}
        to="."
        search={() => (index === 0 ? {} : { tab: name })}
        aria-current={name === chosen ? 'page' : undefined}
        // The first one has no name in the address, which would be the beginning of all others.
        activeOptions={{ exact: true }}
      >
        {title}
      </Link>
    ))}
  </nav>
);
