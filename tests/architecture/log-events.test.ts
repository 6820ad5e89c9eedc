import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { LOG_EVENTS } from '../../application/ports/runtime/log-events/log-events.ts';
import { AUDIT_ACTIONS } from '../../domain/audit/audit-actions.ts';
import { EVENT_TYPES } from '../../domain/events/job-event.ts';
import { logCallsIn, type LogCall } from './log-calls.ts';
import { ROOT, sourceFiles } from './project-files.ts';

/** One passes on what others write; the other chooses the event by the outcome of a request. */
const PASSES_ON =
  /^(?:infrastructure\/background\/outage-logger|presentation\/http\/request\/access-log)\.ts:/;
/** One turns a line of many down; the other names the server and its problem. */
const HAS_OWN_TEXT = /^infrastructure\/(?:background\/outage-logger|servers\/server-problems)\.ts:/;

/** A file of a log has other methods, and is none. */
const BY_LEVEL: ReadonlySet<string | null> = new Set([
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'log',
  null,
]);

/** What is wrong with a call; null: nothing. */
const faultOf = ({ place, method, events, hasOwnText }: LogCall): string | null => {
  if (BY_LEVEL.has(method)) return `${place}: a logger writes events, by "write"`;
  if (method !== 'write') return null;
  if (events === null && !PASSES_ON.test(place)) return `${place}: a line without an event`;
  const unknown = (events ?? []).filter((name) => !(name in LOG_EVENTS));
  if (unknown.length > 0) return `${place}: "${unknown.join()}" is not in the catalogue`;
  return hasOwnText && !HAS_OWN_TEXT.test(place) ? `${place}: words beside the catalogue's` : null;
};

const faultsIn = (text: string): readonly string[] =>
  logCallsIn(ROOT, 'application/sample.ts', text).flatMap((call) => faultOf(call) ?? []);

describe('every line of the log', () => {
  it('is an event of the catalogue', () => {
    const calls = sourceFiles().flatMap((file) => logCallsIn(ROOT, file));
    expect(calls.filter(({ method }) => method === 'write')).to.have.length.above(80);
    expect(calls.flatMap((call) => faultOf(call) ?? [])).to.deep.equal([]);
  });

  for (const sample of [
    `logger.warn({ err: error }, 'spares could not be refilled');`,
    `this.#logger.info({}, 'listening');`,
    `this.#deps.logger.error({ err }, 'failed');`,
    `deps.logger?.debug({}, 'here');`,
    `logger[level]({}, 'here');`,
    `log.write({ err }, 'no claim');`,
    `logger.write('nobody.knows', {});`,
    `logger.write(isFirst ? 'pool.removed' : 'nobody.knows', {});`,
    `logger.write(name, {});`,
    `logger.write('pool.removed', {}, { level: 'error', message: 'gone' });`,
  ]) {
    it(`is none in ${sample}`, () => {
      expect(faultsIn(sample)).to.have.length(1);
    });
  }

  it('is one in a call that names its event', () => {
    expect(faultsIn(`this.#deps.logger.write(first ? 'pool.removed' : 'lease.leaked', {});`)).to.be.empty;
  });
});

describe('every event of the catalogue', () => {
  it('is written somewhere', () => {
    const texts = sourceFiles()
      .filter((file) => !file.startsWith('application/ports/runtime/log-events/'))
      .map((file) => readFileSync(join(ROOT, file), 'utf8'))
      .join('\n');
    expect(Object.keys(LOG_EVENTS).filter((name) => !texts.includes(`'${name}'`))).to.deep.equal([]);
  });
});

/** `action: 'x.y'`, the actions that `noteOf` and `recorded` take, and those that SQL writes with the type of an entity. */
const ACTIONS = [
  /\baction:(?:[^,;]*?\? )?\s*'([a-z_]+\.[a-z_]+)'/g,
  /\baction:[^,;]*?: '([a-z_]+\.[a-z_]+)'/g,
  /\b(?:noteOf|recorded)\([^']*'([a-z_]+\.[a-z_]+)'/g,
  /\bnote\('([a-z_]+\.[a-z_]+)'/g,
  /'([a-z_]+\.[a-z_]+)'(?: as action)?, '[a-z_]+'(?: as entity_type)?,/g,
];

const actionsIn = (text: string): readonly string[] =>
  ACTIONS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, action]) => action ?? ''));

describe('every action of the audit trail', () => {
  it('is in its catalogue, and everything there is an action', () => {
    const written = sourceFiles()
      .filter((file) => file !== 'domain/audit/audit-actions.ts')
      .flatMap((file) => actionsIn(readFileSync(join(ROOT, file), 'utf8')));
    expect([...new Set(written)].toSorted()).to.deep.equal(Object.keys(AUDIT_ACTIONS).toSorted());
  });

  for (const sample of [
    `append({ organizationId, action: 'nobody.knows', entityType })`,
    `append({ action: mine ? 'nobody.knows' : 'user.changed', entityType })`,
    `append({ action: mine ? 'user.changed' : 'nobody.knows', entityType })`,
    `noteOf(actor, 'nobody.knows', {})`,
    `select org_id, 'nobody.knows', 'database', database_name`,
  ]) {
    it(`is found in ${sample}`, () => {
      expect(actionsIn(sample)).to.include('nobody.knows');
    });
  }
});

describe('one vocabulary', () => {
  it('names what happened by its subject first, in the log, in the trail and in the stream of events', () => {
    for (const name of [...Object.keys(LOG_EVENTS), ...Object.keys(AUDIT_ACTIONS)])
      expect(name).to.match(/^[a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*$/);
    expect(Object.keys(AUDIT_ACTIONS)).to.include.members([...EVENT_TYPES]);
  });
});
