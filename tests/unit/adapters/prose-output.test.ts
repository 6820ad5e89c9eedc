import { expect } from 'chai';
import { createPinoLogger } from '../../../adapters/pino/pino-logger.ts';
import { proseOutput } from '../../../adapters/pino/prose-output.ts';
import { anyLine } from './any-line.ts';

/** What a terminal shows of what is logged, without the time of day. */
const shownOf = (log: (logger: ReturnType<typeof anyLine>) => void): string => {
  let text = '';
  const destination = proseOutput({ write: (part) => void (text += part) });
  log(anyLine(createPinoLogger({ level: 'debug', destination })));
  expect(text).to.match(/^\d\d:\d\d:\d\d {2}/);
  return text.slice(10);
};

describe('The log in a terminal', () => {
  it('is prose, with the facts at its end', () => {
    expect(
      shownOf((logger) => logger.info({ url: 'http://127.0.0.1:3000', took_ms: 7 }, 'listening')),
    ).to.equal('listening  (url http://127.0.0.1:3000, took_ms 7)\n');
    expect(shownOf((logger) => logger.info({}, 'stopped'))).to.equal('stopped\n');
  });

  it('says what is more than news, and why, and shows the place in the code of errors alone', () => {
    const cause = new Error('connection refused');
    const err = new Error('the server is away', { cause });
    const warning = shownOf((logger) => logger.warn({ err, server: 'eu' }, 'spares could not be refilled'));
    expect(warning).to.equal(
      'WARN: spares could not be refilled: the server is away: connection refused  (server eu)\n',
    );
    const error = shownOf((logger) => logger.error({ err }, 'request failed'));
    expect(error).to.match(/^ERROR: request failed: the server is away: connection refused\n +at /);
  });

  it('hides secrets as the JSON does, and gives the terminal no control characters', () => {
    const shown = shownOf((logger) =>
      logger.info(
        { password: 'CANARY', path: '/a\u001B[2J\u202E', url: 'postgresql://mad:CANARY@db/mad' },
        'line\nbreak',
      ),
    );
    expect(shown).not.to.include('CANARY');
    for (const character of ['\u001B', '\u202E']) expect(shown).not.to.include(character);
    expect(shown.trimEnd()).not.to.include('\n');
  });
});
