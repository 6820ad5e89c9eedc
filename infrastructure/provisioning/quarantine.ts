import type { ResultsUrlTemplate } from '../database/results-url-template.ts';

/** As long as fits beside the longest names that the template of names allows. */
const DIGITS = 11;

/**
 * A name for a database that is put aside with its data: no organization's, and another one for each `id`.
 *
 * @param id a UUID; what is repeated under the same one finds what it did before
 */
export const quarantineName = (urls: ResultsUrlTemplate, why: 'orphan' | 'retired', id: string): string =>
  urls.internalName(`${why}.${id.replaceAll('-', '').slice(0, DIGITS)}`);
