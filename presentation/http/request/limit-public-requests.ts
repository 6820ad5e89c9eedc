import type { HttpDependencies } from '../http-dependencies.ts';
import type { Step } from './http-locals.ts';

/** Counts a request of somebody unknown before its body is read. @throws {TooManyAttemptsError} Decision 0035. */
export const limitPublicRequests =
  ({ requestLimits }: Pick<HttpDependencies, 'requestLimits'>): Step =>
  (_req, res) => {
    requestLimits.countPublic(res.locals.address ?? 'unknown');
  };
