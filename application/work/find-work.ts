import type { WorkHint } from '../../domain/work/work-hint.ts';
import type { Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/** Where there is work for the caller: in the organization of the token, or where a fleet is admitted. */
export const findWork =
  ({ workHints }: Pick<Ports, 'workHints'>) =>
  (
    { principal: { userId, organizationId } }: Actor,
    query: { readonly engines: readonly string[] | null; readonly limit: number },
  ): Promise<readonly WorkHint[]> =>
    workHints.take(organizationId === null ? { fleetId: userId } : { organizationId }, query);
