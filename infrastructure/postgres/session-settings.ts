import { literal } from './quoting.ts';
import type { Deadlines } from './connection-options.ts';

/** Settings of a session, by name. */
export type SessionSettings = Readonly<Record<string, string>>;

/**
 * What the form and the meaning of answers depend on. An administrator may have set these otherwise for the server, the
 * database or the role: with another `DateStyle` the driver misreads every time, and with another isolation level
 * statements fail that must not. Decision 0039. `client_encoding` is sent by the driver itself.
 */
export const FIXED_SETTINGS: SessionSettings = {
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  standard_conforming_strings: 'on',
  bytea_output: 'hex',
  extra_float_digits: '1',
  default_transaction_isolation: 'read committed',
};

/** Leaves out deadlines that are 0: the server's own setting counts. */
export const settingsOf = (deadlines: Partial<Deadlines>): SessionSettings => {
  const {
    statementTimeoutMs: statement_timeout = 0,
    lockTimeoutMs: lock_timeout = 0,
    idleInTransactionTimeoutMs: idle_in_transaction_session_timeout = 0,
  } = deadlines;
  const given = Object.entries({ statement_timeout, lock_timeout, idle_in_transaction_session_timeout });
  return Object.fromEntries(
    given.filter(([, milliseconds]) => milliseconds > 0).map(([name, ms]) => [name, String(ms)]),
  );
};

/** SQL that makes these the session's settings. `reset all` takes them back. */
export const setUp = (settings: SessionSettings): string =>
  `select ${Object.entries(settings)
    .map(([name, value]) => `set_config(${literal(name)}, ${literal(value)}, false)`)
    .join(', ')}`;
