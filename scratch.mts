import { PgConnection } from './infrastructure/postgres/pg-connection.ts';
import { DatabaseUrl } from './infrastructure/postgres/database-url.ts';
const open = (db: string) => PgConnection.open({ url: DatabaseUrl.parse(`postgres://postgres@127.0.0.1:7418/${db}`), applicationName: 'av', connectTimeoutMs: 5000 });
const others = []; for (let i = 0; i < 60; i++) others.push(await open('postgres'));
const c = await open('postgres');
const name = `'template1'`;
const A = `select l.pid from pg_locks l join pg_database d on d.oid = l.objid
         where d.datname = ${name} and l.locktype = 'object' and l.classid = 'pg_database'::regclass
           and l.mode = 'RowExclusiveLock' and l.granted and l.pid <> pg_backend_pid()`;
const A2 = `select l.pid from pg_lock_status() l
         where l.locktype = 'object' and l.classid = 1262 and l.objid = (select oid from pg_database where datname = ${name})
           and l.mode = 'RowExclusiveLock' and l.granted and l.pid <> pg_backend_pid()`;
const B = `select a.pid, a.datname = ${name} as inside, a.usename as user, a.application_name as application, a.state,
           coalesce(pg_has_role(a.usesysid, 'usage'), false) as "isOurs",
           coalesce(has_database_privilege(a.usesysid, d.oid, 'connect'), true) as "isAdmitted"
         from pg_stat_activity a left join pg_database d on d.datname = ${name}
         where (a.datname = ${name} or a.datname is null) and a.pid <> pg_backend_pid()`;
const B2 = `select a.pid, a.datid = d.oid as inside, pg_get_userbyid(nullif(a.usesysid, 0)) as user, a.application_name as application, a.state,
           coalesce(pg_has_role(a.usesysid, 'usage'), false) as "isOurs",
           coalesce(has_database_privilege(a.usesysid, d.oid, 'connect'), true) as "isAdmitted"
         from pg_stat_get_activity(null) a, (select (select oid from pg_database where datname = ${name}) as oid) d
         where (a.datid = d.oid or a.datid is null or a.datid = 0) and a.pid <> pg_backend_pid()`;
const C = `select gid, owner from pg_prepared_xacts where database = ${name}`;
const C2 = `select gid, pg_get_userbyid(ownerid) as owner from pg_prepared_xact() where dbid = (select oid from pg_database where datname = ${name})`;
const L = `select pg_try_advisory_lock(key) and not exists (
               select from pg_locks l join pg_stat_activity a on a.pid = l.pid join pg_database d on d.oid = l.database
               where l.locktype = 'advisory' and l.granted and d.datname = 'postgres' and a.usename = current_user
                 and l.pid <> pg_backend_pid() and l.objsubid = 1
                 and (l.classid::bigint << 32 | l.objid::bigint) = key
             ) as locked from hashtextextended('x', 0) as key`;
const L2 = `select pg_try_advisory_lock(key) and not exists (
               select from pg_lock_status() l, pg_stat_get_activity(l.pid) a
               where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid <> pg_backend_pid()
                 and (l.classid::bigint << 32 | l.objid::bigint) = key
                 and l.database = (select oid from pg_database where datname = 'postgres') and a.usesysid = (select oid from pg_roles where rolname=current_user)
             ) as locked from hashtextextended('x', 0) as key`;
const L0 = `select pg_try_advisory_lock(key) as locked from hashtextextended('x', 0) as key`;
for (const [what, sql] of Object.entries({ A, A2, B, B2, C, C2, all: [A, B, C].join(';'), all2: [A2, B2, C2].join(';'), L0, L, L2 })) {
  const f = () => c.lendDriver().query(sql);
  for (let i = 0; i < 20; i++) await f();
  const t = performance.now(); for (let i = 0; i < 200; i++) await f(); console.log(what, ((performance.now() - t) / 200).toFixed(2), 'ms');
}
const r = await c.lendDriver().query(B2.replaceAll('template1', 'postgres')); console.log(r.rows.slice(0,3), r.rows.length);
for (const o of [...others, c]) await o.close();
