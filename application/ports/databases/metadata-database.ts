import type { AuditLog } from '../../../domain/audit/audit-log.ts';
import type { EventTrail } from '../../../domain/events/event-trail.ts';
import type { IdentityRepository } from '../../../domain/identity/identity-repository.ts';
import type { MemberRepository } from '../../../domain/identity/member-repository.ts';
import type { SessionRepository } from '../../../domain/identity/session-repository.ts';
import type { UserRepository } from '../../../domain/identity/user-repository.ts';
import type { OrganizationRepository } from '../../../domain/organizations/organization-repository.ts';
import type { ServerLedger } from './server-ledger.ts';

export interface MetadataRepositories {
  readonly organizations: OrganizationRepository;
  readonly users: UserRepository;
  readonly members: MemberRepository;
  readonly identities: IdentityRepository;
  readonly sessions: SessionRepository;
  readonly serverLedger: ServerLedger;
  readonly auditLog: AuditLog;
  readonly events: EventTrail;
}

/** What all organizations share. Every method may throw {DatabaseConnectionError}. */
export interface MetadataDatabase extends MetadataRepositories {
  /** Runs `work` on one connection; commits when it resolves, rolls back when it rejects. Never retried. */
  transaction<Result>(work: (repositories: MetadataRepositories) => Promise<Result>): Promise<Result>;
}
