import { closest, distance } from 'fastest-levenshtein';
import type { Environment } from './environment-reader.ts';
import { VARIABLES } from './variables.ts';

/** A variable that is set and that nobody reads. */
export interface UnknownVariable {
  readonly name: string;
  /** The known name that is nearest. */
  readonly meant: string;
}

const prefixOf = (name: string): string => name.slice(0, name.indexOf('_')).toUpperCase();

const KNOWN = Object.keys(VARIABLES);
const KNOWN_NAMES: ReadonlySet<string> = new Set(KNOWN);
/** Beginnings of names that stand for one variable for each server. */
const FAMILIES = KNOWN.filter((name) => name.endsWith('<NAME>')).map((name) => name.replace('<NAME>', ''));

/** Other programs have variables with these beginnings as well. */
const SHARED_PREFIXES: ReadonlySet<string> = new Set(['NODE', 'LOG', 'OTEL', 'TEST']);
const PREFIXES: ReadonlySet<string> = new Set(
  KNOWN.filter((name) => name.includes('_'))
    .map(prefixOf)
    .filter((prefix) => !SHARED_PREFIXES.has(prefix)),
);

/** A name without one of our prefixes counts as mistyped up to this many characters from a known one. */
const MAX_TYPOS = 2;

/** Names that were probably meant for this service: one of its prefixes, or nearly one of its names. */
export const unknownVariables = (environment: Environment): readonly UnknownVariable[] =>
  Object.keys(environment)
    .filter((name) => environment[name] !== undefined && name.includes('_') && !isKnown(name))
    .map((name) => ({ name, meant: closest(name.toUpperCase(), KNOWN) }))
    .filter(
      ({ name, meant }) =>
        PREFIXES.has(prefixOf(name)) ||
        (meant.includes('_') && distance(name.toUpperCase(), meant) <= MAX_TYPOS),
    );

const isKnown = (name: string): boolean =>
  KNOWN_NAMES.has(name) || FAMILIES.some((family) => name.startsWith(family) && name.length > family.length);
