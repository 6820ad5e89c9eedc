import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { errorCodesOf } from '../../presentation/http/docs/open-api-document.ts';
import type { Route } from '../../presentation/http/routing/route.ts';
import { TEST_JWT_SECRET } from './deployment.ts';
import { PROBLEM_FIELDS, STATUS_OF_CODE } from './http-contract.ts';
import type { CallOptions, Method, Reply } from './send.ts';

interface Asked {
  readonly method: Method;
  readonly path: string;
  readonly options: CallOptions;
  readonly routes: readonly Route[];
  readonly organizations: readonly string[];
}

/** What no client may read: stacks, files, SQL, servers, database names, keys. */
const LEAKS = [
  /\bat .+:\d+/,
  /node_modules|node:internal|\.[jt]s\b/,
  /\b(?:select|insert into|delete from|update \w+ set|relation|constraint|syntax error)\b/i,
  /postgres|knex|\bpg_|SQLSTATE/i,
  /127\.0\.0\.1|localhost|ECONN|:\/\//i,
  /\bt[0-9a-f]{8}_/,
];

/** Every reply of every test: as its route is documented, and errors as the contract says. */
export const checkReply = (reply: Reply<unknown>, asked: Asked): void => {
  const { method, path, routes } = asked;
  const route = routeOf(routes, method, path);
  const isReadiness = route?.path === '/ready';
  if (reply.status >= 400 && !isReadiness) checkProblem(reply, asked, route);
  if (reply.status < 400 || isReadiness) checkSuccess(reply, asked, route);
};

const checkSuccess = (reply: Reply<unknown>, { method, path }: Asked, route: Route | undefined): void => {
  expect(reply.headers['x-request-id'], `X-Request-Id of ${method} ${path}`).to.be.a('string');
  if (route === undefined || method === 'HEAD') return;
  const documented = route.replies[reply.status];
  expect(documented, `${method} ${path} answers ${reply.status}, which is not documented`).to.exist;
  const problem = documented?.schema?.safeParse(reply.body).error;
  expect(problem?.message, `the reply of ${method} ${path} is not as documented`).to.equal(undefined);
};

const checkProblem = (reply: Reply<unknown>, asked: Asked, route: Route | undefined): void => {
  const { method, path, options } = asked;
  const what = `${method} ${path} → ${reply.status} ${reply.text}`;
  expect(reply.headers['content-type'], what).to.match(/^application\/problem\+json\b/);
  const sentId = options.headers?.['X-Request-Id'];
  if (sentId !== undefined) expect(reply.headers['x-request-id'], what).to.equal(sentId);
  if (method === 'HEAD') return;
  const body = fieldsOf(reply.body);
  const code = String(body['code']);
  expect(Object.keys(body), what).to.have.members([
    ...PROBLEM_FIELDS,
    ...(code === 'validation_failed' ? ['errors'] : []),
    ...(code === 'organization_choice_required' ? ['organizations'] : []),
  ]);
  expect(STATUS_OF_CODE[code], `${what}: an unknown code`).to.equal(reply.status);
  expect(body['status'], what).to.equal(reply.status);
  expect(body['request_id'], what).to.equal(reply.headers['x-request-id']);
  expect(reply.status, what).not.to.equal(500);
  if (reply.status === 401) expect(reply.headers['www-authenticate'], what).to.be.a('string');
  if (reply.status === 405) expect(reply.headers['allow'], what).to.be.a('string');
  if (reply.status === 429 || reply.status === 503)
    expect(reply.headers['retry-after'], what).to.match(/^\d+$/);
  // A path with a bad escape leads to no route, although it looks like one.
  if (route !== undefined && code !== 'not_found') {
    expect([...errorCodesOf(route)], `${what}: not documented`).to.include(code);
  }
  for (const leak of LEAKS) expect(reply.text, what).not.to.match(leak);
  expect(reply.text, what).not.to.include(TEST_JWT_SECRET);
  // To whom proved to be a user, and to nobody else, the answer names that user's own organizations.
  const names = code === 'organization_choice_required' ? [] : foreignNames(asked);
  for (const name of names) expect(reply.text, `${what}: a foreign name`).not.to.include(name);
};

const fieldsOf = (body: unknown): Readonly<Record<string, unknown>> =>
  typeof body === 'object' && body !== null ? { ...body } : {};

/** A platform administrator may read every name, everyone else that of the own organization. */
const foreignNames = ({ options, organizations }: Asked): readonly string[] => {
  const claims = jwt.decode(options.token ?? '', { json: true });
  if (claims !== null && claims['org_id'] === undefined) return [];
  return organizations.filter((name) => name !== claims?.['org_id']);
};

/** The route that serves this path, if there is one. Its parameters never hold a slash. */
const routeOf = (routes: readonly Route[], method: Method, path: string): Route | undefined => {
  const [plain = ''] = path.split('?');
  // A path without parameters stands before one that would take its last word for one: `/users/me`.
  const literal = routes.filter((route) => route.path === plain);
  return (literal.length > 0 ? literal : routes).find(
    (route) =>
      (route.method.toUpperCase() === method || (method === 'HEAD' && route.method === 'get')) &&
      new RegExp(`^${route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain),
  );
};
