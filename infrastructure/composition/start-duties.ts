import type { RotateCredentials } from '../../application/databases/rotate-credentials.ts';
import type { FleetOperator } from '../../application/fleet/fleet-operator.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { Config } from '../config/config.ts';
import type { SchemaGuard } from '../routing/schema-guard.ts';

export interface DutyParts {
  readonly config: Config;
  readonly metadata: MetadataDatabase;
  readonly rotateCredentials: RotateCredentials;
  readonly fleetOperator: FleetOperator;
  readonly schemaGuard: Pick<SchemaGuard, 'survey'>;
  readonly logger: Logger;
}

/** What the start of a service has to do where nobody else operates it. */
export interface LocalDuties {
  /** Null unless organizations' roles need new passwords, as the secrets were lost. */
  readonly rotation: { done(): Promise<void> } | null;
}

const EVERY_ORGANIZATION = { only: null, canaries: 0, waveSize: { percent: 100 } } as const;

/** Says what only an operator can mend, without holding up the start. */
export const tellOperators = (parts: DutyParts): void => {
  const { logger } = parts;
  tellWithoutAdministrator(parts).catch((error: unknown) =>
    logger.write('administrator.unknown', { err: error }),
  );
  tellWhoIsBehind(parts).catch((error: unknown) => logger.write('schema.unknown', { err: error }));
};

/** Does for an embedded start what operators do elsewhere. */
export const serveWithoutOperators = async (parts: DutyParts, { rotation }: LocalDuties): Promise<void> => {
  if (rotation !== null) await replacePasswords(parts, rotation);
  await migrateOrganizations(parts);
  await tellWhoIsBehind(parts);
};

const tellWithoutAdministrator = async ({ metadata, logger }: DutyParts): Promise<void> => {
  if (await metadata.users.hasPlatformAdministrator()) return;
  logger.write('administrator.missing', {});
};

/** A release serves older schemas for a while; an operator has to know that it should not be for long. */
const tellWhoIsBehind = async ({ schemaGuard, fleetOperator, logger }: DutyParts): Promise<void> => {
  const target = await fleetOperator.target({});
  const { below, above, behind } = await schemaGuard.survey(target);
  const facts = { schema_version: target };
  if (below > 0) logger.write('schema.too_old', { organizations: below, ...facts });
  if (above > 0) logger.write('schema.too_new', { organizations: above, ...facts });
  if (behind > 0) logger.write('schema.behind', { organizations: behind, ...facts });
};

/** Gives organizations' roles passwords from the secret that replaces a lost one. What fails is tried at the next start. */
const replacePasswords = async (
  { config, rotateCredentials, logger }: DutyParts,
  rotation: NonNullable<LocalDuties['rotation']>,
): Promise<void> => {
  logger.write('secret.replaced', {});
  if (config.database.roles !== null) {
    const { failures } = await rotateCredentials();
    if (failures.length > 0) {
      logger.write('secret.roles_left', { failures });
      return;
    }
  }
  await rotation.done();
};

/** An organization that fails does not hold up the rest, and is told of like any other that is behind. */
const migrateOrganizations = async ({ config, fleetOperator, logger }: DutyParts): Promise<void> => {
  try {
    const { items } = await fleetOperator.plan(EVERY_ORGANIZATION);
    if (items.length === 0) return;
    logger.write('migration.local_started', { organizations: items.length });
    const { status } = await fleetOperator.run(
      { ...EVERY_ORGANIZATION, errorBudget: { percent: 100 } },
      { concurrency: config.database.migration.concurrency },
    );
    logger.write('migration.local_finished', status === null ? {} : { counts: status.counts });
  } catch (error) {
    logger.write('migration.local_failed', { err: error });
  }
};
