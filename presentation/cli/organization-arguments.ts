import { InvalidArgumentError } from 'commander';
import {
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../../domain/organizations/organization-id.ts';
import type { CommandContext } from './command-context.ts';

/** No database's name has more bytes. The configuration may allow fewer: then no organization has an id of this length. */
const MAX_LENGTH = 63;

export const organization = (text: string): OrganizationId => {
  const problem = organizationIdProblem(text, MAX_LENGTH);
  if (problem !== null) throw new InvalidArgumentError(`An organization id ${problem}.`);
  return parseOrganizationId(text, MAX_LENGTH);
};

/** Separated by commas. */
export const organizations = (text: string): readonly OrganizationId[] =>
  text.split(',').map((id) => organization(id.trim()));

/** The options that name organizations. */
interface NamedOrganizations {
  readonly org?: readonly OrganizationId[];
  readonly canary?: readonly OrganizationId[];
}

export interface KnownOrganizations {
  /** @throws {OrganizationNotFoundError} naming those that do not exist */
  assertOrganizations(organizationIds: readonly OrganizationId[]): Promise<void>;
}

/** Opens what a command acts on. A name that is not known ends the command before it begins. */
export const openFor = async <Dependencies extends KnownOrganizations>(
  { open }: Pick<CommandContext<Dependencies>, 'open'>,
  { org = [], canary = [] }: NamedOrganizations,
): Promise<Dependencies> => {
  const deps = await open();
  await deps.assertOrganizations([...org, ...canary]);
  return deps;
};
