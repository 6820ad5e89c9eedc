import { randomUUID } from 'node:crypto';
import type { SpareDatabase } from '../../application/ports/provisioning-ledger.ts';
import type { TemplateRecord } from '../../application/ports/spare-ledger.ts';
import type { ResultsUrlTemplate } from '../database/results-url-template.ts';

/** A spare that is yet to be built, under a name that no organization can have. */
export const newSpare = (
  urls: ResultsUrlTemplate,
  { hash, schemaVersion }: Pick<TemplateRecord, 'hash' | 'schemaVersion'>,
): SpareDatabase => {
  const spareId = randomUUID();
  const databaseName = urls.internalName(`spare.${spareId.replaceAll('-', '').slice(0, 12)}`);
  return { spareId, databaseName, templateHash: hash, schemaVersion };
};
