/** The kinds of server that a connection can ask for: libpq's values of `target_session_attrs`. */
export const SESSION_TARGETS = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
] as const;
export type SessionTarget = (typeof SESSION_TARGETS)[number];

/** The targets to try, one round of all servers for each. `prefer-standby` takes any server when no standby answers. */
export const roundsFor = (target: SessionTarget): readonly SessionTarget[] =>
  target === 'prefer-standby' ? ['standby', 'any'] : [target];

/**
 * Says why a server does not match the target; null when it does.
 *
 * @param reported the parameters that the server reported at login
 */
export const targetMismatch = (
  target: SessionTarget,
  reported: ReadonlyMap<string, string>,
): string | null => {
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
