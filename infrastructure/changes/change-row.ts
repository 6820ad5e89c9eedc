import type { Change } from '../../application/ports/runtime/change-feed.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** A row that a trigger wrote. The kind decides which columns are filled. */
export interface ChangeRow {
  readonly kind: Change['kind'];
  /** `parseOrganizationId` checked it before it was written. */
  readonly org_id: OrganizationId | null;
  readonly user_id: string | null;
}

/** @throws {Error} when a column that the row's kind needs is null */
export const changesFrom = (rows: readonly ChangeRow[]): readonly Change[] => rows.map(toChange);

const toChange = ({ kind, org_id: organizationId, user_id: userId }: ChangeRow): Change => {
  switch (kind) {
    case 'organization':
    case 'settings':
    case 'placement':
      return { kind, organizationId: present(organizationId) };
    case 'member':
      return { kind, organizationId: present(organizationId), userId: present(userId) };
    case 'user':
      return { kind, userId: present(userId) };
  }
};

const present = <Value>(value: Value | null): Value => {
  if (value === null) throw new Error('a change does not say what it is about');
  return value;
};
