import { join } from 'node:path';
import { findEmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts';
import type { Environment } from '../config/environment-reader.ts';
import {
  LOCAL_DATA,
  localDefaults,
  NO_SERVER,
  prepareLocalStart,
  withoutEmpty,
  type LocalStart,
} from './local-start.ts';

/**
 * For a command that works beside the service: where `prepareLocalStart` would start a database server, the one that
 * a running service keeps on the same data is used, if there is one. Otherwise the same.
 */
export const prepareLocalCommand = async (environment: Environment): Promise<LocalStart> => {
  const given = withoutEmpty(environment);
  if (given['DB_DATABASE_URL'] !== undefined) return prepareLocalStart(environment);
  const url = await findEmbeddedPostgres(join(LOCAL_DATA, 'postgres'));
  if (url === undefined) return prepareLocalStart(environment);
  return {
    environment: { ...(await localDefaults(url)), ...given },
    ...NO_SERVER,
  };
};
