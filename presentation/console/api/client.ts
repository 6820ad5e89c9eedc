import createClient, { type Client } from 'openapi-fetch';
import { createContext, use } from 'react';
import { noteServerTime } from '../clock.ts';
import { API_BASE } from '../places.ts';
import { dropToken, sessionIsOver, tokenFor, type Context } from '../session.ts';
import { problemOf, unreachable } from './problem-error.ts';
import type { components, paths } from './schema.d.ts';

export type Api = Client<paths>;
export type Schemas = components['schemas'];

/** Sends a request with a token of one context. After a 401 it tries once more with a new one, where that is safe. */
const fetchAs =
  (context: Context) =>
  async (request: Request): Promise<Response> => {
    const again = isRepeatable(request) ? request.clone() : null;
    const token = await tokenFor(context);
    const response = await sendWith(request, token);
    if (response.status !== 401) return checked(response);
    dropToken(context, token);
    if (again === null) throw await problemOf(response);
    const second = await sendWith(again, await tokenFor(context));
    if (second.status === 401) sessionIsOver();
    return checked(second);
  };

const isRepeatable = ({ method, headers }: Request): boolean =>
  method === 'GET' || method === 'HEAD' || headers.has('Idempotency-Key');

const sendWith = async (request: Request, token: string): Promise<Response> => {
  request.headers.set('Authorization', `Bearer ${token}`);
  try {
    const response = await fetch(request);
    noteServerTime(response.headers);
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw unreachable(error);
  }
};

/** @throws {ProblemError} */
const checked = async (response: Response): Promise<Response> => {
  if (response.ok) return response;
  throw await problemOf(response);
};

const clients = new Map<Context, Api>();

/** The API as one context sees it. Whatever is not as it should be is thrown as a `ProblemError`. */
export const apiFor = (context: Context): Api => {
  const kept = clients.get(context);
  if (kept !== undefined) return kept;
  const made = createClient<paths>({
    // The whole address: a `Request` is made of it.
    baseUrl: `${location.origin}${API_BASE}`,
    fetch: fetchAs(context),
    // Cookies are for the session's own routes.
    credentials: 'omit',
  });
  clients.set(context, made);
  return made;
};

/** For what the typed client does not do: bytes, streams, progress. Relative to the API's root. @throws {ProblemError} */
export const fetchIn = (context: Context, path: string, init: RequestInit = {}): Promise<Response> =>
  fetchAs(context)(new Request(`${location.origin}${API_BASE}${path}`, { credentials: 'omit', ...init }));

/** What was answered. @throws {ProblemError} */
export const dataOf = async <Data>(answer: Promise<{ readonly data?: Data }>): Promise<NonNullable<Data>> => {
  const { data } = await answer;
  if (data === undefined || data === null) throw new Error('the answer has no body');
  return data;
};

/** Set by the pages of the fleet (null) and of an organization. */
export const ContextOfPages = createContext<Context>(null);
export const useContextOfPages = (): Context => use(ContextOfPages);
/** The API for the pages that use it. */
export const useApi = (): Api => apiFor(use(ContextOfPages));

/** Without `crypto.randomUUID`, which plain http does not have. */
export const newIdempotencyKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
