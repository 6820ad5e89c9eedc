import { problemOf, unreachable } from './api/problem-error.ts';
import { noteServerTime } from './clock.ts';
import { API_BASE } from './places.ts';
import { Store, useStore } from './store.ts';

/** Whom the pages act for: `null` is the platform, else an organization. */
export type Context = string | null;

export interface Person {
  readonly userId: string | null;
  readonly email: string;
  readonly platformAdmin: boolean;
  readonly memberships: readonly { readonly org_id: string; readonly roles: readonly string[] }[];
  /** By a token of a link that the start or the demo printed. It ends, and nothing renews it. */
  readonly byStartLink: boolean;
}

type Session =
  | { readonly state: 'unknown' }
  | { readonly state: 'out'; readonly over: boolean }
  | { readonly state: 'in'; readonly person: Person }
  /** Somebody is logged in, and the address is a printed link for somebody else. */
  | { readonly state: 'asked'; readonly present: Person; readonly offered: Person; readonly token: string }
  | { readonly state: 'unreachable'; readonly error: Error };

const session = new Store<Session>({ state: 'unknown' });
export const useSession = (): Session => useStore(session);

/** Of the person whose session it is. @throws {Error} outside the pages that are shown to people who are logged in */
export const usePerson = (): Person => {
  const now = useSession();
  if (now.state !== 'in') throw new Error('nobody is logged in');
  return now.person;
};

interface Token {
  readonly text: string;
  readonly endsAtMs: number;
}

/** Access tokens live here and nowhere else. A tab has one for each organization that it shows. */
const tokens = new Map<Context, Promise<Token>>();
/** A token that ends sooner than this is not used any more. */
const MARGIN_MS = 20_000;

const START_TOKEN = 'mad.operator';
/**
 * Who logged in here, by id. Another site of the same domain can set our cookie, and have somebody act in an account that is not
 * theirs; it cannot write here. A cookie of anybody else's session is not used.
 */
const LOGGED_IN = 'mad.person';

/** Sends a request to the routes that read the cookie; no other route does. */
const askSession = async (method: string, path: string, body?: object): Promise<Response> => {
  const response = await fetch(`${API_BASE}/console/session${path}`, {
    method,
    credentials: 'same-origin',
    ...(body !== undefined && {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  }).catch((error: unknown) => {
    throw unreachable(error);
  });
  noteServerTime(response.headers);
  return response;
};

/** Finds out who uses the page. A printed link replaces nobody who is logged in, unless that person says so. */
export const beginSession = async (): Promise<void> => {
  const token = tokenOfLink();
  try {
    const present = await personPresent();
    if (token === null) return session.set(present === null ? OUT : { state: 'in', person: present });
    const offered = bearerOf(token);
    if (present === null || present.email === offered.email) takeLink(token);
    else session.set({ state: 'asked', present, offered, token });
  } catch (error) {
    session.set({ state: 'unreachable', error: error instanceof Error ? error : new Error(String(error)) });
  }
};

const OUT: Session = { state: 'out', over: false };

/** In this tab alone: nobody is logged out. */
export const takeLink = (token: string): void => {
  sessionStorage.setItem(START_TOKEN, token);
  session.set({ state: 'in', person: bearerOf(token) });
};

export const staySelf = (present: Person): void => session.set({ state: 'in', person: present });

/** By the link that this tab was opened with, or else by the cookie. */
const personPresent = async (): Promise<Person | null> => {
  const kept = keptStartToken();
  if (kept !== null) return bearerOf(kept);
  const loggedIn = localStorage.getItem(LOGGED_IN);
  if (loggedIn === null) return null;
  const response = await askSession('GET', '');
  if (response.status === 401) return null;
  if (!response.ok) throw await problemOf(response);
  const person = await personIn(response);
  return person.userId === loggedIn ? person : null;
};

const LINK = /^#(?:operator|member)=([\w.-]+)$/;

/** A fragment is never sent. It is taken off the address at once, so that it is in no bookmark and no screenshot. */
const tokenOfLink = (): string | null => {
  const [, token = null] = LINK.exec(location.hash) ?? [];
  if (token !== null) history.replaceState(null, '', location.pathname + location.search);
  return token;
};

const keptStartToken = (): string | null => {
  const kept = sessionStorage.getItem(START_TOKEN);
  if (kept === null || endOf(kept) > Date.now()) return kept;
  sessionStorage.removeItem(START_TOKEN);
  return null;
};

/** A link that is opened in this tab loads no page; somebody who logs in in another tab replaces the cookie of all of them. */
export const watchSession = (): void => {
  addEventListener('hashchange', () => LINK.test(location.hash) && beginAnew());
  addEventListener('storage', ({ key }) => key === LOGGED_IN && keptStartToken() === null && beginAnew());
};

const beginAnew = (): void => {
  tokens.clear();
  session.set({ state: 'unknown' });
  void beginSession();
};

interface Claims {
  readonly exp?: number;
  readonly org_id?: string;
  readonly roles?: readonly string[];
}

/** Empty for one that cannot be read. The service decides what a token is good for; this only says what to show. */
const claimsOf = (token: string): Claims => {
  try {
    // As the service makes it.
    return JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))) as Claims;
  } catch {
    return {};
  }
};

