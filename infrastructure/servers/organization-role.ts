import type { PgConnection } from '../postgres/pg-connection.ts';
import { unlessPresent } from '../postgres/new-database.ts';
import { identifier, literal } from '../postgres/quoting.ts';
import { scramVerifier } from '../postgres/scram-verifier.ts';
import type { Login, OrganizationLogins } from './organization-logins.ts';

/**
 * Makes the role that a database's organization uses, unless it is there. Either way it ends as `setRole` leaves it.
 *
 * @param before SQL that comes before, and `after` of the quoted role: in the transaction that makes the role, if it is new
 */
export const makeRole = async (
  connection: PgConnection,
  logins: OrganizationLogins,
  stamp: string,
  { before, after }: { readonly before: string; readonly after: (role: string) => string },
): Promise<void> => {
  const login = logins.loginFor(stamp);
  const role = identifier(login.user);
  const created = await unlessPresent(() =>
    connection.execute(
      `${before}; create role ${role} login ${attributesOf(login, logins)};
       ${commentOf(login, logins.mark)}; ${after(role)}`,
    ),
  );
  if (created) return;
  // One that an earlier attempt left may have its password from an earlier secret.
  await setRole(connection, logins, login);
  await connection.execute(`${before}; ${after(role)}`);
};

/**
 * Sets what a role may change of itself as the service wants it: the password, and settings for its sessions, of which it
 * has none. Sets its connection limit, too, and lets it log in.
 *
 * @param mark says from which secret the password is; that of today by default
 * @throws the server's error 42704 when there is no such role
 */
export const setRole = async (
  connection: PgConnection,
  logins: OrganizationLogins,
  login: Login,
  mark: string = logins.mark,
): Promise<void> => {
  const role = identifier(login.user);
  // Of the role in single databases.
  const settings = await connection.query<{ name: string }>({
    text: `select d.datname as name from pg_db_role_setting s
             join pg_roles r on r.oid = s.setrole join pg_database d on d.oid = s.setdatabase
           where r.rolname = $1`,
    values: [login.user],
  });
  const resets = settings.map(({ name }) => `alter role ${role} in database ${identifier(name)} reset all;`);
  await connection.execute(
    `alter role ${role} login ${attributesOf(login, logins)};
     alter role ${role} reset all;
     ${resets.join('\n')}
     ${commentOf(login, mark)}`,
  );
};

/**
 * As `setRole`, with the password that the service gave the role last: the one with which a login went well, or else the one
 * that the role's comment tells. Changes nothing and returns false when that came from a secret that this process does not
 * know: then the role is not its to change. So it is for roles of earlier releases, which wrote nothing down, until their
 * credentials are rotated.
 *
 * @param password with which a login went well; null when none did
 */
export const restoreRole = async (
  connection: PgConnection,
  logins: OrganizationLogins,
  { stamp, password }: { readonly stamp: string; readonly password: string | null },
): Promise<boolean> => {
  const [role] = await connection.query<{ mark: string | null }>({
    text: `select shobj_description(oid, 'pg_authid') as mark from pg_roles where rolname = $1`,
    values: [logins.loginFor(stamp).user],
  });
  const given = logins
    .markedLoginsFor(stamp)
    .find(({ login, mark }) => (password === null ? mark === role?.mark : login.password === password));
  if (given === undefined) return false;
  await setRole(connection, logins, given.login, given.mark);
  await endIdleSessions(connection, given.login.user);
  return true;
};

/**
 * Raises the connection limit of a role that was made when the configuration wanted fewer. Lowers none: a process of the
 * configuration before may still need it. Returns true also when another process was faster.
 */
export const raiseConnectionLimit = async (
  connection: PgConnection,
  logins: OrganizationLogins,
  stamp: string,
): Promise<boolean> => {
  const { user } = logins.loginFor(stamp);
  const { connectionLimit } = logins;
  const [role] = await connection.query<{ limit: number }>({
    text: 'select rolconnlimit as "limit" from pg_roles where rolname = $1',
    values: [user],
  });
  // -1 is no limit.
  if (role === undefined) return false;
  if (role.limit === -1 || role.limit >= connectionLimit) return true;
  await connection.execute(`alter role ${identifier(user)} connection limit ${connectionLimit}`);
  return true;
};

/** A pooler would hand on sessions that began with what the role had changed. Who has work under way keeps its session. */
const endIdleSessions = async (connection: PgConnection, user: string): Promise<void> => {
  // Only a member of a role may end its sessions; who made the role may become one.
  await connection.execute(`grant ${identifier(user)} to current_user`).catch(() => undefined);
  await connection.query({
    text: `select pg_terminate_backend(pid) from pg_stat_activity where usename = $1 and state = 'idle'`,
    values: [user],
  });
};

const attributesOf = ({ password }: Login, { connectionLimit }: OrganizationLogins): string =>
  `password ${literal(scramVerifier(password))} connection limit ${connectionLimit}`;

/** A role can change its own password, but not its comment. That says who set the password last, and from which secret. */
const commentOf = ({ user }: Login, mark: string): string =>
  `comment on role ${identifier(user)} is ${literal(mark)}`;
