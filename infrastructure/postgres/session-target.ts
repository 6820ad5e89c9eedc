/** What a connection is for, by libpq's names: `target_session_attrs` in a database URL. */
export const SESSION_TARGETS = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
] as const;
export type SessionTarget = (typeof SESSION_TARGETS)[number];

/** A standby if there is one, else whatever there is: two rounds. */
export const roundsFor = (target: SessionTarget): readonly SessionTarget[] =>
  target === 'prefer-standby' ? ['standby', 'any'] : [target];

/**
 * Why a server is not what the connection is for, or null.
 *
 * @param reported the parameters that the server told at login
 */
export const unfitness = (target: SessionTarget, reported: ReadonlyMap<string, string>): string | null => {
  if (target === 'any') return null;
  const standby = reported.get('in_hot_standby');
  const readOnly = reported.get('default_transaction_read_only');
  if (standby === undefined || readOnly === undefined) {
    return 'it does not tell whether it is a standby, as PostgreSQL 14 and newer do';
  }
  const isStandby = standby === 'on';
  const isReadOnly = isStandby || readOnly === 'on';
  switch (target) {
    case 'read-write':
      return isReadOnly ? `it is ${isStandby ? 'a standby' : 'read-only'}` : null;
    case 'read-only':
      return isReadOnly ? null : 'it takes writes';
    case 'primary':
      return isStandby ? 'it is a standby' : null;
    case 'standby':
    case 'prefer-standby':
      return isStandby ? null : 'it is no standby';
  }
};
