import { randomUUID } from 'node:crypto';
import type { SpareDatabase } from '../../application/ports/databases/provisioning-ledger.ts';
import type { TemplateRecord } from '../../application/ports/databases/spare-ledger.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import { spareName } from '../servers/internal-names.ts';

/** A spare that is yet to be built, under a name that no organization can have. */
export const newSpare = (
  urls: ResultsUrlTemplate,
  { hash, schemaVersion }: Pick<TemplateRecord, 'hash' | 'schemaVersion'>,
): SpareDatabase => {
  const spareId = randomUUID();
  return { spareId, databaseName: spareName(urls, spareId), templateHash: hash, schemaVersion };
};