const endOf = (token: string): number => (claimsOf(token).exp ?? 0) * 1000;

/** Who holds a token of a printed link: an operator, or a member of one organization. */
const bearerOf = (token: string): Person => {
  const { org_id: organizationId, roles = [] } = claimsOf(token);
  const isMember = organizationId !== undefined;
  return {
    userId: null,
    email: isMember ? `${roles.join(', ')} of ${organizationId}` : 'operator',
    platformAdmin: !isMember,
    memberships: isMember ? [{ org_id: organizationId, roles }] : [],
    byStartLink: true,
  };
};

interface SessionBody {
  readonly user: { readonly user_id: string; readonly email: string };
  readonly platform_admin: boolean;
  readonly memberships: Person['memberships'];
}

const personIn = async (response: Response): Promise<Person> => {
  // As the schema of the route says; it is not in the types of the API's client, which has no cookies.
  const { user, platform_admin, memberships } = (await response.json()) as SessionBody;
  return {
    userId: user.user_id,
    email: user.email,
    platformAdmin: platform_admin,
    memberships,
    byStartLink: false,
  };
};

interface Login {
  readonly email: string;
  readonly password: string;
  readonly newPassword?: string;
}

/** @throws {ProblemError} */
export const logIn = async ({ email, password, newPassword }: Login): Promise<void> => {
  const given = { email, password, ...(newPassword !== undefined && { new_password: newPassword }) };
  const response = await askSession('POST', '', given);
  if (!response.ok) throw await problemOf(response);
  tokens.clear();
  const answer = await askSession('GET', '');
  if (!answer.ok) throw await problemOf(answer);
  const person = await personIn(answer);
  localStorage.setItem(LOGGED_IN, person.userId ?? '');
  session.set({ state: 'in', person });
};

/** @throws {ProblemError} when the service did not end the session: nobody is told to be logged out whose session goes on */
export const logOut = async (): Promise<void> => {
  const now = session.value;
  if (now.state === 'in' && now.person.byStartLink) sessionStorage.removeItem(START_TOKEN);
  else {
    const response = await askSession('DELETE', '');
    if (!response.ok) throw await problemOf(response);
    localStorage.removeItem(LOGGED_IN);
  }
  tokens.clear();
  session.set(OUT);
};

/** The session is over: whoever is there logs in again, and comes back to the same page. */
export const sessionIsOver = (): void => {
  sessionStorage.removeItem(START_TOKEN);
  tokens.clear();
  session.set({ state: 'out', over: true });
};

/** An access token for one context. Requests at the same moment share it. @throws {ProblemError} */
export const tokenFor = async (context: Context): Promise<string> => {
  const now = session.value;
  if (now.state === 'in' && now.person.byStartLink) return startToken();
  const kept = tokens.get(context);
  if (kept !== undefined) {
    const token = await kept;
    if (token.endsAtMs - MARGIN_MS > Date.now()) return token.text;
    if (tokens.get(context) === kept) tokens.delete(context);
  }
  const made = tokens.get(context) ?? makeToken(context);
  tokens.set(context, made);
  return (await made).text;
};

const startToken = (): string => {
  const kept = keptStartToken();
  if (kept !== null) return kept;
  sessionIsOver();
  return '';
};

/** The next request asks for a new one. */
export const dropToken = (context: Context, text: string): void => {
  const kept = tokens.get(context);
  void kept?.then((token) => token.text === text && tokens.get(context) === kept && tokens.delete(context));
};

const makeToken = async (context: Context): Promise<Token> => {
  try {
    return await tokenIn(await askSession('POST', '/token', { org_id: context }));
  } catch (error) {
    tokens.delete(context);
    throw error;
  }
};

const tokenIn = async (response: Response): Promise<Token> => {
  if (response.status === 401) sessionIsOver();
  if (!response.ok) throw await problemOf(response);
  // As the schema of the route says.
  const body = (await response.json()) as { readonly access_token: string; readonly expires_in: number };
  return { text: body.access_token, endsAtMs: Date.now() + body.expires_in * 1000 };
};

/** Gives the password again, before something that cannot be undone. The token it gives is the next one used. @throws {ProblemError} */
export const confirmPassword = async (context: Context, password: string): Promise<void> => {
  const response = await askSession('POST', '/confirm', { org_id: context, password });
  if (!response.ok) throw await problemOf(response);
  const token = await tokenIn(response);
  tokens.set(context, Promise.resolve(token));
};
