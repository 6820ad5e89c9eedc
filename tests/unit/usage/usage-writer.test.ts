import { expect } from 'chai';
import { BATCH_ROWS, UsageCounter } from '../../../application/usage/usage-counter.ts';
import type { UsageBatch } from '../../../application/ports/usage/usage-ledger.ts';
import { UsageWriter } from '../../../infrastructure/background/usage-writer.ts';
import { OutageLogger } from '../../../infrastructure/background/outage-logger.ts';
import { DatabaseConnectionError } from '../../../domain/exceptions.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';
import { organization } from '../../support/fakes/fake-service.ts';

const ACME = organization('acme');

describe('The writer of usage', () => {
  let written: (readonly [writer: string, number: number, requests: number])[];
  let isAway: boolean;
  let logger: FakeLogger;
  let counter: UsageCounter;
  let writer: UsageWriter;

  beforeEach(() => {
    written = [];
    isAway = false;
    logger = new FakeLogger();
    counter = new UsageCounter();
    const add = async (by: string, { number, counted }: UsageBatch): Promise<void> => {
      written.push([by, number, counted.reduce((sum, { requests }) => sum + requests, 0)]);
      if (isAway) throw new Error('the metadata database is away');
    };
    writer = new UsageWriter({ instanceId: 'one', counter, ledger: { add }, logger });
  });
  const request = (): void =>
    counter.observe({
      method: 'GET',
      route: '/jobs',
      status: 200,
      seconds: 0.1,
      usage: { organizationId: ACME, dbMs: 1, egressBytes: 1 },
    });

  it('writes what was counted, and nothing where nothing was', async () => {
    request();
    request();
    await writer.run();
    await writer.run();
    expect(written).to.deep.equal([['one', 1, 2]]);
    await writer.close();
  });

  it('writes once a run while requests end all the time, and the rest in the next run', async () => {
    const busy = new UsageWriter({
      instanceId: 'busy',
      counter,
      ledger: {
        add: async (_by, { number }) => {
          if (number < 5) request();
          written.push(['busy', number, 1]);
        },
      },
      logger,
    });
    request();
    await busy.run();
    expect(written).to.deep.equal([['busy', 1, 1]]);
    await busy.run();
    expect(written).to.deep.equal([
      ['busy', 1, 1],
      ['busy', 2, 1],
    ]);
    await busy.close();
  });

  it('sends a batch again that may not have arrived, unchanged and under its number, and then the rest', async () => {
    request();
    isAway = true;
    await writer.run();
    request();
    request();
    isAway = false;
    await writer.run();
    expect(written).to.deep.equal([
      ['one', 1, 1],
      ['one', 1, 1],
      ['one', 2, 2],
    ]);
    expect(logger.lines.map(({ event }) => event)).to.deep.equal(['usage.kept']);
    await writer.close();
  });

  it('writes in one run all that came together while the server was away, in batches of a bounded size', async () => {
    const many = Array.from({ length: 2 * BATCH_ROWS + 1 }, (_, index) => organization(`org-${index}`));
    for (const organizationId of many) counter.noteStored(organizationId, 1);
    const sizes: number[] = [];
    const add = async (_by: string, { counted }: UsageBatch): Promise<void> =>
      void sizes.push(counted.length);
    const returning = new UsageWriter({ instanceId: 'one', counter, ledger: { add }, logger });
    await returning.run();
    expect(sizes).to.deep.equal([BATCH_ROWS, BATCH_ROWS, 1]);
    await returning.close();
  });

  it('writes the rest at its end, also when it is closed twice, and says what is lost when it cannot', async () => {
    request();
    await Promise.all([writer.close(), writer.close()]);
    expect(written).to.deep.equal([['one', 1, 1]]);
    expect(logger.lines).to.be.empty;

    const late = new UsageWriter({
      instanceId: 'two',
      counter,
      ledger: { add: () => Promise.reject(new Error('away')) },
      logger,
    });
    request();
    await late.close();
    expect(logger.lines.map(({ event, level }) => [event, level])).to.deep.equal([['usage.lost', 'error']]);
  });

  it('says what is lost also in the middle of an outage that the log sums up', async () => {
    const away = new DatabaseConnectionError('The metadata database is away.');
    const log = new OutageLogger(logger);
    log.write('usage.kept', { err: away });
    const ending = new UsageWriter({
      instanceId: 'ending',
      counter,
      ledger: { add: () => Promise.reject(away) },
      logger: log,
    });
    request();
    await ending.close();
    expect(logger.lines.at(-1)).to.deep.include({
      event: 'usage.lost',
      level: 'error',
      fields: { reason: 'The metadata database is away.' },
    });
  });
});
