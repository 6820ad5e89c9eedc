import { ExportResultCode } from '@opentelemetry/core';
import { expect } from 'chai';
import { OutageExporter } from '../../../adapters/opentelemetry/outage-exporter.ts';

describe('What sends spans', () => {
  const said: string[] = [];
  const say = (level: string) => (_fields: object, message: string) => void said.push(`${level} ${message}`);
  const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
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
    expect(said).to.deep.equal([
      'warn traces cannot be sent, and are lost',
      'info traces are sent again',
      'warn traces cannot be sent, and are lost',
    ]);
  });
});
