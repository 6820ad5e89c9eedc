import type { AuditEvent } from '../../domain/audit/audit-log.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';
import type { DeniedAccessWindows, DeniedAttempt } from './denied-access-windows.ts';

/** Longest claim of another organization's name that is worth keeping. */
const MAX_ASKED_LENGTH = 63;

type DeniedAccessPorts = Pick<Ports, 'metadata' | 'logger' | 'now'> & {
  /** One for all requests of the process. */
  readonly windows: DeniedAccessWindows;
};

/**
 * Writes a refused attempt on another organization into the audit trail: of the caller's own organization, or of the
 * platform when the caller has none. The attempts of a caller who keeps trying are counted, so that nobody fills the
 * trail at will. The refusal stands when the trail cannot be written: that is logged instead.
 */
export const recordDeniedAccess =
  (ports: DeniedAccessPorts) =>
  async (actor: Actor, attempt: DeniedAttempt): Promise<void> => {
    await summarizeDeniedAccess(ports)({ all: false });
    if (!ports.windows.count(actor.principal, attempt, ports.now())) return;
    await append(ports, {
      ...causedBy(actor),
      organizationId: actor.principal.organizationId,
      action: 'organization.access_denied',
      entityId: attempt.asked.slice(0, MAX_ASKED_LENGTH),
      details: { source: attempt.source, route: attempt.route },
    });
  };

/** Writes down what was counted in minutes that are over; with `all` also in those that are not. Never rejects. */
export const summarizeDeniedAccess =
  (ports: DeniedAccessPorts) =>
  async ({ all }: { readonly all: boolean }): Promise<void> => {
    // Taken out before anything is awaited: a refusal meanwhile counts into the next minute.
    for (const { last, ...summary } of ports.windows.take(ports.now(), { all })) {
      await append(ports, {
        organizationId: summary.organizationId,
        userId: summary.userId,
        action: 'organization.access_denied_repeatedly',
        entityId: last.asked.slice(0, MAX_ASKED_LENGTH),
        details: {
          refusals_not_listed: summary.refusals,
          since: summary.since.toISOString(),
          until: new Date(ports.now()).toISOString(),
          last_route: last.route,
        },
        requestId: null,
        address: null,
      });
    }
  };

const append = async (
  { metadata, logger }: DeniedAccessPorts,
  event: Omit<AuditEvent, 'entityType'>,
): Promise<void> => {
  try {
    await metadata.auditLog.append({ ...event, entityType: 'organization' });
  } catch (error) {
    logger.write('request.denial_unrecorded', { err: error, action: event.action });
  }
};
