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
    logger.warn({ err: error }, 'it is not known whether a platform administrator exists'),
  );
  tellWhoIsBehind(parts).catch((error: unknown) =>
    logger.warn({ err: error }, 'it is not known which organizations are behind'),
  );
};

/** Does for an embedded start what operators do elsewhere. */
export const serveWithoutOperators = async (parts: DutyParts, { rotation }: LocalDuties): Promise<void> => {
  if (rotation !== null) await replacePasswords(parts, rotation);
  await migrateOrganizations(parts);
  await tellWhoIsBehind(parts);
};

const tellWithoutAdministrator = async ({ metadata, logger }: DutyParts): Promise<void> => {
  if (await metadata.users.hasPlatformAdministrator()) return;
  logger.warn(
    {},
    'no platform administrator exists: set BOOTSTRAP_ADMIN_EMAIL and BOOTSTRAP_ADMIN_PASSWORD, or see "npx mad users create-admin"',
  );
};

/** A release serves older schemas for a while; an operator has to know that it should not be for long. */
const tellWhoIsBehind = async ({ schemaGuard, fleetOperator, logger }: DutyParts): Promise<void> => {
  const target = await fleetOperator.target({});
  const { below, above, behind } = await schemaGuard.survey(target);
  const facts = { schema_version: target };
  if (below > 0)
    logger.error(
      { organizations: below, ...facts },
      'organizations are not served until "npx mad migrate run"',
    );
  if (above > 0)
    logger.error(
      { organizations: above, ...facts },
      'organizations are not served: their databases belong to a newer release',
    );
  if (behind > 0)
    logger.warn(
      { organizations: behind, ...facts },
      'organizations are behind this release: see "npx mad migrate plan"',
    );
};

/** Gives organizations' roles passwords from the secret that replaces a lost one. What fails is tried at the next start. */
const replacePasswords = async (
  { config, rotateCredentials, logger }: DutyParts,
  rotation: NonNullable<LocalDuties['rotation']>,
): Promise<void> => {
  logger.warn(
    {},
    'the secrets were lost and are made anew: earlier tokens are refused, roles get new passwords',
  );
  if (config.database.roles !== null) {
    const { failures } = await rotateCredentials();
    if (failures.length > 0) {
      logger.error({ failures }, 'roles have kept passwords from secrets that were lost');
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
    logger.info({ organizations: items.length }, "migrating organizations' databases");
    const { status } = await fleetOperator.run(
      { ...EVERY_ORGANIZATION, errorBudget: { percent: 100 } },
      { concurrency: config.database.migration.concurrency },
    );
    logger.info({ ...status?.counts }, "organizations' databases migrated");
  } catch (error) {
    logger.error({ err: error }, "organizations' databases could not be migrated");
  }
};
