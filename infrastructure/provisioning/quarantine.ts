import { randomUUID } from 'node:crypto';
import type { ResultsUrlTemplate } from '../database/results-url-template.ts';

/** As long as fits beside the longest names that the template of names allows. */
const RANDOM_DIGITS = 11;

/** A name for a database that is put aside with its data: no organization's, and different each time. */
export const quarantineName = (urls: ResultsUrlTemplate, why: 'orphan' | 'retired'): string =>
  urls.internalName(`${why}.${randomUUID().replaceAll('-', '').slice(0, RANDOM_DIGITS)}`);
