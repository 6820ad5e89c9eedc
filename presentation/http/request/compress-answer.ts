import compression from 'compression';
import type { HttpRequest, HttpResponse, Middleware } from './http-locals.ts';

/** Compressing less costs more than it saves. */
const THRESHOLD_BYTES = 8 * 1024;

// It reads headers, which Express's own types of a request have as well.
const compress = compression({ threshold: THRESHOLD_BYTES }) as unknown as Middleware;

/** Compresses what is sent from here on, if the client takes that and the answer is long. */
export const compressAnswer = (req: HttpRequest, res: HttpResponse): void => {
  compress(req, res, () => undefined);
};
