import { API_BASE } from '../places.ts';
import { dropToken, tokenFor, type Context } from '../session.ts';
import type { Schemas } from './client.ts';
import { problemOf, unreachable } from './problem-error.ts';

export interface SendOptions {
  readonly signal: AbortSignal;
  /** @param share of the bytes that are sent, from 0 to 1 */
  readonly onProgress: (share: number) => void;
}

/** Sends a file, and says how far it is, which `fetch` cannot. @throws {ProblemError} @throws the signal's reason */
export const sendFile = async (
  context: Context,
  file: File,
  options: SendOptions,
): Promise<Schemas['File']> => {
  const token = await tokenFor(context);
  let response = await post(file, token, options);
  if (response.status === 401) {
    // The same bytes are the same file: sending them again is safe.
    dropToken(context, token);
    response = await post(file, await tokenFor(context), options);
  }
  if (!response.ok) throw await problemOf(response);
  // As the schema of the route says: one file in, one file out.
  return (await response.json()) as Schemas['File'];
};

const post = (file: File, token: string, { signal, onProgress }: SendOptions): Promise<Response> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    signal.addEventListener('abort', abort);
    request.upload.addEventListener('progress', ({ loaded, total }) =>
      onProgress(total === 0 ? 1 : loaded / total),
    );
    request.addEventListener('load', () => {
      const type = request.getResponseHeader('Content-Type') ?? '';
      resolve(
        new Response(request.responseText, { status: request.status, headers: { 'Content-Type': type } }),
      );
    });
    request.addEventListener('error', () => reject(unreachable(new Error('the connection failed'))));
    // A reason is the error that was given to `abort`, or a DOMException.
    request.addEventListener('abort', () => reject(signal.reason as Error));
    request.addEventListener('loadend', () => signal.removeEventListener('abort', abort));
    request.open('POST', `${API_BASE}/files`);
    const pdbqt = file.name.toLowerCase().endsWith('.pdbqt');
    request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.setRequestHeader('Content-Type', pdbqt ? 'chemical/x-pdbqt' : 'application/octet-stream');
    request.setRequestHeader('Content-Disposition', `attachment; filename*=UTF-8''${encoded(file.name)}`);
    request.send(file);
  });

/** As RFC 8187 has it. */
const encoded = (name: string): string =>
  encodeURIComponent(name).replaceAll(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
