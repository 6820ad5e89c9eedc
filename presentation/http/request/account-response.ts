import type { HttpDependencies } from '../http-dependencies.ts';
import type { Step } from './http-locals.ts';
import { PageReader } from './page-reader.ts';

/** An answer without a list: a resource, which is small or about as large as the body that it was made from. */
const USUAL_BYTES = 8 * 1024;

/**
 * Takes a share of the account of responses for this answer, until the response closes. Runs before the body is read and
 * before anything is queried.
 *
 * @param maxBodyBytes the most of a body that the route reads: what a client announces beyond that counts for nothing
 * @throws {OrganizationBusyError} when too many bytes of answers are under way
 */
export const accountResponse =
  (maxBodyBytes: number, { responses }: Pick<HttpDependencies, 'responses'>): Step =>
  (req, res) => {
    const share = responses.open(res.locals.organizationId ?? '');
    share.reserve(USUAL_BYTES + Math.min(Number(req.headers['content-length'] ?? 0), maxBodyBytes));
    res.on('close', () => share.close());
    res.locals.share = share;
    res.locals.pages = new PageReader(share, { readsRows: req.method !== 'HEAD' });
  };
