import { errorStatus } from './error-status.ts';
import type { Failure, FailureExtension } from './failure.ts';

/** The body of an answer that reports a failure (RFC 9457). */
interface Problem extends FailureExtension {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly request_id: string;
}

/** Repeats nothing of the request but its id. */
export const problemOf = ({ code, detail, extension }: Failure, requestId: string): Problem => {
  const { status, title } = errorStatus(code);
  return {
    type: `urn:mad:problem:${code}`,
    title,
    status,
    detail,
    instance: `urn:mad:request:${requestId}`,
    code,
    request_id: requestId,
    ...extension,
  };
};
