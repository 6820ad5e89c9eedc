import { ExportResultCode } from '@opentelemetry/core';
import { expect } from 'chai';
import { OutageExporter } from '../../../adapters/opentelemetry/outage-exporter.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';

describe('What sends spans', () => {
  const logger = new FakeLogger();
  const results: ExportResultCode[] = [];

  it('says once that the collector takes none, and once that it takes them again', () => {
    const { SUCCESS, FAILED } = ExportResultCode;
    const exporter = new OutageExporter(
      {
        export: (_spans, done) => done({ code: results.shift() ?? SUCCESS }),
        shutdown: () => Promise.resolve(),
      },
      { endpoint: 'http://collector:4318', logger },
    );
    const answers: ExportResultCode[] = [];
    for (const code of [SUCCESS, FAILED, FAILED, FAILED, SUCCESS, SUCCESS, FAILED]) {
      results.push(code);
      exporter.export([], (result) => answers.push(result.code));
    }
    expect(answers).to.deep.equal([SUCCESS, FAILED, FAILED, FAILED, SUCCESS, SUCCESS, FAILED]);
    expect(logger.lines.map(({ event }) => event)).to.deep.equal([
      'traces.lost',
      'traces.sent_again',
      'traces.lost',
    ]);
  });
});
