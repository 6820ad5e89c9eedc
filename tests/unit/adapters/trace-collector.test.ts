import { ExportResultCode } from '@opentelemetry/core';
import { expect } from 'chai';
import { Collector } from '../../../adapters/opentelemetry/collector.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';

describe('The collector of traces', () => {
  const logger = new FakeLogger();
  const results: ExportResultCode[] = [];
  const sent: string[] = [];

  it('is said once to take none, and once to take them again', async () => {
    const { SUCCESS, FAILED } = ExportResultCode;
    const collector = new Collector(
      {
        export: (body, done) => {
          sent.push(Buffer.from(body).toString());
          done({ code: results.shift() ?? SUCCESS });
        },
      },
      { endpoint: 'http://collector:4318', logger },
    );
    for (const [index, code] of [SUCCESS, FAILED, FAILED, FAILED, SUCCESS, SUCCESS, FAILED].entries()) {
      results.push(code);
      await collector.send(Buffer.from(`batch ${index}`));
    }
    expect(sent).to.deep.equal(Array.from({ length: 7 }, (_, index) => `batch ${index}`));
    expect(logger.lines.map(({ event }) => event)).to.deep.equal([
      'traces.lost',
      'traces.sent_again',
      'traces.lost',
    ]);
  });
});
