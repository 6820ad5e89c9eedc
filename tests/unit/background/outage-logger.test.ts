import { expect } from 'chai';
import { OutageLogger } from '../../../infrastructure/background/outage-logger.ts';
import { DatabaseConnectionError, DatabaseProvisioningError } from '../../../domain/exceptions.ts';

interface Said {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

const setUp = () => {
  const said: Said[] = [];
  const say =
    (level: string) =>
    (fields: object, message: string): void => {
      said.push({ level, fields, message });
    };
  const clock = { now: 0 };
  const log = new OutageLogger(
    { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    () => clock.now,
  );
  return { log, clock, loud: () => said.filter(({ level }) => level !== 'debug'), said };
};

const away = (database: string): DatabaseConnectionError =>
  new DatabaseConnectionError(`The database "${database}" cannot be used now.`, new Error('ECONNREFUSED'));

describe('The log of an outage', () => {
  it('is one line a minute, without stacks, however much fails however often', () => {
    const { log, clock, loud, said } = setUp();
    for (; clock.now < 130_000; clock.now += 500) {
      log.warn({ err: away('mad') }, 'spares could not be refilled');
      log.error({ err: new DatabaseProvisioningError('no', away('results_a')) }, 'provisioning failed');
    }
    const lines = loud();
    expect(lines.map(({ level, message }) => `${level} ${message}`)).to.deep.equal(
      Array.from({ length: 3 }, () => 'warn databases cannot be reached; this is said once a minute'),
    );
    expect(lines[1]?.fields).to.deep.equal({
      failures: { 'spares could not be refilled': 120, 'provisioning failed': 120 },
      reasons: [
        'The database "results_a" cannot be used now. (ECONNREFUSED)',
        'The database "mad" cannot be used now. (ECONNREFUSED)',
      ],
    });
    expect(JSON.stringify(lines)).not.to.include(' at ');
    expect(
      said.filter(({ level }) => level === 'debug'),
      'each at debug',
    ).to.have.length(520);
  });

  it('leaves everything else as it was said', () => {
    const { log, loud } = setUp();
    const fault = new Error('a fault');
    log.warn({ err: fault }, 'spares could not be refilled');
    log.error({}, 'a lease was never released');
    expect(loud()).to.deep.equal([
      { level: 'warn', fields: { err: fault }, message: 'spares could not be refilled' },
      { level: 'error', fields: {}, message: 'a lease was never released' },
    ]);
  });
});
