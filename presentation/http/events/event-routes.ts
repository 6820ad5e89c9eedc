import { hasAnyRole } from '../../../domain/identity/principal.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { EventStream } from '../request/event-stream.ts';
import { assertServed } from '../request/refuse-suspended.ts';
import { ok } from '../request/reply.ts';
import { activeOrganizationRoute, EVENT_STREAM_TYPE, type Route } from '../routing/route.ts';
import { presentEvent, presentSentEvent } from './event-presenter.ts';
import { eventPage, listRequest } from './event-schema.ts';

export const eventRoutes = (deps: HttpDependencies): readonly Route[] => [listEventsRoute(deps)];

const listEventsRoute = (deps: HttpDependencies): Route =>
  activeOrganizationRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: '/organizations/{org_id}/events',
    name: 'listEvents',
    summary: 'List what happened to jobs, oldest first, or follow it as server-sent events',
    tag: 'events',
    request: listRequest,
    compress: true,
    replies: {
      200: {
        description: 'One page; as `text/event-stream` what has happened and happens, until the token ends',
        schema: eventPage,
        otherContentType: EVENT_STREAM_TYPE,
      },
    },
    errors: ['too_many_streams'],
    handle: async ({ organizationId, input, pages, bearer, prefersEvents }) => {
      const { events } = deps.metadata;
      const { types, limit, after } = input.query;
      if (prefersEvents) {
        await deps.getOrganization(organizationId);
        const mayRead = mayReadEvents(deps, organizationId, bearer);
        const request = { after: input.headers['Last-Event-ID'] ?? after, types, mayRead };
        const open = () => deps.eventStreams.open(organizationId, request);
        return ok(new EventStream({ open, present: presentSentEvent, mayRead }));
      }
      const from = after === 'latest' ? await events.latestPosition(organizationId) : after;
      const { items } = await pages.read({ limit, cursor: null }, async () => ({
        items: await events.list(organizationId, { after: from, types, limit }),
        next: null,
      }));
      const last = items.at(-1);
      if (last !== undefined) return ok({ items: items.map(presentEvent), next_after: last.position });
      const latest = after === 'latest' ? from : await events.latestPosition(organizationId);
      // Each organization's trail begins with its registration. One without entries may belong to an unknown organization.
      if (latest === 0) await deps.getOrganization(organizationId);
      // A position that the trail has not reached is one of before it was restored.
      return ok({ items: [], next_after: Math.min(from, latest) });
    },
  });

/** Whether a new request of the caller would be served at this moment. */
const mayReadEvents =
  (deps: HttpDependencies, organizationId: OrganizationId, bearer: string) => async (): Promise<boolean> => {
    try {
      await assertServed(deps, organizationId);
      const principal = await deps.verifyToken(bearer);
      return principal.organizationId === organizationId && hasAnyRole(principal, ORGANIZATION_ROLES);
    } catch {
      return false;
    }
  };
