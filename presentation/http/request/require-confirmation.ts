import { ConfirmationRequiredError } from '../../../domain/identity/errors.ts';
import type { Principal } from '../../../domain/identity/principal.ts';
import { held, type Step } from './http-locals.ts';

const GOOD_FOR_SECONDS = 5 * 60;

/**
 * Passes a browser's session in which the password was given a short time ago, and every other token: that of a program says
 * nothing of a password. Decision 0052.
 *
 * @throws {ConfirmationRequiredError}
 */
export const assertConfirmed = ({ authTime }: Principal): void => {
  if (authTime !== undefined && Date.now() / 1000 - authTime > GOOD_FOR_SECONDS)
    throw new ConfirmationRequiredError();
};

export const requireConfirmation: Step = (_req, res) => assertConfirmed(held(res.locals, 'principal'));
