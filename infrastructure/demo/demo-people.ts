import { createHmac } from 'node:crypto';
import type { MetadataDatabase } from '../../application/ports/metadata-database.ts';
import type { Passwords } from '../../application/ports/passwords.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import { parseOrganizationId } from '../../domain/organizations/organization-id.ts';

export interface Person {
  readonly email: string;
  readonly password: string;
  readonly organizationId: string;
  readonly role: OrganizationRole;
}

/** A person with a password that is the same in every run and that nobody outside this deployment can know. */
export const demoPerson = (secret: string, organizationId: string, role: OrganizationRole): Person => {
  const email = `${role}@${organizationId}.example`;
  return {
    email,
    password: createHmac('sha256', secret).update(`password of ${email}`).digest('base64url'),
    organizationId,
    role,
  };
};

/**
 * Makes the person's user and membership unless they are there. Straight in the metadata database: through the API the
 * person would have to choose a password of their own first.
 */
export const enrol = async (
  person: Person,
  metadata: MetadataDatabase,
  passwords: Passwords,
  maxOrganizationIdLength: number,
): Promise<void> => {
  const passwordHash = await passwords.hash(person.password);
  await metadata.transaction(async ({ users }) => {
    const { userId } = await users.ensureUser({ email: person.email, passwordHash, platformAdmin: false });
    await users.setMembership(userId, {
      organizationId: parseOrganizationId(person.organizationId, maxOrganizationIdLength),
      roles: [person.role],
    });
  });
};
