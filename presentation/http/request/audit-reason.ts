import { PRINTABLE } from '../../../domain/printable.ts';
import { ValidationError } from '../../../domain/validation-error.ts';
import type { HttpRequest } from './http-locals.ts';

/** Why something is asked for. The audit trail keeps it. Decision 0052. */
export const REASON_HEADER = 'Audit-Reason';
export const MAX_REASON_LENGTH = 500;

/**
 * The reason that a request gives: UTF-8, percent-encoded where a header cannot hold it.
 *
 * @returns undefined when it gives none
 * @throws {ValidationError}
 */
export const reasonOf = ({ headers }: Pick<HttpRequest, 'headers'>): string | undefined => {
  // Node joins several fields of one name by commas.
  const field = headers['audit-reason'];
  if (typeof field !== 'string' || field.trim() === '') return undefined;
  const reason = decode(field.trim());
  if (reason !== null && reason.length <= MAX_REASON_LENGTH && PRINTABLE.test(reason)) return reason;
  throw new ValidationError([{ path: REASON_HEADER, message: RULE }]);
};

const RULE = `must be one line of at most ${MAX_REASON_LENGTH} characters, percent-encoded beyond ASCII`;

const ASCII = /^[\u0020-\u007e]*$/;

const decode = (field: string): string | null => {
  if (!ASCII.test(field)) return null;
  try {
    return decodeURIComponent(field);
  } catch {
    return null;
  }
};
