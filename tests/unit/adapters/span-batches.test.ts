import { expect } from 'chai';
import {
  BATCH_BYTES,
  BATCH_SPANS,
  SpanBatches,
  WAITING_BATCHES,
} from '../../../adapters/opentelemetry/span-batches.ts';
import { Gate } from '../../support/gate.ts';

const SOURCE = { resource: '{"attributes":[]}', scope: 'mad' };

describe('Batches of spans', () => {
  let bodies: string[];
  beforeEach(() => {
    bodies = [];
  });
  const take = (body: Uint8Array): void => void bodies.push(Buffer.from(body).toString());
  const spansOf = (body: string | undefined): readonly unknown[] => {
    // What this very class wrote.
    const { resourceSpans } = JSON.parse(body ?? '') as {
      resourceSpans: { scopeSpans: { spans: unknown[] }[] }[];
    };
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  };
  const fill = (batches: SpanBatches, first: number): void => {
    for (let span = first; span < first + BATCH_SPANS; span += 1) batches.add(String(span));
  };

  it('are sent when they are full, as they are, and what is left at the end', async () => {
    const batches = new SpanBatches(SOURCE, async (body) => take(body));
    fill(batches, 0);
    batches.add('"größer"');
    expect(bodies, 'the first at once').to.have.length(1);
    await batches.flush();
    await batches.flush();
    expect(bodies.map(spansOf)).to.deep.equal([
      Array.from({ length: BATCH_SPANS }, (_, span) => span),
      ['größer'],
    ]);
    expect(bodies[1]).to.equal(
      '{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[{"scope":{"name":"mad"},"spans":["größer"]}]}]}',
    );
  });

  it('are sent after a while when they do not get full', async () => {
    const sent = new Gate();
    const batches = new SpanBatches({ ...SOURCE, delayMs: 1 }, async (body) => {
      take(body);
      sent.open();
    });
    batches.add('1');
    // The timer keeps no process alive.
    const alive = setInterval(() => undefined, 1000);
    await sent.opened;
    clearInterval(alive);
    expect(bodies.map(spansOf)).to.deep.equal([[1]]);
  });

  it('are sent one after another, and dropped when too many wait', async () => {
    const gate = new Gate();
    const batches = new SpanBatches(SOURCE, async (body) => {
      take(body);
      await gate.opened;
    });
    const full = 1 + WAITING_BATCHES;
    for (let batch = 0; batch <= full; batch += 1) fill(batches, batch * BATCH_SPANS);
    expect(bodies, 'one is on its way').to.have.length(1);
    gate.open();
    await batches.flush();
    expect(bodies.map((body) => spansOf(body)[0])).to.deep.equal(
      Array.from({ length: full }, (_, batch) => batch * BATCH_SPANS),
    );
    batches.add('"after it"');
    await batches.flush();
    expect(spansOf(bodies.at(-1))).to.deep.equal(['after it']);
  });

  it('have a bounded size, whatever the letters', async () => {
    const batches = new SpanBatches(SOURCE, async (body) => take(body));
    const large = JSON.stringify('€'.repeat(BATCH_BYTES / 12));
    for (let span = 0; span < 5; span += 1) batches.add(large);
    batches.add(JSON.stringify('x'.repeat(BATCH_BYTES)));
    await batches.flush();
    expect(bodies.map((body) => spansOf(body).length)).to.deep.equal([3, 2]);
    for (const body of bodies) expect(Buffer.byteLength(body)).to.be.at.most(BATCH_BYTES);
  });
});
