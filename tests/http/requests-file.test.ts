import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { listen } from '../../infrastructure/http-server/http-server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { send, type Method } from '../support/send.ts';

interface Step {
  readonly title: string;
  /** Under this name later steps use its answer. */
  readonly name: string | undefined;
  readonly method: Method;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** The steps of a file in the form that editors send. */
const parse = (text: string): readonly Step[] =>
  text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [title = '', ...rest] = part.split('\n');
      const [head = '', body = ''] = rest
        .filter((line) => !line.startsWith('#'))
        .join('\n')
        .split('\n\n');
      const [request = '', ...headers] = head.trim().split('\n');
      const [, method = '', path = ''] = /^([A-Z]+) \{\{url\}\}(\S+)$/.exec(request) ?? [];
      return {
        title,
        // A step whose method is none of these is answered by 404 or 405, which fails its test.
        method: method as Method,
        name: /^# @name (\w+)$/m.exec(part)?.[1],
        path,
        authorization: headers.find((line) => line.startsWith('Authorization: '))?.slice(15),
        body: body.trim(),
      };
    });

const steps = parse(readFileSync(new URL('../../requests.http', import.meta.url), 'utf8'));

describe('requests.http, on a service that was just started', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let server: Awaited<ReturnType<typeof listen>>;
  const values = new Map<string, string>();

  before(async () => {
    deployment = await createDeployment();
    const container = deployment.start();
    await container.get(TOKENS.useCases).registerServers();
    server = await listen(deployment.app(container), '127.0.0.1', 0, { answerClientError: () => '' });
    values.set('operator', deployment.token(null, ['platform_admin']));
  });
  after(async () => {
    await server.close();
    await deployment.dispose();
  });

  const filled = (text: string): string =>
    text.replaceAll(/\{\{([\w.]+)\}\}/g, (_, name: string) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`no step before has the answer ${name}`);
      return value;
    });

  it('has steps', () => {
    expect(steps.length).to.be.at.least(10);
  });

  for (const { title, name, method, path, authorization, body } of steps)
    it(`${method} ${path}: ${title}`, async () => {
      const token = authorization === undefined ? undefined : filled(authorization).replace('Bearer ', '');
      const { status, text } = await send(server.url, method, filled(path), {
        ...(token !== undefined && { token }),
        ...(body !== '' && { body: JSON.parse(filled(body)) as unknown }),
      });
      expect(status, text).to.be.within(200, 299);
      if (name === undefined) return;
      for (const [field, value] of Object.entries(JSON.parse(text) as object))
        values.set(`${name}.response.body.${field}`, String(value));
    });
});
