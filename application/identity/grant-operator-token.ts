import type { IssuedToken } from '../ports/identity/tokens.ts';
import type { Ports } from '../ports/ports.ts';
import { OPERATOR } from './issue-operator-token.ts';

/**
 * Gives a person the token of a platform administrator who is no user, and records that in the audit trail.
 *
 * @throws {UnauthenticatedError} when this service issues no tokens
 */
export const grantOperatorToken =
  ({ accessTokens, metadata }: Pick<Ports, 'accessTokens' | 'metadata'>) =>
  async (): Promise<IssuedToken> => {
    const token = accessTokens.issue(OPERATOR);
    await metadata.auditLog.append({
      organizationId: null,
      userId: OPERATOR.userId,
      action: 'operator_token.granted',
      entityType: 'operator_token',
      entityId: OPERATOR.userId,
      details: { expires_in: token.expiresInSeconds },
      requestId: null,
    });
    return token;
  };
