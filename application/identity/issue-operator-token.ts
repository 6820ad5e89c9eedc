import type { Ports } from '../ports/ports.ts';

/**
 * A token of a platform administrator who is no user: for the person who starts the service, and so holds its secret.
 *
 * @throws {UnauthenticatedError} when this service issues no tokens
 */
export const issueOperatorToken =
  ({ accessTokens }: Pick<Ports, 'accessTokens'>) =>
  (): string =>
    accessTokens.issue({ userId: 'operator', organizationId: null, roles: new Set(['platform_admin']) })
      .accessToken;
