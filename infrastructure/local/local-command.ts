import { join } from 'node:path';
import { findEmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts';
import { withoutDriverVariables } from '../config/driver-variables.ts';
import type { Environment } from '../config/environment-reader.ts';
import { readExistingSecrets } from './local-secrets.ts';
import {
  LOCAL_DATA,
  localSettings,
  NO_SERVER,
  prepareLocalStart,
  withoutEmpty,
  type LocalStart,
} from './local-start.ts';

/**
 * Prepares a command that may run beside the service. Uses the embedded server of a running service when there is
 * one, and otherwise does the same as `prepareLocalStart`.
 */
export const prepareLocalCommand = async (environment: Environment): Promise<LocalStart> => {
  const given = withoutEmpty(environment);
  if (given['DB_DATABASE_URL'] !== undefined) return prepareLocalStart(environment);
  const url = await findEmbeddedPostgres(join(LOCAL_DATA, 'postgres'));
  if (url === undefined) return prepareLocalStart(environment);
  return {
    environment: {
      ...localSettings(url, await readExistingSecrets(LOCAL_DATA)),
      ...withoutDriverVariables(given),
    },
    ...NO_SERVER,
  };
};
