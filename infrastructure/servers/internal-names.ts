import { randomUUID } from 'node:crypto';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';

/** What the databases and roles of the service's own are for: the first part of their names. */
const KINDS = ['template', 'build', 'spare', 'check', 'rows', 'orphan', 'retired'] as const;
type InternalKind = (typeof KINDS)[number];

export const templateName = (urls: ResultsUrlTemplate, hash: string): string =>
  nameOf(urls, 'template', hash);

/** A template that is not whole yet. */
export const buildName = (urls: ResultsUrlTemplate, hash: string): string => nameOf(urls, 'build', hash);

export const spareName = (urls: ResultsUrlTemplate, spareId: string): string =>
  nameOf(urls, 'spare', digitsOf(spareId));

/** Different each time. The next check drops what this one leaves. */
export const checkName = (urls: ResultsUrlTemplate): string => nameOf(urls, 'check', digitsOf(randomUUID()));

/** The role that a database's organization uses. */
export const roleName = (urls: ResultsUrlTemplate, stamp: string): string =>
  nameOf(urls, 'rows', digitsOf(stamp));

export const groupRoleName = (urls: ResultsUrlTemplate): string => nameOf(urls, 'rows', 'all');

/**
 * For a database that is put aside with its data.
 *
 * @param id a UUID; what is repeated under the same one finds what it did before
 */
export const quarantineName = (urls: ResultsUrlTemplate, why: 'orphan' | 'retired', id: string): string =>
  // As long as fits beside the longest names that the template of names allows.
  nameOf(urls, why, digitsOf(id, 11));

/** What a database of this name is for, and which one; null for one that is not the service's own. */
export const readInternalName = (
  urls: ResultsUrlTemplate,
  databaseName: string,
): { readonly kind: InternalKind; readonly id: string } | null => {
  const label = urls.internalLabelOf(databaseName) ?? '';
  const kind = KINDS.find((known) => label.startsWith(`${known}.`));
  return kind === undefined ? null : { kind, id: label.slice(kind.length + 1) };
};

const nameOf = (urls: ResultsUrlTemplate, kind: InternalKind, id: string): string =>
  urls.internalName(`${kind}.${id}`);

const digitsOf = (uuid: string, count = 12): string => uuid.replaceAll('-', '').slice(0, count);
