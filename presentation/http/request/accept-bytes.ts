import { FileTooLargeError } from '../../../domain/files/errors.ts';
import { HttpError } from '../errors/http-error.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Step } from './http-locals.ts';
import { expectsContinue } from './parse-body.ts';

/** Stands for the bytes of a body that are on their way to the store. */
const STREAM_BYTES = 256 * 1024;
/** What a form adds to its files. */
const FORM_BYTES = 64 * 1024;

/**
 * Lets a body of bytes come, which the handler reads. Other deadlines hold for it than for a document.
 *
 * @throws {FileTooLargeError} before any of it is read, when its announced length says so
 */
export const acceptBytes =
  ({ options }: Pick<HttpDependencies, 'options'>): Step =>
  (req, res) => {
    if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
      throw new HttpError('unsupported_media_type', 'The body must not be compressed.');
    const length = Number(req.headers['content-length'] ?? 0);
    if (length > options.maxFileBytes + FORM_BYTES) throw new FileTooLargeError(options.maxFileBytes);
    res.locals.share?.reserve(STREAM_BYTES);
    res.locals.streams = true;
    if (expectsContinue(req)) res.writeContinue();
  };
