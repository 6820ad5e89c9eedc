import { expect } from 'chai';
import type { LevelWithSilent } from 'pino';
import { createPinoLogger } from '../../../adapters/pino/pino-logger.ts';
import { runWithRequestContext } from '../../../adapters/pino/request-context.ts';
import type { RequestContext } from '../../../application/ports/runtime/request-context.ts';
import { anyLine } from './any-line.ts';

interface Capture {
  readonly logger: ReturnType<typeof anyLine>;
  readonly raw: string[];
  /** The last line. */
  readonly last: () => Record<string, unknown>;
}

const capture = (level: LevelWithSilent = 'debug'): Capture => {
  const raw: string[] = [];
  const destination = { write: (line: string) => void raw.push(line) };
  const logger = anyLine(createPinoLogger({ level, destination }));
  const last = (): Record<string, unknown> => {
    const line: unknown = JSON.parse(raw.at(-1) ?? '{}');
    return { ...(typeof line === 'object' ? line : {}) };
  };
  return { logger, raw, last };
};

describe('createPinoLogger', () => {
  it('writes one line of JSON an entry', () => {
    const { logger, raw, last } = capture();

    logger.warn({ count: 2 }, 'two\nlines');

    expect(raw).to.have.length(1);
    expect(raw[0]).to.match(/^\{[^\n]*\}\n$/);
    expect(last()).to.include({ level: 'warn', msg: 'two\nlines', count: 2, pid: process.pid });
    expect(last()['time']).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('says which event of the catalogue a line is, at the level and in the words of the catalogue', () => {
    const raw: string[] = [];
    const logger = createPinoLogger({
      level: 'info',
      destination: { write: (line) => void raw.push(line) },
    });
    logger.write('lease.leaked', { org_id: 'acme', held_ms: 7 });
    logger.write('pool.removed', { org_id: 'acme', reason: 'idle' });
    expect(raw).to.have.length(1);
    expect(JSON.parse(raw[0] ?? '')).to.deep.include({
      level: 'error',
      event: 'lease.leaked',
      msg: 'a lease was never released',
      org_id: 'acme',
      held_ms: 7,
    });
  });

  it('writes nothing below its level', () => {
    const { logger, raw } = capture('warn');

    logger.debug({}, 'a');
    logger.info({}, 'b');
    logger.error({}, 'c');

    expect(raw).to.have.length(1);
  });

  it('puts request and organization on every line of a request, and on no other', async () => {
    const { logger, last } = capture();
    const work = async (context: RequestContext, organizationId: string): Promise<void> =>
      runWithRequestContext(context, async () => {
        logger.info({}, 'before the guard');
        expect(last()).to.include({ request_id: context.requestId }).and.not.have.property('org_id');
        await Promise.resolve();
        context.organizationId = organizationId;
        await Promise.resolve();
        logger.info({}, 'after the guard');
        expect(last()).to.include({ request_id: context.requestId, org_id: organizationId });
      });

    await Promise.all([
      work({ requestId: 'r1', organizationId: null }, 'acme'),
      work({ requestId: 'r2', organizationId: null }, 'other'),
    ]);
    logger.info({}, 'outside');

    expect(last()).to.not.have.any.keys('request_id', 'org_id');
  });

  it('writes a field once that the entry names itself', () => {
    const { logger, raw, last } = capture();

    runWithRequestContext({ requestId: 'r1', organizationId: 'acme' }, () => {
      logger.info({ org_id: 'other' }, 'x');
    });

    expect(last()['org_id']).to.equal('other');
    expect(raw[0]?.split('org_id')).to.have.length(2);
  });

  it('keeps type, code, message, stack and causes of an error, and nothing else', () => {
    const { logger, last } = capture();
    const root = Object.assign(new Error('Key exists'), {
      code: '23505',
      detail: 'CANARY',
      parameters: ['CANARY'],
    });

    logger.error({ err: new TypeError('outer', { cause: root }) }, 'failed');

    expect(last()['err']).to.deep.include({ type: 'TypeError', message: 'outer' });
    expect(last())
      .to.have.nested.property('err.stack')
      .match(/pino-logger\.test/);
    expect(last()).to.have.nested.property('err.cause.code', '23505');
    expect(last()).to.have.nested.property('err.cause.message', 'Key exists');
    expect(JSON.stringify(last())).to.not.contain('CANARY');
  });

  it('ends a chain of causes, and takes what is no error', () => {
    const { logger, last } = capture();
    const endless = new Error('endless');
    endless.cause = endless;

    logger.error({ err: endless }, 'x');
    expect(last()['err']).to.include({ type: 'Error' });
    logger.error({ err: new AggregateError([new Error('refused')]) }, 'x');
    expect(last()).to.have.nested.property('err.errors[0].message', 'refused');
    logger.error({ err: 'text' }, 'x');
    expect(last()['err']).to.equal('text');
    logger.error({ err: { password: 'x' } }, 'x');
    expect(last()['err']).to.equal('object thrown in place of an error');
  });

  it('masks secrets by the names of their fields', () => {
    const { logger, raw } = capture();
    const secrets = {
      authorization: 'CANARY',
      cookie: 'CANARY',
      password: 'CANARY',
      secret: 'CANARY',
      token: 'CANARY',
      access_token: 'CANARY',
      refresh_token: 'CANARY',
    };

    logger.info({ ...secrets, body: secrets, request: { headers: secrets } }, 'x');

    expect(raw.join('')).to.not.contain('CANARY');
    expect(raw.join('').split('***')).to.have.length(22);
  });

  it('masks them in lists, and leaves the object that it was given as it is', () => {
    const { logger, raw, last } = capture();
    const users = [{ name: 'a', password: 'CANARY' }, { name: 'b' }];

    logger.info({ users, at: new Date(0) }, 'x');

    expect(raw.join('')).to.not.contain('CANARY');
    expect(last()).to.have.nested.property('users.0.name', 'a');
    expect(last()).to.include({ at: '1970-01-01T00:00:00.000Z' });
    expect(users[0]).to.deep.equal({ name: 'a', password: 'CANARY' });
  });

  it('masks passwords in URLs wherever they stand, and keeps the line valid', () => {
    const urls = [
      'postgresql://u:CANARY@h/d',
      'postgres://u@tenant:CANARY@h:5432/d',
      'postgresql://:CANARY@h/d',
      'postgresql://u:CANARY@CANARY@h/d',
      'postgresql://u:CAN"ARY@h/d',
      String.raw`postgresql://u:CAN\ARY@h/d`,
      'postgresql://u:CANARY/x?y#z@h/d',
      'postgresql://h/d?sslmode=require&password=CANARY&sslpassword=CANARY&a=b',
      'host=h password=CANARY user=u',
    ];
    for (const url of urls) {
      const { logger, raw, last } = capture();
      logger.info({ url, nested: { list: [url] } }, `connecting to ${url} failed`);
      logger.error({ err: new Error(`no route to ${url}`, { cause: new Error(url) }) }, 'x');
      expect(last()['msg'], url).to.equal('x');
      expect(raw.join(''), url).to.not.match(/CAN|ARY/);
    }
  });

  it('leaves other text alone', () => {
    const { logger, last } = capture();
    const text = 'see https://example.org:8080/a?b=c or write to a@b.c "now"';

    logger.info({ text }, text);

    expect(last()).to.include({ text, msg: text });
  });

  it('spends no time on long lines', () => {
    const { logger, raw } = capture();
    const start = performance.now();

    for (const text of [
      'a'.repeat(1e6),
      '://a:'.repeat(2e5),
      `://${':'.repeat(1e6)}`,
      '://a:b'.repeat(1e5),
    ]) {
      logger.info({ text }, 'x');
    }

    expect(raw).to.have.length(4);
    expect(performance.now() - start).to.be.below(5000);
  });
});
