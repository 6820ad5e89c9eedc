import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

/** What stands after `?` in an address: texts by name. */
export type RawSearch = Readonly<Record<string, unknown>>;

export const textIn = (raw: RawSearch, name: string): string | undefined => {
  const value = raw[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

export const oneOf = <Value extends string>(
  raw: RawSearch,
  name: string,
  values: readonly Value[],
): Value | undefined => values.find((value) => value === raw[name]);

export const numberIn = (raw: RawSearch, name: string): number | undefined => {
  const value = Number(textIn(raw, name) ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
};

/**
 * A page's filters, which stand in its address, and how to change some of them: from then on the page begins at its first
 * rows. A name that is set to undefined leaves the address.
 *
 * @param read takes from an address what the page knows
 */
export const useSearchOf = <Search extends object>(
  read: (raw: RawSearch) => Search,
): readonly [Search, (change: Partial<Search>) => void] => {
  const raw: RawSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = useCallback(
    (changed: Partial<Search>) =>
      void navigate({
        to: '.',
        search: (now: object) => ({ ...now, after: undefined, ...changed }),
        replace: true,
      }),
    [navigate],
  );
  return [read(raw), change];
};

/** Plain texts: an address is read by people too. */
export const parseSearch = (search: string): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(search));

export const stringifySearch = (search: object): string => {
  const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
};
