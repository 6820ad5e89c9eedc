import { expect } from 'chai';
import { OutageLogger } from '../../../infrastructure/background/outage-logger.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';
import { DatabaseConnectionError, DatabaseProvisioningError } from '../../../domain/exceptions.ts';

const setUp = () => {
  const logger = new FakeLogger();
  const clock = { now: 0 };
  const log = new OutageLogger(logger, () => clock.now);
  return {
    log,
    clock,
    loud: () => logger.lines.filter(({ level }) => level !== 'debug'),
    said: logger.lines,
  };
};

const away = (database: string): DatabaseConnectionError =>
  new DatabaseConnectionError(`The database "${database}" cannot be used now.`, new Error('ECONNREFUSED'));

describe('The log of an outage', () => {
  it('is one line a minute, without stacks, however much fails however often', () => {
    const { log, clock, loud, said } = setUp();
    for (; clock.now < 130_000; clock.now += 500) {
      log.write('spare.refill_failed', { err: away('mad'), server: 'eu' });
      log.write('database.provisioning_failed', {
        err: new DatabaseProvisioningError('no', away('results_a')),
        org_id: 'a',
        database: 'results_a',
      });
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
    log.write('spare.refill_failed', { err: fault, server: 'eu' });
    log.write('lease.leaked', { org_id: 'a', held_ms: 1 });
    expect(loud()).to.deep.equal([
      {
        event: 'spare.refill_failed',
        level: 'warn',
        fields: { err: fault, server: 'eu' },
        message: 'spares could not be refilled',
      },
      {
        event: 'lease.leaked',
        level: 'error',
        fields: { org_id: 'a', held_ms: 1 },
        message: 'a lease was never released',
      },
    ]);
  });

  it('says why a phase of the stop failed: the process ends before the next summary', () => {
    const { log, loud } = setUp();
    const err = away('mad');
    log.write('spare.refill_failed', { err, server: 'eu' });
    log.write('service.stop_phase_failed', { err, phase: 'pools' });
    expect(loud().map(({ event, fields }) => ({ event, fields }))[1]).to.deep.equal({
      event: 'service.stop_phase_failed',
      fields: { err, phase: 'pools' },
    });
  });
});
